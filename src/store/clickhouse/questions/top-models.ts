import { z } from "zod";
import type { Selection } from "../../../analytics/analytics-reader.ts";
import type { ModelUse } from "../../../analytics/answers.ts";
import type { ClickHouseSession } from "../clickhouse-session.ts";
import {
  askClickHouse,
  percentileColumns,
  percentileMembers,
  percentilesOf,
  selectionCondition,
  selectionParameters,
} from "./ask-clickhouse.ts";

/** The models that clients asked for, the most used first. */
export async function topModels(
  session: ClickHouseSession,
  selection: Selection,
  limit: number,
): Promise<readonly ModelUse[]> {
  const rows = await askClickHouse(session, {
    sql: `SELECT operation_name AS model, count() AS requests, countIf(outcome IN ('failed', 'upstream_error')) AS failed,
  sum(ifNull(input_tokens, 0)) AS inputTokens, sum(ifNull(output_tokens, 0)) AS outputTokens,
  ${percentileColumns("duration_ms", "duration")}
FROM {db}.exchanges WHERE ${selectionCondition(selection)} AND api_kind = 'LlmApi' AND operation_name != ''
GROUP BY operation_name ORDER BY requests DESC, model LIMIT {limit:UInt32}`,
    parameters: { ...selectionParameters(selection), limit },
    row: rowSchema,
  });
  return rows.map((row) => ({
    model: row.model,
    requests: row.requests,
    failed: row.failed,
    inputTokens: row.inputTokens,
    outputTokens: row.outputTokens,
    durationMs: percentilesOf(row, "duration"),
  }));
}

const rowSchema = z.object({
  model: z.string(),
  requests: z.int(),
  failed: z.int(),
  inputTokens: z.int(),
  outputTokens: z.int(),
  ...percentileMembers("duration"),
});
