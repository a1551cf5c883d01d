import { definitionColumns } from "./add-definition-hash.ts";
import type { AddedColumn } from "./add-mcp-columns.ts";
import { addedColumns, mcpColumns, readNames, text } from "./add-mcp-columns.ts";
import { tokenColumns } from "./add-token-columns.ts";
import type { ClickHouseMigration } from "./clickhouse-migration.ts";
import { fieldTypes, protocolFields } from "./create-event-tables.ts";

/** Step 6: whose part a list of a virtual MCP server lacks. Rows from before have none. */
export const addMissingMembers: ClickHouseMigration = {
  number: 6,
  name: "add_missing_members",
  statements: () => {
    const before = protocolFields.map(([name, type]) => `${name} ${fieldTypes[type].read}`);
    return addedColumns(memberColumns, [
      ...before,
      ...readNames([...mcpColumns, ...tokenColumns, ...definitionColumns]),
    ]);
  },
};

/** Columns of step 6. */
export const memberColumns: readonly AddedColumn[] = [["members_missing", text]];
