import type { Kysely } from "kysely";
import { GatewayError } from "../../kernel/errors.ts";
import type { Migration, SchemaDialect } from "./migration.ts";

/**
 * Brings the database to the last of `migrations`, each step in a transaction of its own together with the note that
 * it was done, so a crash in between is made good by the next start. Throws `config.invalid` that says what to do for
 * a database which a newer version has written.
 */
export async function runMigrations(
  db: Kysely<unknown>,
  migrations: readonly Migration[],
  dialect: SchemaDialect,
): Promise<void> {
  await db.schema
    .createTable("schema_migrations")
    .ifNotExists()
    .addColumn("number", "integer", (column) => column.primaryKey())
    .addColumn("name", "text", (column) => column.notNull())
    .execute();
  refuseNewerSchema(await appliedMigration(db), migrations);
  for (const migration of migrations) {
    await db.transaction().execute(async (transaction) => {
      // Read again inside the transaction: another process may have done this step meanwhile.
      if ((await appliedMigration(transaction)) >= migration.number) return;
      await migration.up(transaction, dialect);
      await notesOf(transaction)
        .insertInto("schema_migrations")
        .values({ number: migration.number, name: migration.name })
        .execute();
    });
  }
}

/** The number of the last step that was applied; 0 for none. The table of notes must be there. */
export async function appliedMigration(db: Kysely<unknown>): Promise<number> {
  const row = await notesOf(db)
    .selectFrom("schema_migrations")
    .select((column) => column.fn.max("number").as("number"))
    .executeTakeFirst();
  return row?.number ?? 0;
}

/** Throws `config.invalid` when `applied` is beyond what this build knows. */
export function refuseNewerSchema(applied: number, migrations: readonly Migration[]): void {
  const known = migrations.at(-1)?.number ?? 0;
  if (applied <= known) return;
  throw new GatewayError(
    "config.invalid",
    `The catalog was written by a newer Gatehouse: its schema is ${applied}, this version knows up to ${known}. ` +
      "Run the newer version again, or restore a backup that was made before the upgrade.",
  );
}

interface MigrationNotes {
  readonly schema_migrations: { readonly number: number; readonly name: string };
}

function notesOf(db: Kysely<unknown>): Kysely<MigrationNotes> {
  return db;
}
