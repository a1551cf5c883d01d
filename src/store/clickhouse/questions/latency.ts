import { z } from "zod";
import type { Selection } from "../../../analytics/analytics-reader.ts";
import type { Latency } from "../../../analytics/answers.ts";
import type { ClickHouseSession } from "../clickhouse-session.ts";
import {
  askClickHouse,
  percentileColumns,
  percentileMembers,
  percentilesOf,
  selectionCondition,
  selectionParameters,
} from "./ask-clickhouse.ts";

/** How long each API took, the busiest first. Of operations that were let through; what clients broke off is left out. */
export async function latency(
  session: ClickHouseSession,
  selection: Selection,
  limit: number,
): Promise<readonly Latency[]> {
  const rows = await askClickHouse(session, {
    sql: `SELECT api_id AS apiId, any(api_name) AS apiName, count() AS requests,
  ${percentileColumns("duration_ms", "duration")}, ${percentileColumns("upstream_ms", "upstream")},
  ${percentileColumns("first_byte_ms", "firstByte")}
FROM {db}.exchanges WHERE ${selectionCondition(selection)} AND outcome IN ('ok', 'failed', 'upstream_error')
GROUP BY api_id ORDER BY requests DESC, apiId LIMIT {limit:UInt32}`,
    parameters: { ...selectionParameters(selection), limit },
    row: rowSchema,
  });
  return rows.map((row) => ({
    apiId: row.apiId,
    apiName: row.apiName,
    requests: row.requests,
    durationMs: percentilesOf(row, "duration"),
    upstreamMs: percentilesOf(row, "upstream"),
    firstByteMs: percentilesOf(row, "firstByte"),
  }));
}

const rowSchema = z.object({
  apiId: z.string(),
  apiName: z.string(),
  requests: z.int(),
  ...percentileMembers("duration"),
  ...percentileMembers("upstream"),
  ...percentileMembers("firstByte"),
});
