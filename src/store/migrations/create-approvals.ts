import type { ColumnDefinitionBuilder } from "kysely";
import type { Migration } from "./migration.ts";

/** Calls that wait, or have waited, for a person. */
export const createApprovals: Migration = {
  number: 11,
  name: "create-approvals",
  async up(db, { sequence }) {
    await db.schema
      .createTable("approvals")
      .addColumn("seq", sequence.type, sequence.primaryKey)
      .addColumn("id", "text", (column) => column.notNull().unique())
      .addColumn("api_id", "text", (column) => column.notNull().references("resources.id").onDelete("cascade"))
      .addColumn("api_name", "text", required)
      .addColumn("team_id", "text", required)
      .addColumn("environment", "text", required)
      .addColumn("place", "text", required)
      .addColumn("tool", "text", required)
      .addColumn("arguments_hash", "text", required)
      .addColumn("fingerprint", "text", required)
      .addColumn("caller_hash", "text", required)
      .addColumn("holder", "text", required)
      .addColumn("shown", "text")
      .addColumn("answer_hash", "text")
      .addColumn("grant_ms", "bigint", required)
      .addColumn("state", "text", required)
      .addColumn("reason", "text")
      .addColumn("decided_by", "text")
      .addColumn("created_at_ms", "bigint", required)
      .addColumn("decided_at_ms", "bigint")
      .addColumn("expires_at_ms", "bigint", required)
      .execute();
    for (const columns of [["fingerprint", "expires_at_ms"], ["api_id", "state"], ["expires_at_ms"]]) {
      await db.schema.createIndex(`approvals_by_${columns[0]}`).on("approvals").columns(columns).execute();
    }
  },
};

const required = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => column.notNull();
