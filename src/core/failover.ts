import { z } from "zod";

/** Why a try at a target was none: what decides whether, and where, the next one is made. */
export const failureClasses = [
  "connection",
  "timeout",
  "rate-limit",
  "server",
  "invalid-answer",
  "credentials",
  "model-not-found",
  "context-window",
  "content-policy",
  "not-carried",
] as const;

export type FailureClass = (typeof failureClasses)[number];

const classSchema = z.enum(failureClasses).meta({
  title: "Failure",
  description:
    "`connection`: refused or broken; `timeout`: nothing in time, 408, 504; `rate-limit`: 402, 429; `server`: 409 and other 5xx; `invalid-answer`: no answer of its dialect; `credentials`: 401, 403, 407; `model-not-found`: the provider does not know the model; `context-window`: the request is too long or too large for it; `content-policy`: its own filter refused; `not-carried`: the request cannot be said in its dialect, so nothing was sent.",
});

const targetsOfClass = z.array(z.string().min(1).max(513)).min(1).max(100);

/** Of which failures the next target is tried, and which one that is. */
export const failoverSchema = z
  .strictObject({
    on: z
      .array(classSchema)
      .max(failureClasses.length)
      .default(failureClasses.filter((each) => each !== "content-policy"))
      .meta({ title: "On", description: "Failures after which another target is tried; after any other none is." }),
    to: z.partialRecord(classSchema, targetsOfClass).default({}).meta({
      title: "To",
      description:
        "By failure: globs of target ids to try then, in their order, in place of what the strategy has next.",
    }),
  })
  .prefault({})
  .meta({ title: "Failover" });

export type FailoverSpec = z.output<typeof failoverSchema>;

/** How many tries beyond the first an API may make, so that retries cannot multiply an upstream's trouble. */
export const retryBudgetSchema = z
  .strictObject({
    share: z.number().min(0).max(1).default(0.2).meta({
      title: "Share",
      description: "Further tries that each request earns. Requests that are a client's own retries earn none.",
    }),
    burst: z.int().min(0).max(1_000_000).default(2_000).meta({
      title: "Burst",
      description: "Further tries that may be saved up, and that there are at the start.",
    }),
  })
  .prefault({})
  .meta({
    title: "Retry budget",
    description: "Of one API at one gateway. Tries elsewhere because of what the request is cost nothing.",
  });

export type RetryBudgetSpec = z.output<typeof retryBudgetSchema>;
