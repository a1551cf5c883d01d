import type { Selection } from "../../../analytics/analytics-reader.ts";
import type { ErrorCount } from "../../../analytics/answers.ts";
import { errorCountSchema } from "../../../analytics/answers.ts";
import type { ClickHouseSession } from "../clickhouse-session.ts";
import { askClickHouse, selectionCondition, selectionParameters } from "./ask-clickhouse.ts";

/** What went wrong, the most frequent first. What a client broke off is no error; a tool's own error is one. */
export async function errors(
  session: ClickHouseSession,
  selection: Selection,
  limit: number,
): Promise<readonly ErrorCount[]> {
  return askClickHouse(session, {
    sql: `SELECT api_id AS apiId, any(api_name) AS apiName, outcome, nullIf(code, '') AS errorCode, http_status AS status,
  count() AS count, max(ts) AS lastAt
FROM (
  SELECT api_id, api_name, outcome, http_status, ts,
    multiIf(error_code != '', error_code, tool_error, 'tool_error',
      jsonrpc_error_code IS NOT NULL, concat('jsonrpc.', toString(jsonrpc_error_code)), '') AS code
  FROM {db}.exchanges
  WHERE ${selectionCondition(selection)} AND (outcome IN ('denied', 'failed', 'upstream_error') OR is_error)
)
GROUP BY api_id, outcome, code, http_status ORDER BY count DESC, lastAt DESC LIMIT {limit:UInt32}`,
    parameters: { ...selectionParameters(selection), limit },
    row: errorCountSchema,
  });
}
