import type { Migration } from "./migration.ts";

/** Sealed values that were given inline in a resource; the resource itself holds only where they are. */
export const createInlineSecrets: Migration = {
  number: 3,
  name: "create-inline-secrets",
  async up(db) {
    await db.schema
      .createTable("inline_secrets")
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("holder_id", "text", (column) => column.notNull().references("resources.id").onDelete("cascade"))
      .addColumn("path", "text", (column) => column.notNull())
      .addColumn("sealed", "text", (column) => column.notNull())
      .addColumn("created_at_ms", "bigint", (column) => column.notNull())
      .execute();
    await db.schema.createIndex("inline_secrets_by_holder_id").on("inline_secrets").column("holder_id").execute();
  },
};
