import { z } from "zod";
import type { Selection } from "../../../analytics/analytics-reader.ts";
import type { Latency } from "../../../analytics/answers.ts";
import type { ClickHouseSession } from "../clickhouse-session.ts";
import { askClickHouse, percentileMembers, percentilesOf } from "./ask-clickhouse.ts";
import { digestColumns, digestState } from "./digest-columns.ts";
import { rollupSource } from "./rollup-source.ts";

/** How long each API took, the busiest first. Of operations that were let through; what clients broke off is left out. */
export async function latency(
  session: ClickHouseSession,
  selection: Selection,
  limit: number,
): Promise<readonly Latency[]> {
  const columns = Object.entries(times).map(([name, column]) => `${digestState(column)} AS ${name}`);
  const { from, parameters } = rollupSource(
    selection,
    "day",
    (where) => `SELECT api_id, api_name, count() AS number, ${columns.join(", ")} FROM {db}.exchanges
WHERE ${where} AND outcome IN ('ok', 'failed', 'upstream_error') GROUP BY api_id, api_name`,
  );
  const names = Object.keys(times).map((name) => digestColumns(name));
  const rows = await askClickHouse(session, {
    sql: `SELECT api_id AS apiId, any(api_name) AS apiName, sum(number) AS requests, ${names.join(", ")}
FROM ${from} GROUP BY api_id ORDER BY requests DESC, apiId LIMIT {limit:UInt32}`,
    parameters: { ...parameters, limit },
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

const times = { duration: "duration_ms", upstream: "upstream_ms", firstByte: "first_byte_ms" } as const;

const rowSchema = z.object({
  apiId: z.string(),
  apiName: z.string(),
  requests: z.int(),
  ...percentileMembers("duration"),
  ...percentileMembers("upstream"),
  ...percentileMembers("firstByte"),
});
