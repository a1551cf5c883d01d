import { definitionColumns } from "./add-definition-hash.ts";
import type { AddedColumn } from "./add-mcp-columns.ts";
import { addedColumns, count, mcpColumns, readNames, text, words } from "./add-mcp-columns.ts";
import { memberColumns } from "./add-missing-members.ts";
import { tokenColumns } from "./add-token-columns.ts";
import type { ClickHouseMigration } from "./clickhouse-migration.ts";
import { fieldTypes, protocolFields } from "./create-event-tables.ts";

/**
 * Step 8: why a request to an LLM API went where it went, and what its router in the shadow would have done. Rows from
 * before have nothing there.
 */
export const addRouteColumns: ClickHouseMigration = {
  number: 8,
  name: "add_route_columns",
  statements: () => {
    const before = protocolFields.map(([name, type]) => `${name} ${fieldTypes[type].read}`);
    const later = [...mcpColumns, ...tokenColumns, ...definitionColumns, ...memberColumns];
    return addedColumns(routeColumns, [...before, ...readNames(later)]);
  },
};

/** Some texts. */
export const list = {
  read: "Strings",
  column: "Array(String)",
  none: "[]",
  filled: (name: string) => `fields.${name}`,
} as const;
/** A number that need not be whole; null where there is none. */
export const measure = {
  read: "Int64", // read as a float
  column: "Nullable(Float64)",
  none: "NULL",
  filled: (name: string) => `fields.${name}`,
} as const;
/** A sum of money that comes as text; null where there is none. */
export const money = {
  ...text,
  column: "Nullable(Decimal(18, 9))",
  none: "NULL",
  filled: (name: string) => `toDecimal64OrNull(ifNull(fields.${name}, ''), 9)`,
};

/** Columns of step 8. */
export const routeColumns: readonly AddedColumn[] = [
  ["route_strategy", words],
  ["route_name", words],
  ["route_reason", words],
  ["route_score", measure],
  ["route_candidates", list],
  ["route_gates", list],
  ["route_input_tokens", count],
  ["route_output_tokens", count],
  ["route_ms", measure],
  ["route_target", words],
  ["shadow_strategy", words],
  ["shadow_name", words],
  ["shadow_reason", words],
  ["shadow_target", words],
  ["shadow_cost", money],
  ["shadow_ms", measure],
];
