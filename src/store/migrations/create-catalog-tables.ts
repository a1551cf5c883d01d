import type { ColumnDefinitionBuilder, Kysely } from "kysely";
import type { Migration, SchemaDialect } from "./migration.ts";

/** The first schema. Times are milliseconds since the epoch; `text` columns such as `spec` hold JSON. */
export const createCatalogTables: Migration = {
  number: 1,
  name: "create-catalog-tables",
  async up(db, dialect) {
    await createResources(db, dialect);
    await createReferences(db);
    await createRevisions(db);
    await createDeployments(db);
    await createApiKeys(db, dialect);
    await createSecrets(db, dialect);
    await createAudit(db, dialect);
    await createSettings(db);
  },
};

async function createResources(db: Kysely<unknown>, { sequence }: SchemaDialect): Promise<void> {
  await db.schema
    .createTable("resources")
    .addColumn("seq", sequence.type, sequence.primaryKey)
    .addColumn("id", "text", unique)
    .addColumn("kind", "text", required)
    .addColumn("name", "text", required)
    .addColumn("team_id", "text", required)
    .addColumn("labels", "text", required)
    .addColumn("version", "integer", required)
    .addColumn("spec", "text", required)
    .addColumn("created_at_ms", "bigint", required)
    .addColumn("updated_at_ms", "bigint", required)
    .addUniqueConstraint("resources_kind_name", ["kind", "name"])
    .execute();
  await createIndex(db, "resources", ["kind", "seq"]);
  await createIndex(db, "resources", ["kind", "team_id", "seq"]);
}

// No foreign keys: a holder may be a key or a deployment, and a target may be a secret.
async function createReferences(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("references")
    .addColumn("holder_type", "text", required)
    .addColumn("holder_id", "text", required)
    .addColumn("holder_kind", "text", required)
    .addColumn("holder_name", "text", required)
    .addColumn("to_id", "text", required)
    .addColumn("path", "text", required)
    .addPrimaryKeyConstraint("references_key", ["holder_type", "holder_id", "path", "to_id"])
    .execute();
  await createIndex(db, "references", ["to_id"]);
}

async function createRevisions(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("revisions")
    .addColumn("resource_id", "text", required)
    .addColumn("number", "integer", required)
    .addColumn("spec", "text", required)
    .addColumn("spec_hash", "text", required)
    .addColumn("created_at_ms", "bigint", required)
    .addColumn("created_by", "text", required)
    .addPrimaryKeyConstraint("revisions_key", ["resource_id", "number"])
    .addForeignKeyConstraint("revisions_of", ["resource_id"], "resources", ["id"], (constraint) =>
      constraint.onDelete("cascade").deferrable().initiallyDeferred(),
    )
    .execute();
}

// What is live must exist: a deployed revision, and with it its API, cannot go away under a deployment.
async function createDeployments(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("deployments")
    .addColumn("resource_id", "text", (column) => column.primaryKey())
    .addColumn("kind", "text", required)
    .addColumn("name", "text", required)
    .addColumn("team_id", "text", required)
    .addColumn("context", "text", unique)
    .addColumn("revision", "integer", required)
    .addColumn("deployed_at_ms", "bigint", required)
    .addForeignKeyConstraint(
      "deployments_of",
      ["resource_id", "revision"],
      "revisions",
      ["resource_id", "number"],
      (constraint) => constraint.deferrable().initiallyDeferred(),
    )
    .execute();
}

async function createApiKeys(db: Kysely<unknown>, { sequence }: SchemaDialect): Promise<void> {
  await db.schema
    .createTable("api_keys")
    .addColumn("seq", sequence.type, sequence.primaryKey)
    .addColumn("id", "text", unique)
    .addColumn("name", "text", unique)
    .addColumn("display_name", "text")
    .addColumn("team_id", "text", required)
    .addColumn("public_id", "text", unique)
    .addColumn("hash", "text", required)
    .addColumn("pepper_id", "text", required)
    .addColumn("api_id", "text", required)
    .addColumn("application_id", "text")
    .addColumn("environment", "text", required)
    .addColumn("expires_at_ms", "bigint")
    .addColumn("permitted_ips", "text", required)
    .addColumn("permitted_referrers", "text", required)
    .addColumn("allow", "text")
    .addColumn("version", "integer", required)
    .addColumn("created_at_ms", "bigint", required)
    .addColumn("updated_at_ms", "bigint", required)
    .addColumn("revoked_at_ms", "bigint")
    .addColumn("last_used_at_ms", "bigint")
    .execute();
  await createIndex(db, "api_keys", ["team_id", "seq"]);
  await createIndex(db, "api_keys", ["api_id", "seq"]);
  await createIndex(db, "api_keys", ["application_id", "seq"]);
}

async function createSecrets(db: Kysely<unknown>, { sequence }: SchemaDialect): Promise<void> {
  await db.schema
    .createTable("secrets")
    .addColumn("seq", sequence.type, sequence.primaryKey)
    .addColumn("id", "text", unique)
    .addColumn("name", "text", unique)
    .addColumn("team_id", "text", required)
    .addColumn("sealed", "text", required)
    .addColumn("version", "integer", required)
    .addColumn("created_at_ms", "bigint", required)
    .addColumn("updated_at_ms", "bigint", required)
    .execute();
}

async function createAudit(db: Kysely<unknown>, { sequence }: SchemaDialect): Promise<void> {
  await db.schema
    .createTable("audit")
    .addColumn("seq", sequence.type, sequence.primaryKey)
    .addColumn("id", "text", unique)
    .addColumn("at_ms", "bigint", required)
    .addColumn("actor", "text", required)
    .addColumn("action", "text", required)
    .addColumn("kind", "text", required)
    .addColumn("resource_id", "text", required)
    .addColumn("resource_name", "text", required)
    .addColumn("team_id", "text", required)
    .addColumn("detail", "text", required)
    .execute();
  await createIndex(db, "audit", ["resource_id", "seq"]);
}

async function createSettings(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("settings")
    .addColumn("name", "text", (column) => column.primaryKey())
    .addColumn("value", "text", required)
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
