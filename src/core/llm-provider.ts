import { z } from "zod";
import { providerFactsSchema, regionSchema } from "./model-facts.ts";
import { providerPricesSchema } from "./model-price.ts";
import { pluginConfigSchema } from "./plugin-config.ts";
import { defineResource } from "./resource.ts";

const llmProviderSpec = z.strictObject({
  displayName: z.string().max(200).optional().meta({ title: "Display name" }),
  use: z.string().min(1).max(64).meta({ title: "Provider", description: "The id of a provider plug-in." }),
  with: pluginConfigSchema.default({}).meta({
    title: "Configuration",
    description: "Checked by the provider's own schema; credentials as ${secret:name}, or inline.",
    plugin: ["provider"],
  }),
  prices: providerPricesSchema,
  facts: providerFactsSchema,
  region: regionSchema.optional(),
});

export type LlmProviderSpec = z.output<typeof llmProviderSpec>;

/** An account at a provider: where it is and which secret opens it. Its key is bound to its host. */
export const llmProvider = defineResource({
  kind: "LlmProvider",
  idKind: "llmProvider",
  path: "llm-providers",
  title: "LLM provider",
  summary: "An account at an LLM provider that APIs route to.",
  spec: llmProviderSpec,
  live: "at-once",
  references: () => [],
  examples: [
    { use: "openai-compatible", with: { baseUrl: "https://llm.example.com/v1", apiKey: "${secret:llm-key}" } },
  ],
});
