import { z } from "zod";
import type { LlmApiSpec } from "../../core/llm-api.ts";
import { llmApi } from "../../core/llm-api.ts";
import { defineForm } from "./artifact-form.ts";

const route = z.strictObject({
  environment: z.enum(["production", "sandbox"]),
  provider: z.string().meta({ title: "Provider" }),
  model: z.string().nullable().meta({ title: "Model", description: "Null: the one that the client asks for." }),
});

/** An LLM API with the ways that its requests may take, of both environments in one list. */
export const llmApiForm = defineForm(
  llmApi,
  {
    routes: z.array(route).meta({
      title: "Routes",
      description: "The targets of both environments, those of production first; `sameAs: production` is followed.",
    }),
  },
  async (_read, { spec }) => ({ routes: routesOf(spec as LlmApiSpec) }), // was checked when it was written
);

function routesOf({ upstream }: LlmApiSpec): readonly z.output<typeof route>[] {
  return (["production", "sandbox"] as const).flatMap((environment) => {
    const block = upstream[environment];
    const { targets } = "sameAs" in block ? upstream.production : block;
    return targets.map(({ provider, model = null }) => ({ environment, provider, model }));
  });
}
