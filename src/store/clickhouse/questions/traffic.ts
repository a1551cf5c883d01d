import type { Selection } from "../../../analytics/analytics-reader.ts";
import type { Traffic } from "../../../analytics/answers.ts";
import { trafficSchema } from "../../../analytics/answers.ts";
import type { ClickHouseSession } from "../clickhouse-session.ts";
import { askClickHouse, selectionCondition, selectionParameters } from "./ask-clickhouse.ts";

/** What passed in each step of `stepSeconds`, in the order of time; steps without traffic are left out. */
export async function traffic(
  session: ClickHouseSession,
  selection: Selection,
  stepSeconds: number,
): Promise<readonly Traffic[]> {
  return askClickHouse(session, {
    sql: `SELECT fromUnixTimestamp64Milli(intDiv(toUnixTimestamp64Milli(ts), {step:Int64}) * {step:Int64}, 'UTC') AS at,
  count() AS requests, countIf(outcome = 'denied') AS denied, countIf(outcome IN ('failed', 'upstream_error')) AS failed,
  sum(ifNull(input_tokens, 0)) AS inputTokens, sum(ifNull(output_tokens, 0)) AS outputTokens,
  sum(request_bytes) AS requestBytes, sum(response_bytes) AS responseBytes
FROM {db}.exchanges WHERE ${selectionCondition(selection)} GROUP BY at ORDER BY at LIMIT 10000`,
    parameters: { ...selectionParameters(selection), step: stepSeconds * 1_000 },
    row: trafficSchema,
  });
}
