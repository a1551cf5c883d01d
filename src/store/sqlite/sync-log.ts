import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import { sqliteFailure } from "./sqlite-failure.ts";

/** The write-ahead log of a database that is open. */
export interface SyncedLog extends AsyncDisposable {
  /** Resolves when all that is committed is on the disk, and keeps the event loop from nobody. Throws `store.unavailable`. */
  sync(): Promise<void>;
}

/**
 * What `synchronous = full` does after a commit, for a connection that leaves it out: SQLite's own waits for the disk in the
 * middle of the event loop (sqlite.org/wal.html, "Performance considerations"). Its locks are on the database's file and not
 * on this one, so closing this one releases none.
 */
export function openSyncedLog(databasePath: string): SyncedLog {
  let opened: Promise<FileHandle> | undefined;
  return {
    async sync() {
      try {
        opened ??= open(`${databasePath}-wal`, "r+");
        await (await opened).datasync();
      } catch (error) {
        opened = undefined;
        throw sqliteFailure(error);
      }
    },
    async [Symbol.asyncDispose]() {
      await opened?.then((file) => file.close()).catch(() => undefined); // it was never opened
    },
  };
}
