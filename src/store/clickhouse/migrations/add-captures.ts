import type { ClickHouseMigration } from "./clickhouse-migration.ts";

/** Step 11: texts of APIs that ask for them to be kept. Each row has its own days. */
export const addCaptures: ClickHouseMigration = {
  number: 11,
  name: "add_captures",
  statements: ({ engine, deduplication }) => [
    `CREATE TABLE IF NOT EXISTS captures (
  ts DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
  exchange_id UUID,
  operation_id UUID,
  team_id LowCardinality(String),
  api_id LowCardinality(String),
  api_name LowCardinality(String),
  environment LowCardinality(String),
  application_id String CODEC(ZSTD(1)),
  kept_days UInt16,
  request String CODEC(ZSTD(3)),
  response String CODEC(ZSTD(3)),
  is_cut Bool,
  redactions UInt32,
  INDEX by_exchange exchange_id TYPE bloom_filter(0.01) GRANULARITY 4
) ENGINE = ${engine("MergeTree")}
PARTITION BY toYYYYMM(ts)
ORDER BY (toStartOfHour(ts), api_id, ts)
TTL toDateTime(ts) + toIntervalDay(kept_days)
SETTINGS ${deduplication}, fsync_after_insert = 1, merge_with_ttl_timeout = 3600`,
  ],
};
