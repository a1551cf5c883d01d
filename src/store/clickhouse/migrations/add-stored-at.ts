import type { ClickHouseMigration } from "./clickhouse-migration.ts";

/**
 * Step 10: when a row of `exchanges` came to the store, by the store's clock. It is the order in which a live tail shows rows,
 * whichever gateway they are of and however late they come; `SELECT *` leaves it out. Rows from before came at the epoch.
 */
export const addStoredAt: ClickHouseMigration = {
  number: 10,
  name: "add_stored_at",
  // A part without the column would take the time of each reading for it: so the epoch is written out to those first.
  statements: () => [
    `ALTER TABLE exchanges ADD COLUMN IF NOT EXISTS ${column(epoch)}`,
    `ALTER TABLE exchanges MODIFY COLUMN ${column(epoch)}`,
    "ALTER TABLE exchanges MATERIALIZE COLUMN stored_at SETTINGS mutations_sync = 2",
    `ALTER TABLE exchanges MODIFY COLUMN ${column("now64(3, 'UTC')")}, ADD INDEX IF NOT EXISTS by_stored stored_at TYPE minmax GRANULARITY 1`,
  ],
};

const epoch = "toDateTime64(0, 3, 'UTC')";

function column(value: string): string {
  return `stored_at DateTime64(3, 'UTC') MATERIALIZED ${value} COMMENT 'When the row came to the store, by its clock.'`;
}
