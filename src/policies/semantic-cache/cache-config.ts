import { z } from "zod";
import { embedderChoiceSchema } from "../../embedding/embedder-choice.ts";

const header = z
  .string()
  .max(100)
  .regex(/^[a-z0-9-]+$/, "a header's name in lower case");

/** Whose answers a caller may get, how like questions must be, and how much is kept for how long. */
export const cacheConfig = z.strictObject({
  scope: z.enum(["key", "application", "shared"]).default("key").meta({
    title: "Scope",
    description:
      "Whose answers a caller may get: `key` those of the same key, or of the same client and user of tokens; `application` those of the application; `shared` everybody's. Callers without a key have answers under `shared` only.",
  }),
  match: z.enum(["meaning", "exact"]).default("meaning").meta({
    title: "Match",
    description:
      "`exact` gives an answer to an equal request only; `meaning` also where the user's words mean the same.",
  }),
  threshold: z.number().min(0).max(1).optional().meta({
    title: "Threshold",
    description: "Least similarity, that one included; the embedder's own for caches when absent.",
  }),
  turns: z.int().min(1).max(20).default(20).meta({
    title: "Turns",
    description:
      "So many of the user's last turns are compared by meaning, each with the one in its place. Earlier ones must be equal, and so must all that is not the user's.",
  }),
  ttlSeconds: z.int().min(1).max(2_592_000).default(3_600).meta({
    title: "Time to live",
    description: "Seconds for which an answer is given again.",
  }),
  maxEntries: z.int().min(1).max(100_000).default(10_000).meta({
    title: "Most answers",
    description: "Of more, those that were used longest ago go.",
  }),
  maxBytes: z.int().min(1_024).max(4_294_967_296).default(67_108_864).meta({
    title: "Most bytes",
    description: "Of all answers that are kept; those that were used longest ago go.",
  }),
  maxAnswerBytes: z.int().min(1).max(16_777_216).default(262_144).meta({
    title: "Longest answer",
    description: "Bytes; a longer one is not kept.",
  }),
  toolCalls: z.boolean().default(false).meta({
    title: "Tool calls",
    description: "Whether answers are kept that have the client call tools.",
  }),
  headers: z.array(header).max(20).default([]).meta({
    title: "Headers",
    description: "Headers of the request that the answer depends on; requests that differ in them share none.",
  }),
  deadlineMs: z.int().min(1).max(10_000).default(300).meta({
    title: "Deadline",
    description: "Milliseconds that embedder and store may take; later is a miss. What is built in takes none.",
  }),
  coalesce: z
    .strictObject({
      deadlineMs: z.int().min(1).max(60_000).default(10_000).meta({
        title: "Deadline",
        description: "Milliseconds that a request waits for the answer to an equal one; then it goes to the upstream.",
      }),
      waiters: z.int().min(1).max(10_000).default(1_000).meta({
        title: "Waiters",
        description: "Requests that wait for one answer; more go to the upstream.",
      }),
    })
    .optional()
    .meta({
      title: "Coalesce",
      description:
        "Equal requests that come while the first is under way wait for its answer, to its end, in place of asking themselves. Off when absent, as a stream then begins only when it is whole.",
    }),
  embedder: embedderChoiceSchema.optional(),
});

export type CacheConfig = z.output<typeof cacheConfig>;
