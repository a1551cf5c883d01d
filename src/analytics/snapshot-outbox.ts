import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EventStore } from "./event-store.ts";

/** Configurations on their way to the store: kept in files until they are there. */
export interface SnapshotOutbox {
  /** Keeps a configuration. Resolves when it is in a file; nothing happens for one that went out already. */
  put(hash: string, content: object): Promise<void>;
  /** Sends what waits, and forgets what arrived. Throws what the store throws; the rest stays for the next time. */
  deliver(store: EventStore, nowMs: number, signal: AbortSignal): Promise<void>;
}

/** An outbox in a directory of its own, made when it is missing. */
export async function openSnapshotOutbox(directory: string): Promise<SnapshotOutbox> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const waiting = new Set((await readdir(directory)).flatMap((name) => filePattern.exec(name)?.[1] ?? []));
  const known = new Set(waiting);
  const pathOf = (hash: string): string => join(directory, `${hash}.json`);
  return {
    async put(hash, content) {
      if (known.has(hash) || !hashPattern.test(hash)) return;
      known.add(hash);
      const temporary = `${pathOf(hash)}.tmp`;
      await writeFile(temporary, JSON.stringify(content), { mode: 0o600 });
      await rename(temporary, pathOf(hash));
      waiting.add(hash);
    },
    async deliver(store, nowMs, signal) {
      for (const hash of waiting) {
        await store.putSnapshot(hash, await readFile(pathOf(hash), "utf8"), nowMs, signal);
        await rm(pathOf(hash), { force: true });
        waiting.delete(hash);
      }
    },
  };
}

const hashPattern = /^[0-9a-f]{64}$/;
const filePattern = /^([0-9a-f]{64})\.json$/;
