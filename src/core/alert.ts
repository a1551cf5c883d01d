import { z } from "zod";
import { alertQuestions } from "./alert-questions.ts";
import { secretReferenceSchema } from "./api-spec.ts";
import { defineResource } from "./resource.ts";

const valueSchema = z.number().min(-1e15).max(1e15);
const fieldSchema = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9]*(\.[A-Za-z0-9]+){0,3}$/, "a field of the answer, such as `failed` or `durationMs.p99`")
  .max(100);

const filterSchema = z.string().min(1).max(256).optional();

const conditionSchema = z
  .strictObject({
    above: valueSchema.optional().meta({ title: "Above", description: "Fires when the value is greater." }),
    below: valueSchema.optional().meta({ title: "Below", description: "Fires when the value is less." }),
    anomaly: z
      .strictObject({
        deviations: z.number().min(1).max(100).default(4).meta({
          title: "Deviations",
          description: "How many robust standard deviations from the median of the same window before.",
        }),
        periods: z.int().min(5).max(30).default(14).meta({
          title: "Periods",
          description: "With how many windows before it is compared.",
        }),
        periodSeconds: z.int().min(60).max(604_800).default(86_400).meta({
          title: "Period",
          description: "Seconds between two of those windows; a day by default.",
        }),
        direction: z.enum(["above", "below", "both"]).default("above").meta({ title: "Direction" }),
        atLeast: z.number().min(0).max(1e15).default(0).meta({
          title: "At least",
          description: "A difference from the median that is less is none, however steady it was before.",
        }),
      })
      .optional()
      .meta({ title: "Anomaly", description: "Fires when the value is unlike itself before." }),
  })
  .refine(
    ({ above, below, anomaly }) => [above, below, anomaly].filter((each) => each !== undefined).length === 1,
    "one of `above`, `below` and `anomaly`",
  );

const alertSpec = z
  .strictObject({
    displayName: z.string().max(200).optional().meta({ title: "Display name" }),
    description: z.string().max(10_000).optional().meta({ title: "Description" }),
    enabled: z.boolean().default(true).meta({ title: "Enabled" }),
    question: z.enum(alertQuestions).meta({ title: "Question", description: "What is asked of recorded traffic." }),
    params: z
      .record(z.string().max(100), z.string().max(256))
      .default({})
      .refine((params) => Object.keys(params).length <= 10, "at most 10")
      .meta({ title: "Parameters", description: "The question's own, such as `by: key` of `spend-forecast`." }),
    filters: z
      .strictObject({
        application: filterSchema.meta({ title: "Application", description: "By its id." }),
        key: filterSchema.meta({ title: "Key", description: "By its id." }),
        model: filterSchema.meta({ title: "Model", description: "As clients ask for it." }),
        tool: filterSchema.meta({ title: "Tool", description: "By its name; not of what is counted by tries." }),
        client: filterSchema.meta({ title: "Client", description: "By its name; not of what is counted by tries." }),
      })
      .default({})
      .meta({ title: "Filters", description: "Only traffic of these; all when absent." }),
    field: fieldSchema.meta({ title: "Field", description: "Of each row of the answer: `failed`, `durationMs.p99`." }),
    per: fieldSchema.optional().meta({
      title: "Per",
      description: "Divides the field's sum by the sum of this one: `failed` per `calls` is an error rate.",
    }),
    combine: z.enum(["sum", "max", "min"]).default("sum").meta({
      title: "Combine",
      description: "How the rows become one value. Percentiles want `max`.",
    }),
    where: z
      .record(z.string().max(100), z.string().max(256))
      .default({})
      .refine((where) => Object.keys(where).length <= 10, "at most 10")
      .meta({ title: "Where", description: "Only rows whose fields are these, such as `tool: search`." }),
    atLeast: z
      .strictObject({ field: fieldSchema, sum: z.number().min(0).max(1e15) })
      .optional()
      .meta({ title: "At least", description: "With less traffic than this there is no value." }),
    api: z.string().min(1).max(63).optional().meta({ title: "API", description: "By its name; all when absent." }),
    environment: z.enum(["production", "sandbox"]).optional().meta({ title: "Environment", description: "Or both." }),
    teams: z.enum(["own", "all"]).default("own").meta({
      title: "Teams",
      description: "`own`: APIs of the alert's team. `all` asks for the permission in the whole installation.",
    }),
    windowSeconds: z
      .int()
      .min(60)
      .max(2_592_000)
      .default(300)
      .meta({ title: "Window", description: "Seconds that are looked at." }),
    everySeconds: z
      .int()
      .min(10)
      .max(86_400)
      .default(60)
      .meta({ title: "Interval", description: "Seconds between two looks." }),
    condition: conditionSchema.meta({ title: "Condition", description: "When it fires." }),
    forSeconds: z.int().min(0).max(86_400).default(0).meta({
      title: "For",
      description: "Seconds for which the condition must hold before it fires.",
    }),
    resolveAt: valueSchema.optional().meta({
      title: "Resolve at",
      description: "It is over only when the value is back at this one; the condition's own when absent.",
    }),
    resolveAfterSeconds: z.int().min(0).max(86_400).default(0).meta({
      title: "Resolve after",
      description: "Seconds for which it must be back.",
    }),
    cooldownSeconds: z.int().min(0).max(604_800).default(0).meta({
      title: "Cool-down",
      description: "Seconds after it was told in which it is not told again; the history has it.",
    }),
    webhook: z
      .strictObject({
        url: z
          .url({ protocol: /^https?$/ })
          .max(2_000)
          .meta({ title: "URL", description: "Is sent a POST." }),
        secret: secretReferenceSchema.optional(),
      })
      .optional()
      .meta({
        title: "Webhook",
        description: "Is told when it fires and when it is over; signed where there is a secret.",
      }),
  })
  .refine(
    ({ condition: { above, below }, resolveAt }) =>
      resolveAt === undefined ||
      (above !== undefined && resolveAt <= above) ||
      (below !== undefined && resolveAt >= below),
    { path: ["resolveAt"], message: "at most `above`, at least `below`, and of no anomaly" },
  );

export type AlertSpec = z.output<typeof alertSpec>;

/** Looks at recorded traffic from time to time, and tells when it is not as it should be. */
export const alert = defineResource({
  kind: "Alert",
  idKind: "alert",
  path: "alerts",
  title: "Alert",
  summary: "Looks at recorded traffic from time to time, and tells when it is not as it should be.",
  spec: alertSpec,
  live: "at-once",
  references: () => [],
  examples: [
    {
      question: "top-tools",
      field: "failed",
      per: "calls",
      atLeast: { field: "calls", sum: 20 },
      condition: { above: 0.05 },
      resolveAt: 0.02,
      forSeconds: 120,
      webhook: { url: "https://hooks.example.com/gatehouse", secret: "${secret:hook-key}" },
    },
    { question: "costs", field: "cost", windowSeconds: 3_600, condition: { anomaly: { deviations: 5 } } },
  ],
});
