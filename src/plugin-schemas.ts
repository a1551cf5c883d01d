import type { z } from "zod";
import type { PluginRole, PluginSchemas } from "./core/secret-fields.ts";
import { guardrails } from "./guardrails/index.ts";
import { keyManagers } from "./identity/index.ts";
import { policies } from "./policies/index.ts";
import { providers } from "./routing/providers/index.ts";
import { strategies } from "./routing/strategies/index.ts";

interface Described {
  readonly id: string;
  readonly config: z.ZodType;
}

/** The configuration schemas of all plug-ins of this build; no gateway is loaded for them, as linting a file needs none. */
export const pluginSchemas: PluginSchemas = (roles, use) =>
  roles.flatMap((role) => lists[role].filter(({ id }) => id === use))[0]?.config;

const lists: Readonly<Record<PluginRole, readonly Described[]>> = {
  provider: providers,
  strategy: strategies,
  policy: policies,
  guardrail: guardrails,
  "key-manager": keyManagers,
};
