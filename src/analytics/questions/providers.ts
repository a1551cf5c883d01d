import { z } from "zod";
import { defineQuestion, millisecondsSchema, moneySchema } from "./define-question.ts";

/** How upstreams of LLM APIs did, try by try. */
export const providers = defineQuestion({
  id: "providers",
  title: "Providers and models",
  description: "Tries at upstreams by target, provider and model: failures, times, tokens a second and cost.",
  component: "ProviderUse",
  table: "attempts",
  row: {
    target: z.string(),
    provider: z.string(),
    model: z.string(),
    tries: z.int(),
    failed: z.int(),
    p50: millisecondsSchema,
    p95: millisecondsSchema,
    p99: millisecondsSchema,
    firstByteP50: millisecondsSchema,
    firstByteP95: millisecondsSchema,
    tokensPerSecond: z.number().nullable().meta({ description: "Of answers, after their first byte." }),
    inputTokens: z.int(),
    outputTokens: z.int(),
    reasoningTokens: z.int(),
    currency: z.string().nullable(),
    cost: moneySchema,
  },
  sql: ({
    where,
  }) => `SELECT toString(target) AS target, toString(provider) AS provider, toString(model) AS model, count() AS tries,
  countIf(error_code != '' OR status >= 400) AS failed, round(quantileTDigest(0.5)(duration_ms), 3) AS p50,
  round(quantileTDigest(0.95)(duration_ms), 3) AS p95, round(quantileTDigest(0.99)(duration_ms), 3) AS p99,
  round(quantileTDigest(0.5)(first_byte_ms), 3) AS firstByteP50, round(quantileTDigest(0.95)(first_byte_ms), 3) AS firstByteP95,
  round(1000 * sumIf(output_tokens, duration_ms > first_byte_ms) / nullIf(sumIf(duration_ms - first_byte_ms, output_tokens > 0 AND duration_ms > first_byte_ms), 0), 3) AS tokensPerSecond,
  sum(ifNull(input_tokens, 0)) AS inputTokens, sum(ifNull(output_tokens, 0)) AS outputTokens,
  sum(ifNull(reasoning_tokens, 0)) AS reasoningTokens, nullIf(toString(cost_currency), '') AS currency, sum(cost) AS cost
FROM {db}.attempts WHERE ${where} GROUP BY target, provider, model, currency
ORDER BY tries DESC, target, provider, model, currency`,
});
