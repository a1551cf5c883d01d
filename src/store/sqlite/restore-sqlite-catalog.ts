import { existsSync, renameSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { Kysely } from "kysely";
import { GatewayError } from "../../kernel/errors.ts";
import { catalogMigrations } from "../migrations/catalog-migrations.ts";
import { appliedMigration, refuseNewerSchema } from "../migrations/run-migrations.ts";
import { copySqlite } from "./backup-sqlite.ts";
import { nodeSqliteDialect } from "./node-sqlite-dialect.ts";
import { openSqliteReader, syncDirectoryOf } from "./sqlite-connection.ts";
import { primaryResultCode, resultCodes, sqliteFailure } from "./sqlite-failure.ts";

export interface RestoreOptions {
  /** A file that `Catalog.backup` has made. */
  readonly from: string;
  /** The catalog's file; nobody may have it open. */
  readonly to: string;
  /** Replaces a catalog that is there. */
  readonly force?: boolean;
}

/**
 * Puts a backup in the catalog's place, in one step: a crash leaves the old one or the new one. Nothing is touched
 * before the backup has proved to be a sound catalog of a version that this build knows (`config.invalid` else). A
 * catalog that is there is replaced by `force` only (`resource.conflict`), and never while somebody has it open
 * (`resource.in_use`).
 */
export async function restoreSqliteCatalog({ from, to, force = false }: RestoreOptions): Promise<void> {
  if (existsSync(to) && !force) {
    throw new GatewayError("resource.conflict", `${to} is there already; use --force to replace it.`);
  }
  using source = openBackup(from);
  await checkBackup(source, from);
  const copy = await copySqlite(source, to);
  try {
    retire(to);
    renameSync(copy, to);
    syncDirectoryOf(to);
  } catch (error) {
    rmSync(copy, { force: true });
    throw sqliteFailure(error);
  }
}

function openBackup(path: string): DatabaseSync {
  if (!existsSync(path)) throw new GatewayError("resource.not_found", `There is no file ${path}.`);
  try {
    return openSqliteReader(path);
  } catch (error) {
    throw unusable(path, error);
  }
}

async function checkBackup(source: DatabaseSync, path: string): Promise<void> {
  const dialect = nodeSqliteDialect({ database: source, use: "read", takeTurn: async () => () => {} });
  const applied = await appliedMigration(new Kysely({ dialect })).catch((error: unknown) => {
    throw unusable(path, error);
  });
  refuseNewerSchema(applied, catalogMigrations);
  if (applied === 0 || !isSound(source)) throw unusable(path);
}

function isSound(database: DatabaseSync): boolean {
  try {
    return database.prepare("pragma integrity_check").get()?.["integrity_check"] === "ok";
  } catch {
    return false; // so badly damaged that the check itself fails
  }
}

// The write-ahead log of the old catalog must not be applied to the new one, nor be lost while the old one is in place:
// leaving write-ahead mode folds it in, and fails while anybody else has the file open.
function retire(path: string): void {
  if (!existsSync(path)) {
    removeLogs(path);
    return;
  }
  try {
    using database = new DatabaseSync(path);
    database.exec("pragma journal_mode = delete");
  } catch (error) {
    const code = primaryResultCode(error);
    if (code === resultCodes.busy || code === resultCodes.locked) {
      throw new GatewayError("resource.in_use", `${path} is in use; stop Gatehouse first.`, { cause: error });
    }
    if (code !== resultCodes.corrupt && code !== resultCodes.notDatabase) throw error;
    removeLogs(path); // no database any more, which is why it is being replaced
  }
}

function removeLogs(path: string): void {
  for (const suffix of ["-wal", "-shm", "-journal"]) rmSync(path + suffix, { force: true });
}

function unusable(path: string, cause?: unknown): GatewayError {
  return new GatewayError("config.invalid", `${path} is not a sound backup of a Gatehouse catalog.`, { cause });
}
