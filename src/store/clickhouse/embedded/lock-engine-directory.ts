import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../../kernel/clock.ts";
import { GatewayError } from "../../../kernel/errors.ts";

/**
 * Makes the directory where there is none and takes its lock until this process ends, however it ends. A holder that
 * is just ending is waited for; throws `store.unavailable` when it does not end within `waitMs`.
 */
export async function lockEngineDirectory(directory: string, waitMs: number, clock: Clock): Promise<void> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, "gatehouse.lock");
  for (const startedMs = clock.monotonic(); ; ) {
    const lock = tryLock(path);
    if (lock !== undefined) {
      held.push(lock);
      return;
    }
    if (clock.monotonic() - startedMs > waitMs) {
      throw new GatewayError("store.unavailable", `${directory} is held by another process.`);
    }
    await new Promise<void>((resume) => void clock.after(pollMs, resume));
  }
}

const pollMs = 50;

/** Kept from being collected, which would give the lock back. */
const held: DatabaseSync[] = [];

function tryLock(path: string): DatabaseSync | undefined {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec("BEGIN EXCLUSIVE");
    return database;
  } catch (error) {
    database.close();
    if (error instanceof Error && /locked|busy/i.test(error.message)) return undefined;
    throw error;
  }
}
