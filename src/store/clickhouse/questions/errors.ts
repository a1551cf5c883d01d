import type { Selection } from "../../../analytics/analytics-reader.ts";
import type { ErrorCount } from "../../../analytics/answers.ts";
import { errorCountSchema } from "../../../analytics/answers.ts";
import type { ClickHouseSession } from "../clickhouse-session.ts";
import { askClickHouse } from "./ask-clickhouse.ts";
import { rollupSource } from "./rollup-source.ts";

/** What went wrong, the most frequent first. What a client broke off is no error; a tool's own error is one. */
export async function errors(
  session: ClickHouseSession,
  selection: Selection,
  limit: number,
): Promise<readonly ErrorCount[]> {
  const keys = "api_id, api_name, outcome, http_status, error_code, jsonrpc_error_code, tool_error";
  const { from, parameters } = rollupSource(
    selection,
    "hour",
    (where) => `SELECT ${keys}, count() AS number, max(ts) AS last FROM {db}.exchanges
WHERE ${where} AND (outcome IN ('denied', 'failed', 'upstream_error') OR is_error) GROUP BY ${keys}`,
  );
  return askClickHouse(session, {
    sql: `SELECT api_id AS apiId, any(api_name) AS apiName, outcome, nullIf(code, '') AS errorCode, http_status AS status,
  sum(number) AS count, max(last) AS lastAt
FROM (
  SELECT api_id, api_name, outcome, http_status, number, last,
    multiIf(error_code != '', error_code, tool_error, 'tool_error',
      jsonrpc_error_code IS NOT NULL, concat('jsonrpc.', toString(jsonrpc_error_code)), '') AS code
  FROM ${from}
)
GROUP BY api_id, outcome, code, http_status ORDER BY count DESC, lastAt DESC LIMIT {limit:UInt32}`,
    parameters: { ...parameters, limit },
    row: errorCountSchema,
  });
}
