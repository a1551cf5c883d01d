import { choiceColumns } from "./add-choice-columns.ts";
import { definitionColumns } from "./add-definition-hash.ts";
import type { AddedColumn } from "./add-mcp-columns.ts";
import { addedColumns, count, mcpColumns, readNames } from "./add-mcp-columns.ts";
import { memberColumns } from "./add-missing-members.ts";
import { money, routeColumns } from "./add-route-columns.ts";
import { tokenColumns } from "./add-token-columns.ts";
import { toldColumns } from "./add-told-columns.ts";
import type { ClickHouseMigration } from "./clickhouse-migration.ts";
import { fieldTypes, protocolFields } from "./create-event-tables.ts";

/** Step 15: what the own model of a router in the shadow took. Rows from before have nothing there. */
export const addShadowSpending: ClickHouseMigration = {
  number: 15,
  name: "add_shadow_spending",
  statements: () => {
    const before = protocolFields.map(([name, type]) => `${name} ${fieldTypes[type].read}`);
    const later = [...mcpColumns, ...tokenColumns, ...definitionColumns, ...memberColumns, ...routeColumns];
    return addedColumns(shadowSpending, [...before, ...readNames([...later, ...choiceColumns, ...toldColumns])]);
  },
};

/** Columns of step 15. */
export const shadowSpending: readonly AddedColumn[] = [
  ["shadow_input_tokens", count],
  ["shadow_output_tokens", count],
  ["shadow_route_cost", money],
];
