import { choiceColumns } from "./add-choice-columns.ts";
import { definitionColumns } from "./add-definition-hash.ts";
import type { AddedColumn } from "./add-mcp-columns.ts";
import { addedColumns, mcpColumns, readNames, text, words } from "./add-mcp-columns.ts";
import { memberColumns } from "./add-missing-members.ts";
import { list, measure, money, routeColumns } from "./add-route-columns.ts";
import { tokenColumns } from "./add-token-columns.ts";
import type { ClickHouseMigration } from "./clickhouse-migration.ts";
import { fieldTypes, protocolFields } from "./create-event-tables.ts";

/**
 * Step 12: what a router's own model cost, what guardrails held a stream back, the scopes of a token, and what a tool of a
 * virtual MCP server is called at its part. Rows from before have nothing there.
 */
export const addToldColumns: ClickHouseMigration = {
  number: 12,
  name: "add_told_columns",
  statements: () => {
    const before = protocolFields.map(([name, type]) => `${name} ${fieldTypes[type].read}`);
    const later = [...mcpColumns, ...tokenColumns, ...definitionColumns, ...memberColumns, ...routeColumns];
    return addedColumns(toldColumns, [...before, ...readNames([...later, ...choiceColumns])]);
  },
};

/** Columns of step 12. */
export const toldColumns: readonly AddedColumn[] = [
  ["route_usage_source", words],
  ["route_cost", money],
  ["guard_hold_ms", measure],
  ["scopes", list],
  ["upstream_primitive_name", text],
];
