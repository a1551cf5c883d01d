import { statfsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

const leastFreeBytes = 33_554_432;

/**
 * Why a catalog that is there cannot be written at the moment, in a few words; undefined when it can. Takes its lock for the
 * blink of an eye and changes nothing. A process that serves goes on with the keys that it knows either way.
 */
export function whyCatalogCannotBeWritten(path: string): string | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 200 });
    database.exec("BEGIN IMMEDIATE");
    database.exec("ROLLBACK");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return /locked|busy/i.test(reason) ? "another process holds its lock" : reason;
  } finally {
    database?.close();
  }
  const { bavail, bsize } = statfsSync(path);
  const freeBytes = bavail * bsize;
  return freeBytes < leastFreeBytes ? `its disk has only ${Math.floor(freeBytes / 1_048_576)} MiB left` : undefined;
}
