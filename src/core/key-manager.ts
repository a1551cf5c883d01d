import { z } from "zod";
import { pluginConfigSchema } from "./plugin-config.ts";
import { defineResource } from "./resource.ts";

const keyManagerSpec = z.strictObject({
  displayName: z.string().max(200).optional().meta({ title: "Display name" }),
  use: z.string().min(1).max(64).meta({ title: "Kind", description: "The id of a key manager plug-in." }),
  with: pluginConfigSchema.default({}).meta({
    title: "Configuration",
    description: "Checked by the plug-in's own schema; credentials as ${secret:name}, or inline.",
    plugin: ["key-manager"],
  }),
  enabled: z
    .boolean()
    .default(true)
    .meta({ title: "Enabled", description: "Tokens of a key manager that is not enabled are refused everywhere." }),
});

export type KeyManagerSpec = z.output<typeof keyManagerSpec>;

/** The name of the key manager that is part of the installation; there from the beginning. */
export const residentName = "resident";

/** Who issues the tokens that callers show: this installation itself, or an OAuth server elsewhere. */
export const keyManager = defineResource({
  kind: "KeyManager",
  idKind: "keyManager",
  path: "key-managers",
  title: "Key manager",
  summary: "Who issues the tokens that APIs with `oauth` accept.",
  spec: keyManagerSpec,
  live: "at-once",
  references: () => [],
  examples: [
    { use: "oidc", with: { issuer: "https://login.example.com" } },
    { use: "resident", with: {} },
  ],
});
