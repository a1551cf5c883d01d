import type { ClickHouseDialect, ClickHouseMigration } from "./clickhouse-migration.ts";

/** Step 1: exchanges, attempts and the configurations that both refer to. */
export const createEventTables: ClickHouseMigration = {
  number: 1,
  name: "create_event_tables",
  statements: (dialect) => [exchanges(dialect), attempts(dialect), configSnapshots(dialect)],
};

const keptDays = 400;

/**
 * Columns are named as in the recorded event. Of an event's `fields` only those named here are kept: the tuple is
 * read at the insert and stored nowhere. Texts that may be absent are empty then; numbers are null.
 */
function exchanges({ engine, deduplication }: ClickHouseDialect): string {
  return `CREATE TABLE IF NOT EXISTS exchanges (
  ts DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
  exchange_id UUID,
  operation_id UUID,
  parent_id Nullable(UUID),
  trace_id String CODEC(ZSTD(1)),
  node LowCardinality(String),
  config_hash LowCardinality(String),
  team_id LowCardinality(String),
  api_id LowCardinality(String),
  api_name LowCardinality(String),
  api_kind LowCardinality(String),
  api_revision UInt32,
  environment LowCardinality(String),
  auth_method LowCardinality(String),
  key_id String CODEC(ZSTD(1)),
  application_id String CODEC(ZSTD(1)),
  plan_id LowCardinality(String),
  client_ip String CODEC(ZSTD(1)),
  protocol LowCardinality(String),
  http_method LowCardinality(String),
  http_status UInt16,
  operation_kind LowCardinality(String),
  operation_name LowCardinality(String),
  stream Bool,
  outcome LowCardinality(String),
  error_code LowCardinality(String),
  error_detail String CODEC(ZSTD(3)),
  denied_by LowCardinality(String),
  decisions Array(Tuple(
    policy LowCardinality(String), place String, step LowCardinality(String), action LowCardinality(String),
    mode LowCardinality(String), code Nullable(String), detail Nullable(String)
  )) CODEC(ZSTD(3)),
  request_bytes UInt64 CODEC(T64, ZSTD(1)),
  response_bytes UInt64 CODEC(T64, ZSTD(1)),
  input_tokens Nullable(UInt32),
  output_tokens Nullable(UInt32),
  cached_input_tokens Nullable(UInt32),
  reasoning_tokens Nullable(UInt32),
  usage_source LowCardinality(String),
  attempts UInt16,
  client_retry_count Nullable(UInt16),
  duration_ms Float64 CODEC(ZSTD(1)),
  upstream_ms Nullable(Float64) CODEC(ZSTD(1)),
  first_byte_ms Nullable(Float64) CODEC(ZSTD(1)),
${protocolColumns()}
  INDEX by_exchange exchange_id TYPE bloom_filter(0.01) GRANULARITY 4
) ENGINE = ${engine("MergeTree")}
PARTITION BY toYYYYMM(ts)
ORDER BY (toStartOfHour(ts), api_id, ts)
TTL toDateTime(ts) + INTERVAL ${keptDays} DAY
SETTINGS ${deduplication}, fsync_after_insert = 1, ttl_only_drop_parts = 1`;
}

/** Columns that only some protocols fill, by their name in `fields`. */
export const protocolFields = [
  ["era", "String"],
  ["mcp_protocol_version", "String"],
  ["direction", "String"],
  ["message_type", "String"],
  ["jsonrpc_id", "Text"],
  ["method", "String"],
  ["primitive_type", "String"],
  ["primitive_name", "String"],
  ["resource_uri_hash", "Text"],
  ["client_name", "String"],
  ["client_version", "String"],
  ["server_name", "String"],
  ["server_version", "String"],
  ["session_id_hash", "Text"],
  ["result_type", "String"],
  ["is_error", "Bool"],
  ["tool_error", "Bool"],
  ["jsonrpc_error_code", "Int64"],
  ["error_type", "String"],
  ["arg_keys", "Strings"],
  ["result_content_types", "Strings"],
  ["structured", "Bool"],
  ["list_total", "Int64"],
  ["cache_scope", "String"],
  ["ttl_ms", "Int64"],
  ["events_streamed", "Int64"],
  ["progress_count", "Int64"],
] as const;

type FieldType = (typeof protocolFields)[number][1];

/** How a field is read from JSON, and how it is kept. `String` has few values, `Text` many. */
export const fieldTypes: Readonly<
  Record<FieldType, { readonly read: string; readonly column: (name: string) => string }>
> = {
  String: {
    read: "Nullable(String)",
    column: (name) => `LowCardinality(String) DEFAULT ifNull(fields.${name}, '')`,
  },
  Text: { read: "Nullable(String)", column: (name) => `String DEFAULT ifNull(fields.${name}, '') CODEC(ZSTD(1))` },
  Strings: { read: "Array(String)", column: (name) => `Array(LowCardinality(String)) DEFAULT fields.${name}` },
  Bool: { read: "Nullable(Bool)", column: (name) => `Nullable(Bool) DEFAULT fields.${name}` },
  // Some of these numbers are an upstream's own: one that is no integer is left out, and its row stays.
  Int64: {
    read: "Nullable(Float64)",
    column: (name) => `Nullable(Int64) DEFAULT accurateCastOrNull(fields.${name}, 'Int64')`,
  },
};

function protocolColumns(): string {
  const read = protocolFields.map(([name, type]) => `${name} ${fieldTypes[type].read}`).join(", ");
  const columns = protocolFields.map(([name, type]) => `  ${name} ${fieldTypes[type].column(name)},`);
  return `  fields Tuple(${read}) EPHEMERAL,\n${columns.join("\n")}`;
}

function attempts({ engine, deduplication }: ClickHouseDialect): string {
  return `CREATE TABLE IF NOT EXISTS attempts (
  ts DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
  exchange_id UUID,
  operation_id UUID,
  attempt UInt16,
  config_hash LowCardinality(String),
  api_id LowCardinality(String),
  target LowCardinality(String),
  provider LowCardinality(String),
  model LowCardinality(String),
  status Nullable(UInt16),
  error_code LowCardinality(String),
  first_byte_ms Nullable(Float64) CODEC(ZSTD(1)),
  duration_ms Nullable(Float64) CODEC(ZSTD(1)),
  INDEX by_exchange exchange_id TYPE bloom_filter(0.01) GRANULARITY 4
) ENGINE = ${engine("MergeTree")}
PARTITION BY toYYYYMM(ts)
ORDER BY (toStartOfHour(ts), provider, ts)
TTL toDateTime(ts) + INTERVAL ${keptDays} DAY
SETTINGS ${deduplication}, fsync_after_insert = 1, ttl_only_drop_parts = 1`;
}

function configSnapshots({ engine }: ClickHouseDialect): string {
  return `CREATE TABLE IF NOT EXISTS config_snapshots (
  hash String,
  seen_at DateTime64(3, 'UTC'),
  document String CODEC(ZSTD(3))
) ENGINE = ${engine("ReplacingMergeTree", "seen_at")}
ORDER BY hash
SETTINGS fsync_after_insert = 1`;
}
