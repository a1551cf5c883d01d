import { z } from "zod";
import type { Selection } from "../../../analytics/analytics-reader.ts";
import type { ShadowComparison } from "../../../analytics/cost-answers.ts";
import { shadowComparisonSchema } from "../../../analytics/cost-answers.ts";
import type { ClickHouseSession } from "../clickhouse-session.ts";
import type { Question } from "./ask-clickhouse.ts";
import { askClickHouse, selectionCondition, selectionParameters } from "./ask-clickhouse.ts";

/**
 * How routers in the shadow compare with those that decide, by API. Costs are those of requests of which both are known,
 * and are not told where they are in several currencies.
 */
export async function routingShadow(
  session: ClickHouseSession,
  selection: Selection,
  limit: number,
): Promise<readonly ShadowComparison[]> {
  const [comparisons, pairs] = await Promise.all([
    askClickHouse(session, comparisonsOf(selection, limit)),
    askClickHouse(session, pairsOf(selection)),
  ]);
  return comparisons.map(({ currency, ...row }) => ({
    ...row,
    currency: currency === "" ? null : currency,
    agreement: row.decided === 0 ? null : Math.round((row.agreed / row.decided) * 10_000) / 10_000,
    differences: pairs
      .filter((pair) => pair.apiId === row.apiId && pair.shadowStrategy === row.shadowStrategy)
      .map(({ apiId: _id, shadowStrategy: _strategy, ...pair }) => pair),
  }));
}

const known = "cost IS NOT NULL AND shadow_cost IS NOT NULL";
const isOneMoney = `uniqExactIf(cost_currency, ${known}) = 1`;
/** What the shadow's own choice took has been paid beside the one that leads, and would have been paid in its place. */
const choosing = "ifNull(shadow_route_cost, 0)";
const sums = `if(${isOneMoney}, sumIf(cost - ${choosing}, ${known}), NULL) AS paid,
  if(${isOneMoney}, sumIf(shadow_cost + ${choosing}, ${known}), NULL) AS shadowPaid`;

function comparisonsOf(selection: Selection, limit: number): Question<typeof comparisonSchema> {
  return {
    sql: `SELECT apiId, apiName, shadowStrategy, requests, decided, agreed, compared, currency, paid AS cost,
  shadowPaid AS shadowCost, shadowPaid - paid AS difference
FROM (
  SELECT api_id AS apiId, any(api_name) AS apiName, shadow_strategy AS shadowStrategy, count() AS requests,
    countIf(shadow_target != '') AS decided, countIf(shadow_target != '' AND shadow_target = route_target) AS agreed,
    countIf(${known}) AS compared, if(${isOneMoney}, anyIf(cost_currency, ${known}), '') AS currency, ${sums}
  FROM {db}.exchanges WHERE ${selectionCondition(selection)} AND shadow_strategy != ''
  GROUP BY api_id, shadow_strategy
)
ORDER BY requests DESC, apiId, shadowStrategy LIMIT {limit:UInt32}`,
    parameters: { ...selectionParameters(selection), limit },
    row: comparisonSchema,
  };
}

function pairsOf(selection: Selection): Question<typeof pairSchema> {
  return {
    sql: `SELECT apiId, shadowStrategy, target, shadowTarget, requests, paid AS cost, shadowPaid AS shadowCost
FROM (
  SELECT api_id AS apiId, shadow_strategy AS shadowStrategy, route_target AS target, shadow_target AS shadowTarget,
    count() AS requests, ${sums}
  FROM {db}.exchanges
  WHERE ${selectionCondition(selection)} AND shadow_strategy != '' AND shadow_target != '' AND shadow_target != route_target
  GROUP BY api_id, shadow_strategy, route_target, shadow_target
)
ORDER BY requests DESC, target, shadowTarget LIMIT 10 BY apiId, shadowStrategy`,
    parameters: selectionParameters(selection),
    row: pairSchema,
  };
}

const comparisonSchema = z.object({
  ...shadowComparisonSchema.omit({ agreement: true, differences: true }).shape,
  currency: z.string(),
});

const pairSchema = z.object({
  apiId: z.string(),
  shadowStrategy: z.string(),
  ...shadowComparisonSchema.shape.differences.element.shape,
});
