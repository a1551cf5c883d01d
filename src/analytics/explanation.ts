import { z } from "zod";

/** The steps that a request goes through, in their order. */
export const explainedSteps = ["identify", "decode", "admit", "request", "route", "call", "response"] as const;

export type ExplainedStep = (typeof explainedSteps)[number];

const factsSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]));

const decisionSchema = z.strictObject({
  policy: z.string(),
  place: z.string().meta({ description: "Where it is attached: the owner's id, and the place in its list." }),
  action: z.string().meta({ description: "`deny`, `rewrite`, `annotate`, `respond` or `error`." }),
  mode: z.string().meta({ description: "`enforce`; in `monitor` it is what would have been done." }),
  code: z.string().nullable(),
  detail: z.string().nullable(),
});

const stepSchema = z.strictObject({
  step: z.enum(explainedSteps),
  verdict: z
    .enum(["passed", "denied", "failed", "answered", "not reached"])
    .meta({ description: "`answered`: by the gateway itself, without an upstream." }),
  summary: z.string(),
  facts: factsSchema.meta({ description: "What the row tells of this step, by column." }),
  decisions: z.array(decisionSchema),
});

const attemptSchema = z.strictObject({
  attempt: z.int(),
  target: z.string(),
  provider: z.string().nullable(),
  model: z.string().nullable(),
  status: z.int().nullable(),
  errorCode: z.string().nullable(),
  firstByteMs: z.number().nullable(),
  durationMs: z.number().nullable(),
});

const operationSchema = z.strictObject({
  operationId: z.string(),
  parentId: z.string().nullable(),
  kind: z.string().nullable(),
  name: z.string().nullable(),
  outcome: z.string(),
  status: z.int(),
  errorCode: z.string().nullable(),
  errorDetail: z.string().nullable(),
  durationMs: z.number(),
  steps: z.array(stepSchema),
  attempts: z.array(attemptSchema),
});

/** Why one request ended as it did: every step's verdict, as far as it was recorded. */
export const explanationSchema = z.strictObject({
  exchangeId: z.string(),
  at: z.iso.datetime(),
  api: z.strictObject({ id: z.string(), name: z.string(), kind: z.string(), revision: z.int() }),
  node: z.string(),
  traceId: z.string().nullable(),
  config: z.strictObject({
    hash: z.string().meta({ description: "Of the configuration that the gateway had then." }),
    isKept: z.boolean().meta({ description: "Whether that configuration is there to be looked at." }),
    attached: z
      .array(z.strictObject({ place: z.string(), policy: z.string(), mode: z.string(), owner: z.string() }))
      .meta({ description: "What was attached for this request, in the order in which it runs." }),
  }),
  operations: z.array(operationSchema),
  captures: z.int().meta({ description: "Operations whose texts are kept; `…/texts` has them." }),
  notRecorded: z.array(z.string()).meta({ description: "What no row can tell." }),
});

export type Explanation = z.output<typeof explanationSchema>;
export type ExplainedOperation = z.output<typeof operationSchema>;
export type StepVerdict = z.output<typeof stepSchema>;
export type ExplainedDecision = z.output<typeof decisionSchema>;
export type Facts = z.output<typeof factsSchema>;
