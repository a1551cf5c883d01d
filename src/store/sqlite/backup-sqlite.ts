import { randomBytes } from "node:crypto";
import { closeSync, openSync, renameSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { backup, DatabaseSync } from "node:sqlite";
import { GatewayError } from "../../kernel/errors.ts";
import { syncDirectoryOf } from "./sqlite-connection.ts";
import { sqliteFailure } from "./sqlite-failure.ts";

/**
 * Copies what the database `source` holds at one moment to a new file (0600), off the event loop and beside writers.
 * The file stands under its name only when it is whole and on the disk. Throws `resource.conflict` when the name is
 * taken, `store.unavailable` when the copy fails; then nothing is left of it.
 */
export async function backupSqlite(source: DatabaseSync, path: string): Promise<void> {
  reserve(path);
  try {
    const copy = await copySqlite(source, path);
    renameSync(copy, path);
    syncDirectoryOf(path);
  } catch (error) {
    rmSync(path, { force: true });
    throw sqliteFailure(error);
  }
}

/** Makes a whole copy (0600) of the database beside `path`, on the disk when this returns, and returns its name. */
export async function copySqlite(source: DatabaseSync, path: string): Promise<string> {
  const copy = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    closeSync(openSync(copy, "wx", 0o600));
    // One step: a copy in many begins anew whenever somebody has written in between.
    await backup(source, copy, { rate: everyPage });
    await syncFile(copy);
    leaveWriteAheadMode(copy);
    return copy;
  } catch (error) {
    rmSync(copy, { force: true });
    throw sqliteFailure(error);
  }
}

const everyPage = 2_147_483_647;

// A lone file in write-ahead mode cannot be read from a directory that is read-only.
function leaveWriteAheadMode(path: string): void {
  using database = new DatabaseSync(path);
  database.exec("pragma journal_mode = delete");
}

function reserve(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (cause) {
    const taken = cause instanceof Error && "code" in cause && cause.code === "EEXIST";
    if (!taken) throw sqliteFailure(cause);
    throw new GatewayError("resource.conflict", `${path} is there already; name a file that is not.`, { cause });
  }
}

// Off the event loop, so that what is left for SQLite to sync is little.
async function syncFile(path: string): Promise<void> {
  await using file = await open(path, "r+");
  await file.sync();
}
