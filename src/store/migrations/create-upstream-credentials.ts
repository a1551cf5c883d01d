import type { ColumnDefinitionBuilder, Kysely } from "kysely";
import type { Migration } from "./migration.ts";

/** What upstream servers have given out: tokens for users and applications, and registrations of the gateway itself. */
export const createUpstreamCredentials: Migration = {
  number: 8,
  name: "create-upstream-credentials",
  async up(db) {
    await createCredentials(db);
    await createClients(db);
  },
};

async function createCredentials(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("upstream_credentials")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("api_id", "text", (column) => column.notNull().references("resources.id").onDelete("cascade"))
    .addColumn("environment", "text", required)
    .addColumn("holder", "text", required)
    .addColumn("user_id", "text")
    .addColumn("application_id", "text")
    .addColumn("issuer", "text", required)
    .addColumn("client_id", "text", required)
    .addColumn("resource", "text", required)
    .addColumn("asked", "text", required)
    .addColumn("scopes", "text", required)
    .addColumn("clients", "text", required)
    .addColumn("sealed", "text", required)
    .addColumn("version", "integer", required)
    .addColumn("state", "text", required)
    .addColumn("created_at_ms", "bigint", required)
    .addColumn("updated_at_ms", "bigint", required)
    .addUniqueConstraint("upstream_credentials_holder", ["api_id", "environment", "holder"])
    .execute();
  for (const column of ["user_id", "application_id"]) {
    await db.schema
      .createIndex(`upstream_credentials_by_${column}`)
      .on("upstream_credentials")
      .columns([column, "id"])
      .execute();
  }
}

async function createClients(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("upstream_clients")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("issuer", "text", required)
    .addColumn("redirect_uri", "text", required)
    .addColumn("client_id", "text", required)
    .addColumn("method", "text", required)
    .addColumn("sealed", "text", required)
    .addColumn("expires_at_ms", "bigint")
    .addColumn("created_at_ms", "bigint", required)
    .addUniqueConstraint("upstream_clients_issuer", ["issuer", "redirect_uri"])
    .execute();
}

const required = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => column.notNull();
