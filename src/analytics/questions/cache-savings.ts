import { z } from "zod";
import { atSchema, defineQuestion, moneySchema, shareSchema } from "./define-question.ts";

/** What the cache of answers saves. */
export const cacheSavings = defineQuestion({
  id: "cache-savings",
  title: "Savings of the cache",
  description:
    "Hits, misses and requests that went by the cache; tokens of answers that came from it, and what they would have cost at the mean price of a token of the same API's misses; null where no such price is known.",
  component: "CacheSaving",
  hasSteps: true,
  row: {
    at: atSchema,
    apiId: z.string(),
    apiName: z.string(),
    hits: z.int(),
    misses: z.int(),
    bypassed: z.int(),
    hitShare: shareSchema.meta({ description: "Of hits and misses." }),
    tokensSaved: z.int(),
    currency: z.string().nullable(),
    saved: moneySchema,
  },
  // A hit has no cost and so no currency: it counts with the currency of its API's other rows.
  sql: ({ where, step }) => `SELECT ${step} AS at, api_id AS apiId, any(api_name) AS apiName,
  countIf(cache = 'hit' AND cache_mode = 'enforce') AS hits, countIf(cache = 'miss') AS misses, countIf(cache = 'bypass') AS bypassed,
  round(hits / nullIf(hits + misses, 0), 4) AS hitShare, sumIf(ifNull(cache_saved_tokens, 0), cache_mode = 'enforce') AS tokensSaved,
  if(uniqExactIf(cost_currency, cost_currency != '') = 1, nullIf(anyIf(toString(cost_currency), cost_currency != ''), ''), NULL) AS currency,
  if(currency IS NULL, NULL, toString(toDecimal128OrNull(toString(round(toFloat64(sumIf(cost, input_tokens > 0)) / nullIf(sumIf(input_tokens + ifNull(output_tokens, 0), cost IS NOT NULL AND input_tokens > 0), 0) * tokensSaved, 9)), 9))) AS saved
FROM {db}.exchanges WHERE ${where} AND cache != ''
GROUP BY at, api_id ORDER BY at, hits DESC, apiId`,
});
