import { closeSync, existsSync, fsyncSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { GatewayError } from "../../kernel/errors.ts";
import { sqliteFailure } from "./sqlite-failure.ts";

/** SQLite's path for a database that no file holds. */
export const inMemoryPath = ":memory:";

/** The mark in the file's header that says that it is a catalog of Gatehouse: "GTHS". */
const applicationId = 0x47544853;

/** How long a statement waits for another process (a backup tool, say) before it fails. It holds up the event loop. */
const busyTimeoutMs = 1000;

/**
 * Opens the catalog's file for writing, and makes one (0600) where there is none. What is committed is on the disk
 * before the commit returns. Throws `config.invalid` for a file that is something else, `store.unavailable` for one
 * that cannot be opened.
 */
export function openSqliteWriter(path: string): DatabaseSync {
  try {
    if (path !== inMemoryPath) createPrivateFile(path);
    const database = new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
    return closedOnFailure(database, () => {
      claim(database, path);
      // `fullfsync` matters on macOS only, where a plain fsync leaves data in the drive's cache.
      database.exec("pragma journal_mode = wal; pragma synchronous = full; pragma fullfsync = on");
    });
  } catch (error) {
    throw sqliteFailure(error);
  }
}

/** Opens the catalog's file for reading. Sees what was committed when each statement begins. Throws as for writing. */
export function openSqliteReader(path: string): DatabaseSync {
  try {
    const database = new DatabaseSync(path, { timeout: busyTimeoutMs, readOnly: true });
    return closedOnFailure(database, () => {
      if (!isCatalog(database)) throw notACatalog(path);
    });
  } catch (error) {
    throw sqliteFailure(error);
  }
}

/** Syncs the directory, without which a new or renamed file may be gone after a power loss. */
export function syncDirectoryOf(path: string): void {
  const directory = openSync(dirname(path), "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function createPrivateFile(path: string): void {
  if (existsSync(path)) return;
  closeSync(openSync(path, "a", 0o600));
  syncDirectoryOf(path);
}

function claim(database: DatabaseSync, path: string): void {
  if (isCatalog(database)) return;
  const { tables } = database.prepare("select count(*) as tables from sqlite_schema").get() ?? {};
  if (tables !== 0) throw notACatalog(path);
  database.exec(`pragma application_id = ${applicationId}`);
}

function isCatalog(database: DatabaseSync): boolean {
  return database.prepare("pragma application_id").get()?.["application_id"] === applicationId;
}

function notACatalog(path: string): GatewayError {
  return new GatewayError("config.invalid", `${path} is not a catalog of Gatehouse.`);
}

function closedOnFailure(database: DatabaseSync, prepare: () => void): DatabaseSync {
  try {
    prepare();
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
