import type { AddedColumn } from "./add-mcp-columns.ts";
import { addedColumns, mcpColumns, readNames, text } from "./add-mcp-columns.ts";
import type { ClickHouseMigration } from "./clickhouse-migration.ts";
import { fieldTypes, protocolFields } from "./create-event-tables.ts";

/** Step 3: whose token it was. Rows from before, and those of keys, have nothing there. */
export const addTokenColumns: ClickHouseMigration = {
  number: 3,
  name: "add_token_columns",
  statements: () => {
    const before = protocolFields.map(([name, type]) => `${name} ${fieldTypes[type].read}`);
    return addedColumns(tokenColumns, [...before, ...readNames(mcpColumns)]);
  },
};

/** What step 3 adds. */
export const tokenColumns: readonly AddedColumn[] = [
  ["client_id", text],
  ["secret_id", text],
  ["subject_hash", text],
];
