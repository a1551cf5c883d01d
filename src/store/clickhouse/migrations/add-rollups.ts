import type { ClickHouseMigration } from "./clickhouse-migration.ts";

/**
 * Step 14: what dashboards ask most, counted beside the rows: requests by the hour, times by the day. A rollup lies in the same
 * part of the table as its rows, so that both come, go with time and are carried again as one; no row counts twice in it. Rows
 * from before are read themselves until `fillRollups` has had them counted.
 */
export const addRollups: ClickHouseMigration = {
  number: 14,
  name: "add_rollups",
  statements: () => [
    `ALTER TABLE exchanges ADD PROJECTION IF NOT EXISTS ${countsByHour.name} (${countsByHour.select})`,
    `ALTER TABLE exchanges ADD PROJECTION IF NOT EXISTS ${timesByDay.name} (${timesByDay.select})`,
  ],
};

interface Projection {
  readonly name: string;
  readonly select: string;
}

/** A few hundred groups an hour, whatever the traffic: of what is told apart here, an installation has so many. */
const countsByHour: Projection = projection(
  "counts_by_hour",
  [
    "toStartOfHour(ts)",
    "team_id",
    "environment",
    "api_id",
    "api_name",
    "outcome",
    "http_status",
    "error_code",
    "jsonrpc_error_code",
    "is_error",
    "tool_error",
  ],
  [
    "count()",
    "sum(ifNull(input_tokens, 0))",
    "sum(ifNull(output_tokens, 0))",
    "sum(request_bytes)",
    "sum(response_bytes)",
    "max(ts)",
  ],
);

/** Digests of some kilobytes each: by the hour they would be larger than the rows. */
const timesByDay: Projection = projection(
  "times_by_day",
  ["toStartOfDay(ts)", "team_id", "environment", "api_id", "api_name", "outcome"],
  [
    "count()",
    ...[
      "duration_ms",
      "if(upstream_ms IS NULL, duration_ms, greatest(duration_ms - upstream_ms, 0))",
      "upstream_ms",
      "first_byte_ms",
    ].map((time) => `quantilesTDigestState(0.5, 0.9, 0.95, 0.99)(${time})`),
  ],
);

function projection(name: string, keys: readonly string[], aggregates: readonly string[]): Projection {
  return { name, select: `SELECT ${[...keys, ...aggregates].join(", ")} GROUP BY ${keys.join(", ")}` };
}
