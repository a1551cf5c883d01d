import type { z } from "zod";
import { pluginLists } from "./compose-gateway.ts";
import type { PluginRole, PluginSchemas } from "./core/secret-fields.ts";
import { keyManagers } from "./identity/index.ts";

interface Described {
  readonly id: string;
  readonly config: z.ZodType;
}

/** The configuration schemas of all plug-ins of this build. */
export const pluginSchemas: PluginSchemas = (roles, use) =>
  roles.flatMap((role) => lists[role].filter(({ id }) => id === use))[0]?.config;

const lists: Readonly<Record<PluginRole, readonly Described[]>> = {
  provider: pluginLists.providers,
  strategy: pluginLists.strategies,
  policy: pluginLists.policies,
  guardrail: pluginLists.guardrails,
  "key-manager": keyManagers,
};
