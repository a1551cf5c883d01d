import { z } from "zod";
import { defineQuestion, millisecondsSchema } from "./define-question.ts";
import { isFailure } from "./error-kinds.ts";

/** When in the week it is busy. */
export const heatMap = defineQuestion({
  id: "heat-map",
  title: "Day and hour",
  description: "Requests by day of the week and hour, in UTC or in a time zone.",
  component: "HeatCell",
  params: {
    timeZone: z
      .string()
      .max(64)
      .refine(isTimeZone, { error: "must be a name of the IANA time zone database" })
      .default("UTC")
      .meta({ title: "Time zone", description: "A name of the IANA time zone database." }),
  },
  row: {
    day: z.int().min(1).max(7).meta({ description: "1 is Monday (ISO 8601)." }),
    hour: z.int().min(0).max(23),
    requests: z.int(),
    errors: z.int(),
    p95: millisecondsSchema,
  },
  sql: ({
    where,
  }) => `SELECT toDayOfWeek(toTimeZone(ts, {timeZone:String})) AS day, toHour(toTimeZone(ts, {timeZone:String})) AS hour,
  count() AS requests, countIf(${isFailure}) AS errors, round(quantileTDigest(0.95)(duration_ms), 3) AS p95
FROM {db}.exchanges WHERE ${where} GROUP BY day, hour ORDER BY day, hour`,
  values: ({ timeZone }) => ({ timeZone }),
});

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
