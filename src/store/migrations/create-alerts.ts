import type { ColumnDefinitionBuilder } from "kysely";
import type { Migration } from "./migration.ts";

/** How alerts stand, and what they have told. */
export const createAlerts: Migration = {
  number: 15,
  name: "create-alerts",
  async up(db, { sequence }) {
    await db.schema
      .createTable("alert_states")
      .addColumn("alert_id", "text", (column) => column.primaryKey().references("resources.id").onDelete("cascade"))
      .addColumn("state", "text", required)
      .addColumn("since_ms", "bigint", required)
      .addColumn("calm_since_ms", "bigint")
      .addColumn("told_at_ms", "bigint")
      .addColumn("value", "double precision")
      .addColumn("error", "text")
      .addColumn("evaluated_at_ms", "bigint")
      .addColumn("next_at_ms", "bigint", required)
      .execute();
    await db.schema
      .createTable("alert_events")
      .addColumn("seq", sequence.type, sequence.primaryKey)
      .addColumn("id", "text", (column) => column.notNull().unique())
      .addColumn("alert_id", "text", required)
      .addColumn("alert_name", "text", required)
      .addColumn("team_id", "text", required)
      .addColumn("type", "text", required)
      .addColumn("at_ms", "bigint", required)
      .addColumn("value", "double precision")
      .addColumn("against", "double precision")
      .addColumn("delivery_id", "text")
      .execute();
    await db.schema.createIndex("alert_events_by_name").on("alert_events").columns(["alert_name", "seq"]).execute();
  },
};

const required = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => column.notNull();
