import { z } from "zod";
import { atSchema, defineQuestion, moneySchema } from "./define-question.ts";

/** What the filter of tools saves. */
export const toolFilterSavings = defineQuestion({
  id: "tool-filter-savings",
  title: "Savings of the tool filter",
  description:
    "Tools and tokens that the filter has left out, and what they would have cost at the mean price of an input token of the same API and currency; null where no such price is known. What only monitors has saved nothing.",
  component: "ToolFilterSaving",
  hasSteps: true,
  row: {
    at: atSchema,
    apiId: z.string(),
    apiName: z.string(),
    requests: z.int(),
    tools: z.int(),
    toolsKept: z.int(),
    tokens: z.int(),
    tokensSaved: z.int(),
    currency: z.string().nullable(),
    saved: moneySchema,
  },
  // A row's cost is of input and output; so what is told is what they cost on the average, and no more than a guide.
  sql: ({ where, step }) => `SELECT ${step} AS at, api_id AS apiId, any(api_name) AS apiName, count() AS requests,
  sum(ifNull(tools_total, 0)) AS tools, sum(ifNull(tools_after_filter, 0)) AS toolsKept,
  sum(ifNull(list_tokens_before, 0)) AS tokens,
  sum(if(endsWith(filter_mode, '(monitor)'), 0, ifNull(list_tokens_before, 0) - ifNull(list_tokens_after, 0))) AS tokensSaved,
  nullIf(toString(cost_currency), '') AS currency,
  toString(toDecimal128OrNull(toString(round(toFloat64(sumIf(cost, input_tokens > 0)) / nullIf(sumIf(input_tokens + ifNull(output_tokens, 0), cost IS NOT NULL AND input_tokens > 0), 0) * tokensSaved, 9)), 9)) AS saved
FROM {db}.exchanges WHERE ${where} AND filter_mode != ''
GROUP BY at, api_id, currency ORDER BY at, tokensSaved DESC, apiId, currency`,
});
