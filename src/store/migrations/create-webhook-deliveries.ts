import type { ColumnDefinitionBuilder } from "kysely";
import type { Migration } from "./migration.ts";

/** What is to be told to webhooks, and what has been. */
export const createWebhookDeliveries: Migration = {
  number: 14,
  name: "create-webhook-deliveries",
  async up(db, { sequence }) {
    await db.schema
      .createTable("webhook_deliveries")
      .addColumn("seq", sequence.type, sequence.primaryKey)
      .addColumn("id", "text", (column) => column.notNull().unique())
      .addColumn("source", "text", required)
      .addColumn("team_id", "text", required)
      .addColumn("url", "text", required)
      .addColumn("secret", "text")
      .addColumn("body", "text", required)
      .addColumn("state", "text", required)
      .addColumn("attempts", "integer", required)
      .addColumn("next_at_ms", "bigint", required)
      .addColumn("last_status", "integer")
      .addColumn("last_error", "text")
      .addColumn("created_at_ms", "bigint", required)
      .addColumn("ended_at_ms", "bigint")
      .execute();
    await db.schema
      .createIndex("webhook_deliveries_by_next")
      .on("webhook_deliveries")
      .columns(["state", "next_at_ms"])
      .execute();
  },
};

const required = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => column.notNull();
