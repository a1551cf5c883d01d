import { definitionColumns } from "./add-definition-hash.ts";
import type { AddedColumn } from "./add-mcp-columns.ts";
import { addedColumns, count, mcpColumns, readNames, text, words } from "./add-mcp-columns.ts";
import { memberColumns } from "./add-missing-members.ts";
import { list, measure, routeColumns } from "./add-route-columns.ts";
import { tokenColumns } from "./add-token-columns.ts";
import type { ClickHouseMigration } from "./clickhouse-migration.ts";
import { fieldTypes, protocolFields } from "./create-event-tables.ts";

/**
 * Step 9: what a filter of tools and a cache of answers did, and which part of a virtual MCP server had the call. Rows
 * from before have nothing there.
 */
export const addChoiceColumns: ClickHouseMigration = {
  number: 9,
  name: "add_choice_columns",
  statements: () => {
    const before = protocolFields.map(([name, type]) => `${name} ${fieldTypes[type].read}`);
    const later = [...mcpColumns, ...tokenColumns, ...definitionColumns, ...memberColumns, ...routeColumns];
    return addedColumns(choiceColumns, [...before, ...readNames(later)]);
  },
};

/** Columns of step 9. */
export const choiceColumns: readonly AddedColumn[] = [
  ["member", words],
  ["tools_total", count],
  ["tools_after_filter", count],
  ["tools_without_text", count],
  ["filter_mode", words],
  ["filter_reason", words],
  ["filter_top_score", measure],
  ["filter_candidates", list],
  ["filter_ms", measure],
  ["list_tokens_before", count],
  ["list_tokens_after", count],
  ["cache", words],
  ["cache_mode", words],
  ["cache_reason", text],
  ["cache_score", measure],
  ["cache_age_ms", count],
  ["cache_saved_tokens", count],
  ["cache_ms", measure],
];
