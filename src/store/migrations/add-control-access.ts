import type { ColumnDefinitionBuilder, Kysely } from "kysely";
import type { Migration, SchemaDialect } from "./migration.ts";

/** Roles of users and where they sign in, their sessions, and their access tokens. Users from before have no role. */
export const addControlAccess: Migration = {
  number: 6,
  name: "add-control-access",
  async up(db, dialect) {
    await addUserColumns(db);
    await createSessions(db, dialect);
    await createAccessTokens(db, dialect);
  },
};

async function addUserColumns(db: Kysely<unknown>): Promise<void> {
  for (const name of ["roles", "teams"]) {
    await db.schema
      .alterTable("users")
      .addColumn(name, "text", (column) => column.notNull().defaultTo("[]"))
      .execute();
  }
  for (const name of ["sso_issuer", "sso_subject"]) {
    await db.schema.alterTable("users").addColumn(name, "text").execute();
  }
  await db.schema
    .createIndex("users_by_sso")
    .on("users")
    .columns(["sso_issuer", "sso_subject"])
    .unique() // nulls differ from each other
    .execute();
}

async function createSessions(db: Kysely<unknown>, { sequence }: SchemaDialect): Promise<void> {
  await db.schema
    .createTable("sessions")
    .addColumn("seq", sequence.type, sequence.primaryKey)
    .addColumn("id", "text", unique)
    .addColumn("id_hash", "text", unique)
    .addColumn("user_id", "text", required)
    .addColumn("method", "text", required)
    .addColumn("client_address", "text", required)
    .addColumn("user_agent", "text", required)
    .addColumn("created_at_ms", "bigint", required)
    .addColumn("last_seen_at_ms", "bigint", required)
    .addColumn("expires_at_ms", "bigint", required)
    .execute();
  await db.schema.createIndex("sessions_by_user").on("sessions").columns(["user_id", "seq"]).execute();
}

async function createAccessTokens(db: Kysely<unknown>, { sequence }: SchemaDialect): Promise<void> {
  await db.schema
    .createTable("access_tokens")
    .addColumn("seq", sequence.type, sequence.primaryKey)
    .addColumn("id", "text", unique)
    .addColumn("user_id", "text", required)
    .addColumn("name", "text", required)
    .addColumn("public_id", "text", unique)
    .addColumn("hash", "text", required)
    .addColumn("pepper_id", "text", required)
    .addColumn("permissions", "text")
    .addColumn("team_ids", "text")
    .addColumn("created_by", "text", required)
    .addColumn("created_at_ms", "bigint", required)
    .addColumn("expires_at_ms", "bigint", required)
    .addColumn("revoked_at_ms", "bigint")
    .addColumn("last_used_at_ms", "bigint")
    .execute();
  await db.schema.createIndex("access_tokens_by_user").on("access_tokens").columns(["user_id", "seq"]).execute();
}

const required = (column: ColumnDefinitionBuilder) => column.notNull();
const unique = (column: ColumnDefinitionBuilder) => column.notNull().unique();
