import { z } from "zod";
import { defineQuestion, moneySchema } from "./define-question.ts";
import { isFailure } from "./error-kinds.ts";

const groups = {
  application: "application_id",
  key: "key_id",
  client: "client_id",
  subject: "subject_hash",
  address: "client_ip",
  team: "team_id",
  environment: "toString(environment)",
} as const;
const groupNames = Object.keys(groups) as readonly (keyof typeof groups)[]; // its own keys

/** Who asks most. */
export const topConsumers = defineQuestion({
  id: "top-consumers",
  title: "Top consumers",
  description: "Who asked most, with errors, tokens and money; in each currency by itself.",
  component: "ConsumerUse",
  params: {
    by: z
      .union([z.enum(groupNames), z.templateLiteral(["label:", z.string().min(1).max(63)])])
      .default("application")
      .meta({ title: "By", description: `One of ${groupNames.join(", ")}, or label:NAME.` }),
  },
  row: {
    consumer: z
      .string()
      .nullable()
      .meta({ description: "An id, an address or a label's value; null for what has none." }),
    requests: z.int(),
    errors: z.int(),
    toolCalls: z.int(),
    inputTokens: z.int(),
    outputTokens: z.int(),
    currency: z.string().nullable(),
    cost: moneySchema,
    lastAt: z.iso.datetime(),
  },
  sql: (
    { where },
    { by },
  ) => `SELECT nullIf(${column(by)}, '') AS consumer, count() AS requests, countIf(${isFailure}) AS errors,
  countIf(method = 'tools/call') AS toolCalls, sum(ifNull(input_tokens, 0)) AS inputTokens,
  sum(ifNull(output_tokens, 0)) AS outputTokens, nullIf(toString(cost_currency), '') AS currency, sum(cost) AS cost, max(ts) AS lastAt
FROM {db}.exchanges WHERE ${where} GROUP BY consumer, currency ORDER BY requests DESC, consumer, currency`,
  values: ({ by }) => (by.startsWith("label:") ? { label: by.slice("label:".length) } : {}),
});

function column(by: string): string {
  return groupNames.includes(by as keyof typeof groups) ? groups[by as keyof typeof groups] : "labels[{label:String}]"; // just looked for
}
