import { z } from "zod";
import { defineQuestion } from "./define-question.ts";

const groups = { team: "team_id", application: "application_id", key: "key_id", api: "api_id" } as const;
const groupNames = Object.keys(groups) as readonly (keyof typeof groups)[]; // its own keys

/** What is spent in the month, and where that leads. */
export const spendForecast = defineQuestion({
  id: "spend-forecast",
  title: "Spend and forecast",
  description:
    "What was spent in the calendar month (UTC) in which the range ends, so far as the range has it; at the mean of the range's last seven days, what the month will come to. In each currency by itself.",
  component: "SpendForecast",
  table: "attempts",
  params: {
    by: z
      .enum(groupNames)
      .default("team")
      .meta({ title: "By", description: `One of ${groupNames.join(", ")}.` }),
  },
  row: {
    consumer: z.string().nullable(),
    currency: z.string(),
    spent: z.string().meta({ description: "In the month up to the end of the range." }),
    perDay: z.string().meta({ description: "Mean of the last seven days." }),
    forecast: z.string().meta({ description: "Of the whole month." }),
  },
  sql: (
    { where },
    { by },
  ) => `WITH fromUnixTimestamp64Milli({to:Int64}, 'UTC') AS upTo, toStartOfMonth(upTo - toIntervalMillisecond(1)) AS month,
  greatest(dateDiff('second', upTo, toDateTime64(addMonths(month, 1), 3, 'UTC')), 0) / 86400 AS daysLeft
SELECT nullIf(toString(${groups[by]}), '') AS consumer, toString(cost_currency) AS currency,
  toString(sumIf(assumeNotNull(cost), ts >= toDateTime64(month, 3, 'UTC'))) AS spent,
  toString(toDecimal128(sumIf(toFloat64(assumeNotNull(cost)), ts >= upTo - toIntervalDay(7)) / 7, 9)) AS perDay,
  toString(toDecimal128(toFloat64(sumIf(assumeNotNull(cost), ts >= toDateTime64(month, 3, 'UTC'))) + sumIf(toFloat64(assumeNotNull(cost)), ts >= upTo - toIntervalDay(7)) / 7 * daysLeft, 9)) AS forecast
FROM {db}.attempts WHERE ${where} AND cost IS NOT NULL AND cost_currency != ''
GROUP BY consumer, currency ORDER BY toFloat64(forecast) DESC, consumer, currency`,
});
