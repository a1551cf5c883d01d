import type { ColumnDefinitionBuilder } from "kysely";
import type { Migration } from "./migration.ts";

/** What was approved of MCP servers' definitions, and what was seen last. */
export const createMcpPins: Migration = {
  number: 9,
  name: "create-mcp-pins",
  async up(db) {
    await db.schema
      .createTable("mcp_pins")
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("api_id", "text", (column) => column.notNull().references("resources.id").onDelete("cascade"))
      .addColumn("environment", "text", required)
      .addColumn("kind", "text", required)
      .addColumn("name", "text", required)
      .addColumn("approved_hash", "text")
      .addColumn("approved", "text")
      .addColumn("seen_hash", "text", required)
      .addColumn("seen", "text", required)
      .addColumn("seen_at_ms", "bigint", required)
      .execute();
    await db.schema.createIndex("mcp_pins_by_api").on("mcp_pins").columns(["api_id", "id"]).execute();
  },
};

const required = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => column.notNull();
