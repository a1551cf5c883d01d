import type { ClickHouseMigration } from "./clickhouse-migration.ts";

/** Step 7: what was used and what it cost, of operations and of single tries. Rows from before have no cost. */
export const addCosts: ClickHouseMigration = {
  number: 7,
  name: "add_costs",
  statements: () => [added("exchanges", costColumns), added("attempts", [...useColumns, ...costColumns])],
};

/** Units of the currency to a billionth, as prices are counted. */
const costColumns = [
  "cost Nullable(Decimal(18, 9))",
  "cost_currency LowCardinality(String)",
  "cost_source LowCardinality(String)",
];

const useColumns = [
  "team_id LowCardinality(String)",
  "api_name LowCardinality(String)",
  "environment LowCardinality(String)",
  "key_id String CODEC(ZSTD(1))",
  "application_id String CODEC(ZSTD(1))",
  "input_tokens Nullable(UInt32)",
  "output_tokens Nullable(UInt32)",
  "cached_input_tokens Nullable(UInt32)",
  "reasoning_tokens Nullable(UInt32)",
  "cache_write_tokens Nullable(UInt32)",
  "cache_write_hour_tokens Nullable(UInt32)",
  "audio_input_tokens Nullable(UInt32)",
  "audio_output_tokens Nullable(UInt32)",
  "usage_source LowCardinality(String)",
  "service_tier LowCardinality(String)",
  "price_as_of LowCardinality(String)",
  "labels Map(LowCardinality(String), String) CODEC(ZSTD(1))",
];

function added(table: string, columns: readonly string[]): string {
  return `ALTER TABLE ${table} ${columns.map((column) => `ADD COLUMN IF NOT EXISTS ${column}`).join(", ")}`;
}
