import type { ColumnDefinitionBuilder } from "kysely";
import type { Migration } from "./migration.ts";

/** How resources stand to the rules that govern them, and which wait to be looked at. */
export const createCompliance: Migration = {
  number: 13,
  name: "create-compliance",
  async up(db) {
    await db.schema
      .createTable("compliance")
      .addColumn("artifact_id", "text", (column) => column.primaryKey().references("resources.id").onDelete("cascade"))
      .addColumn("kind", "text", required)
      .addColumn("name", "text", required)
      .addColumn("team_id", "text", required)
      .addColumn("status", "text", required)
      .addColumn("score", "integer")
      .addColumn("policies", "text", required)
      .addColumn("evaluated_at_ms", "bigint")
      .addColumn("due_at_ms", "bigint")
      .addColumn("asked", "integer", required)
      .execute();
    await db.schema
      .createIndex("compliance_by_due_at")
      .on("compliance")
      .columns(["due_at_ms", "artifact_id"])
      .execute();
  },
};

const required = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => column.notNull();
