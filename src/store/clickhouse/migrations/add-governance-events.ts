import type { ClickHouseMigration } from "./clickhouse-migration.ts";

/** Step 13: what governance does and finds, a row an act. In the order in which the trend asks. */
export const addGovernanceEvents: ClickHouseMigration = {
  number: 13,
  name: "add_governance_events",
  statements: ({ engine, deduplication }) => [
    `CREATE TABLE IF NOT EXISTS governance_events (
  ts DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
  event_id UUID,
  act LowCardinality(String),
  team_id LowCardinality(String),
  artifact_id String CODEC(ZSTD(1)),
  artifact_kind LowCardinality(String),
  artifact_name LowCardinality(String),
  policy LowCardinality(String),
  ruleset LowCardinality(String),
  rule LowCardinality(String),
  entry_kind LowCardinality(String),
  entry_name String CODEC(ZSTD(1)),
  exemption LowCardinality(String),
  from_status LowCardinality(String),
  to_status LowCardinality(String),
  score Nullable(Float64) CODEC(ZSTD(1)),
  findings UInt32 CODEC(T64, ZSTD(1))
) ENGINE = ${engine("MergeTree")}
PARTITION BY toYYYYMM(ts)
ORDER BY (toStartOfHour(ts), artifact_id, ts)
TTL toDateTime(ts) + toIntervalDay(${keptDays})
SETTINGS ${deduplication}, fsync_after_insert = 1, merge_with_ttl_timeout = 3600`,
  ],
};

/** Until a session says otherwise, as for exchanges. */
const keptDays = 400;
