import { z } from "zod";
import type { Selection } from "../../../analytics/analytics-reader.ts";
import type { ToolUse } from "../../../analytics/answers.ts";
import type { ClickHouseSession } from "../clickhouse-session.ts";
import {
  askClickHouse,
  percentileColumns,
  percentileMembers,
  percentilesOf,
  selectionCondition,
  selectionParameters,
} from "./ask-clickhouse.ts";

/** The tools that were called, the most used first. A result that the tool calls an error is a failure. */
export async function topTools(
  session: ClickHouseSession,
  selection: Selection,
  limit: number,
): Promise<readonly ToolUse[]> {
  const rows = await askClickHouse(session, {
    sql: `SELECT api_id AS apiId, any(api_name) AS apiName, primitive_name AS tool, count() AS calls,
  countIf(ifNull(is_error, false) OR outcome IN ('failed', 'upstream_error')) AS failed, uniqIf(key_id, key_id != '') AS consumers,
  ${percentileColumns("duration_ms", "duration")}
FROM {db}.exchanges WHERE ${selectionCondition(selection)} AND primitive_type = 'tool' AND primitive_name != ''
GROUP BY api_id, primitive_name ORDER BY calls DESC, apiId, tool LIMIT {limit:UInt32}`,
    parameters: { ...selectionParameters(selection), limit },
    row: rowSchema,
  });
  return rows.map((row) => ({
    apiId: row.apiId,
    apiName: row.apiName,
    tool: row.tool,
    calls: row.calls,
    failed: row.failed,
    consumers: row.consumers,
    durationMs: percentilesOf(row, "duration"),
  }));
}

const rowSchema = z.object({
  apiId: z.string(),
  apiName: z.string(),
  tool: z.string(),
  calls: z.int(),
  failed: z.int(),
  consumers: z.int(),
  ...percentileMembers("duration"),
});
