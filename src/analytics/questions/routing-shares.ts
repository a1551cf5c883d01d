import { z } from "zod";
import { defineQuestion, millisecondsSchema, moneySchema, shareSchema } from "./define-question.ts";

/** Where requests to LLM APIs went, and why. */
export const routingShares = defineQuestion({
  id: "routing-shares",
  title: "Routing shares",
  description: "Where requests went and why, as shares of all requests of the same API that were routed.",
  component: "RoutingShare",
  row: {
    apiId: z.string(),
    apiName: z.string(),
    strategy: z.string(),
    route: z.string().nullable(),
    target: z.string().nullable(),
    reason: z.string().nullable(),
    requests: z.int(),
    failed: z.int(),
    decisionP95: millisecondsSchema,
    p95: millisecondsSchema,
    currency: z.string().nullable(),
    cost: moneySchema,
    share: shareSchema,
  },
  sql: ({ where }) => `SELECT *, round(requests / sum(requests) OVER (PARTITION BY apiId), 4) AS share FROM (
SELECT api_id AS apiId, any(api_name) AS apiName, toString(route_strategy) AS strategy, nullIf(toString(route_name), '') AS route,
  nullIf(toString(route_target), '') AS target, nullIf(toString(route_reason), '') AS reason, count() AS requests,
  countIf(outcome IN ('failed', 'upstream_error')) AS failed, round(quantileTDigest(0.95)(route_ms), 3) AS decisionP95,
  round(quantileTDigest(0.95)(duration_ms), 3) AS p95, nullIf(toString(cost_currency), '') AS currency, sum(cost) AS cost
FROM {db}.exchanges WHERE ${where} AND route_strategy != ''
GROUP BY api_id, strategy, route, target, reason, currency
) ORDER BY apiId, requests DESC, strategy, route, target, reason, currency`,
});
