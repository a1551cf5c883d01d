import type { Kysely, Selectable } from "kysely";
import type { McpPinRow, McpPinTable } from "../../core/mcp-pin-tables.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { CatalogTables } from "./catalog-tables.ts";

/** Pins of MCP servers' definitions, as `McpPinTable` promises them. */
export function mcpPinTable(db: Kysely<CatalogTables>): McpPinTable {
  const inOrder = () => db.selectFrom("mcpPins").selectAll().orderBy("environment").orderBy("kind").orderBy("name");
  return {
    async put({ id, ...row }) {
      const approved = row.approved === null ? null : JSON.stringify(row.approved);
      const rest = { ...row, approved, seen: JSON.stringify(row.seen) };
      await db
        .insertInto("mcpPins")
        .values({ id, ...rest })
        .onConflict((conflict) => conflict.column("id").doUpdateSet(rest))
        .execute();
    },
    async find(id) {
      const row = await db.selectFrom("mcpPins").selectAll().where("id", "=", id).executeTakeFirst();
      return row && fromStored(row);
    },
    ofApi: async (apiId) => (await inOrder().where("apiId", "=", apiId).execute()).map(fromStored),
    all: async () => (await inOrder().execute()).map(fromStored),
  };
}

function fromStored({ approved, seen, ...row }: Selectable<CatalogTables["mcpPins"]>): McpPinRow {
  // Written by `put` only.
  return {
    ...row,
    approved: approved === null ? null : (parseJson(approved) as McpPinRow["approved"]),
    seen: parseJson(seen) as McpPinRow["seen"],
  };
}
