import { z } from "zod";
import {
  breakerSchema,
  commonApiFields,
  sameAsProductionSchema,
  securityReferences,
  timeoutsSchema,
} from "./api-spec.ts";
import { captureSchema } from "./capture-settings.ts";
import { failoverSchema, retryBudgetSchema } from "./failover.ts";
import { passThroughFields } from "./llm-pass-through.ts";
import { modelFactsSchema, regionSchema } from "./model-facts.ts";
import { defineResource, nameSchema } from "./resource.ts";

const globSchema = z.string().min(1).max(256);

const targetSchema = z.strictObject({
  provider: nameSchema.meta({ title: "Provider", description: "The name of an LlmProvider." }),
  model: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .meta({ title: "Model", description: "Asked for in place of the client's; absent leaves it." }),
  models: z
    .array(globSchema)
    .min(1)
    .max(1_000)
    .default(["*"])
    .meta({ title: "Serves", description: "Globs of the models that clients may ask of this target." }),
  weight: z
    .int()
    .min(0)
    .max(1_000)
    .default(1)
    .meta({ title: "Weight", description: "Share among equal targets; 0 is a reserve." }),
  facts: modelFactsSchema.optional().meta({
    title: "Facts",
    description: "What the target's model can take, where that differs from what its provider says.",
  }),
  region: regionSchema.optional().meta({
    title: "Region",
    description: "Where the target runs; its provider's region when absent.",
  }),
  whileBudgetLeft: z.number().min(0).max(1).optional().meta({
    title: "While budget is left",
    description: "The target is left out when less than this share of the caller's tightest limit is left.",
  }),
});

const strategySchema = z
  .strictObject({
    use: z.string().min(1).max(64).meta({ title: "Strategy", description: "The id of a routing strategy." }),
    with: z
      .record(z.string(), z.unknown())
      .default({})
      .meta({ title: "Configuration", plugin: ["strategy"] }),
  })
  .prefault({ use: "weighted" })
  .meta({ title: "Strategy", description: "How the target of each request is chosen." });

const groupsSchema = z
  .array(
    z.strictObject({
      name: z
        .string()
        .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, "lower-case letters, digits and hyphens")
        .meta({
          title: "Name",
          description: "What the block's strategy knows the group by, as if it were a target.",
        }),
      targets: z.array(z.string().min(1).max(513)).min(1).max(100).meta({
        title: "Targets",
        description: "Globs of target ids; each target in one group at most.",
      }),
      strategy: strategySchema,
      weight: z.int().min(0).max(1_000).default(1).meta({ title: "Weight", description: "Of the whole group." }),
    }),
  )
  .max(20)
  .default([])
  .meta({
    title: "Groups",
    description: "Targets that the block's strategy orders as one, each group with a strategy of its own within.",
  });

const shadowSchema = z
  .strictObject({
    strategy: strategySchema,
    groups: groupsSchema,
    sample: z.number().min(0).max(1).default(1).meta({
      title: "Sample",
      description: "Share of the requests that it is asked about.",
    }),
    timeoutMs: z.int().min(1).max(60_000).default(1_000).meta({
      title: "Timeout",
      description: "Milliseconds after which its decision is not waited for. No request ever waits for it.",
    }),
  })
  .optional()
  .meta({
    title: "Shadow",
    description:
      "A second router that is asked beside the first and leads nowhere: rows tell what it would have done and what that would have cost.",
  });

const upstreamSchema = z.strictObject({
  targets: z.array(targetSchema).min(1).max(100).meta({ title: "Targets" }),
  strategy: strategySchema,
  groups: groupsSchema,
  shadow: shadowSchema,
  regions: z.array(globSchema).min(1).max(100).optional().meta({
    title: "Regions",
    description: "Globs of the regions that may serve; a target without a region may not. All may when absent.",
  }),
  maxAttempts: z.int().min(1).max(20).default(2).meta({
    title: "Attempts",
    description: "Tries in all before the first byte; each next try takes the next target.",
  }),
  failover: failoverSchema,
  retryBudget: retryBudgetSchema,
  timeouts: timeoutsSchema,
  breaker: breakerSchema,
});

const llmApiSpec = z.strictObject({
  ...commonApiFields,
  models: z
    .array(z.strictObject({ name: globSchema.meta({ title: "Model", description: "A name, or a glob." }) }))
    .min(1)
    .max(1_000)
    .default([{ name: "*" }])
    .meta({ title: "Models", description: "What clients may ask for and what `/v1/models` lists." }),
  maxOutputTokens: z.int().min(1).max(10_000_000).optional().meta({
    title: "Longest answer",
    description:
      "Tokens that one answer may have: put into requests that say nothing or ask for more, so that limits know what to reserve. Not bounded when absent.",
  }),
  ...passThroughFields,
  capture: captureSchema.optional(),
  upstream: z
    .strictObject({ production: upstreamSchema, sandbox: z.union([sameAsProductionSchema, upstreamSchema]) })
    .meta({ title: "Upstream", description: "Where production and sandbox keys lead." }),
});

export type LlmApiSpec = z.output<typeof llmApiSpec>;
export type LlmUpstreamSpec = z.output<typeof upstreamSchema>;

/** An LLM endpoint in OpenAI's dialect at `{context}/v1/…`. */
export const llmApi = defineResource({
  kind: "LlmApi",
  idKind: "llmApi",
  path: "llm-apis",
  title: "LLM API",
  summary: "An LLM endpoint that apps call, routed to one of several providers.",
  spec: llmApiSpec,
  live: "revision",
  references: (spec) => {
    const blocks = [["production", spec.upstream.production] as const, ["sandbox", spec.upstream.sandbox] as const];
    const providers = blocks.flatMap(([environment, block]) =>
      "sameAs" in block
        ? []
        : block.targets.map((target, index) => ({
            kind: "LlmProvider",
            name: target.provider,
            path: `spec.upstream.${environment}.targets[${index}].provider`,
          })),
    );
    return [...providers, ...securityReferences(spec)];
  },
  examples: [
    {
      context: "/chat",
      upstream: { production: { targets: [{ provider: "openai" }] }, sandbox: { sameAs: "production" } },
    },
  ],
});
