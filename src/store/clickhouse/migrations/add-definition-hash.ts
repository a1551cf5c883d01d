import type { AddedColumn } from "./add-mcp-columns.ts";
import { addedColumns, mcpColumns, readNames, text } from "./add-mcp-columns.ts";
import { tokenColumns } from "./add-token-columns.ts";
import type { ClickHouseMigration } from "./clickhouse-migration.ts";
import { fieldTypes, protocolFields } from "./create-event-tables.ts";

/** Step 5: by which definition an MCP tool was called. Rows from before, and those of servers without pins, have none. */
export const addDefinitionHash: ClickHouseMigration = {
  number: 5,
  name: "add_definition_hash",
  statements: () => {
    const before = protocolFields.map(([name, type]) => `${name} ${fieldTypes[type].read}`);
    return addedColumns(definitionColumns, [...before, ...readNames([...mcpColumns, ...tokenColumns])]);
  },
};

/** Columns of step 5. */
export const definitionColumns: readonly AddedColumn[] = [["def_hash", text]];
