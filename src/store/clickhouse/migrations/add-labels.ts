import type { ClickHouseMigration } from "./clickhouse-migration.ts";

/** Step 4: the labels under which a use is counted. Rows from before have none. */
export const addLabels: ClickHouseMigration = {
  number: 4,
  name: "add_labels",
  statements: () => [
    "ALTER TABLE exchanges ADD COLUMN IF NOT EXISTS labels Map(LowCardinality(String), String) CODEC(ZSTD(1))",
  ],
};
