import type { ColumnDefinitionBuilder, Kysely } from "kysely";
import type { Migration, SchemaDialect } from "./migration.ts";

/**
 * OAuth clients and their secrets, users, the state of the resident authorization server, revocations, signing keys,
 * and the older value of an API key in its window of overlap.
 */
export const createIdentityTables: Migration = {
  number: 2,
  name: "create-identity-tables",
  async up(db, dialect) {
    await createOauthClients(db, dialect);
    await createOauthClientSecrets(db, dialect);
    await createUsers(db, dialect);
    await createOauthState(db);
    await createRevocations(db, dialect);
    await createSigningKeys(db, dialect);
    await db.schema.alterTable("api_keys").addColumn("previous", "text").execute();
    await createIndex(db, "api_keys", ["expires_at_ms"]);
  },
};

async function createOauthClients(db: Kysely<unknown>, { sequence }: SchemaDialect): Promise<void> {
  await db.schema
    .createTable("oauth_clients")
    .addColumn("seq", sequence.type, sequence.primaryKey)
    .addColumn("id", "text", unique)
    .addColumn("client_id", "text", required)
    .addColumn("key_manager_id", "text", required)
    .addColumn("application_id", "text")
    .addColumn("team_id", "text", required)
    .addColumn("environment", "text", required)
    .addColumn("name", "text", required)
    .addColumn("metadata", "text", required)
    .addColumn("source", "text", required)
    .addColumn("version", "integer", required)
    .addColumn("created_at_ms", "bigint", required)
    .addColumn("updated_at_ms", "bigint", required)
    .addUniqueConstraint("oauth_clients_client_id", ["key_manager_id", "client_id"])
    .addUniqueConstraint("oauth_clients_name", ["application_id", "name"])
    .execute();
  await createIndex(db, "oauth_clients", ["application_id", "seq"]);
  await createIndex(db, "oauth_clients", ["team_id", "seq"]);
}

async function createOauthClientSecrets(db: Kysely<unknown>, { sequence }: SchemaDialect): Promise<void> {
  await db.schema
    .createTable("oauth_client_secrets")
    .addColumn("seq", sequence.type, sequence.primaryKey)
    .addColumn("id", "text", unique)
    .addColumn("client_row_id", "text", (column) => column.notNull().references("oauth_clients.id").onDelete("cascade"))
    .addColumn("public_id", "text", unique)
    .addColumn("description", "text")
    .addColumn("hash", "text", required)
    .addColumn("pepper_id", "text", required)
    .addColumn("created_at_ms", "bigint", required)
    .addColumn("expires_at_ms", "bigint")
    .addColumn("revoked_at_ms", "bigint")
    .addColumn("last_used_at_ms", "bigint")
    .execute();
  await createIndex(db, "oauth_client_secrets", ["client_row_id", "seq"]);
  await createIndex(db, "oauth_client_secrets", ["expires_at_ms"]);
}

async function createUsers(db: Kysely<unknown>, { sequence }: SchemaDialect): Promise<void> {
  await db.schema
    .createTable("users")
    .addColumn("seq", sequence.type, sequence.primaryKey)
    .addColumn("id", "text", unique)
    .addColumn("name", "text", unique)
    .addColumn("display_name", "text")
    .addColumn("email", "text")
    .addColumn("password_hash", "text")
    .addColumn("disabled", "integer", required)
    .addColumn("version", "integer", required)
    .addColumn("created_at_ms", "bigint", required)
    .addColumn("updated_at_ms", "bigint", required)
    .execute();
}

async function createOauthState(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("oauth_state")
    .addColumn("model", "text", required)
    .addColumn("id_hash", "text", required)
    .addColumn("uid", "text")
    .addColumn("grant_id", "text")
    .addColumn("user_code", "text")
    .addColumn("family_id", "text")
    .addColumn("payload", "text", required)
    .addColumn("expires_at_ms", "bigint")
    .addColumn("consumed_at_ms", "bigint")
    .addPrimaryKeyConstraint("oauth_state_key", ["model", "id_hash"])
    .execute();
  await createIndex(db, "oauth_state", ["uid"]);
  await createIndex(db, "oauth_state", ["grant_id"]);
  await createIndex(db, "oauth_state", ["expires_at_ms"]);
}

async function createRevocations(db: Kysely<unknown>, { sequence }: SchemaDialect): Promise<void> {
  await db.schema
    .createTable("revocations")
    .addColumn("seq", sequence.type, sequence.primaryKey)
    .addColumn("type", "text", required)
    .addColumn("key_manager_id", "text", required)
    .addColumn("id", "text", required)
    .addColumn("before_ms", "bigint", required)
    .addColumn("expires_at_ms", "bigint", required)
    .addUniqueConstraint("revocations_key", ["type", "key_manager_id", "id"])
    .execute();
  await createIndex(db, "revocations", ["expires_at_ms"]);
}

async function createSigningKeys(db: Kysely<unknown>, { sequence }: SchemaDialect): Promise<void> {
  await db.schema
    .createTable("signing_keys")
    .addColumn("seq", sequence.type, sequence.primaryKey)
    .addColumn("kid", "text", unique)
    .addColumn("alg", "text", required)
    .addColumn("sealed", "text", required)
    .addColumn("public_jwk", "text", required)
    .addColumn("created_at_ms", "bigint", required)
    .addColumn("active_from_ms", "bigint", required)
    .addColumn("retired_at_ms", "bigint")
    .execute();
}

async function createIndex(db: Kysely<unknown>, table: string, columns: readonly string[]): Promise<void> {
  await db.schema
    .createIndex(`${table}_by_${columns.join("_")}`)
    .on(table)
    .columns([...columns])
    .execute();
}

const required = (column: ColumnDefinitionBuilder) => column.notNull();
const unique = (column: ColumnDefinitionBuilder) => column.notNull().unique();
