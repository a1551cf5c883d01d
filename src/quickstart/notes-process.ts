import { mkdir, realpath } from "node:fs/promises";
import type { Clock } from "../kernel/clock.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { Log } from "../kernel/log.ts";
import type { NotesChild } from "./spawn-notes.ts";
import { spawnNotes } from "./spawn-notes.ts";

export interface NotesProcessOptions {
  /** Made when it is not there, for its owner alone. */
  readonly workspaceFolder: string;
  /** What the server takes for its caller's credential. */
  readonly token: string;
  /** Taken at the first start when it is free; any free port otherwise. */
  readonly preferredPort?: number | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** The notes server in a process of its own, kept alive. Disposing ends it. */
export interface NotesProcess extends AsyncDisposable {
  /** The same for the whole life of this object. */
  readonly port: number;
  /** Of the process that runs now; undefined between two of them. */
  readonly pid: number | undefined;
}

/**
 * Starts the notes server and starts it again whenever it ends, on the same port, so that nothing that points there
 * has to change: at once the first time, then after waits that double up to ten seconds, until one has lived for half a
 * minute. Throws `store.unavailable` when the first start fails.
 */
export async function startNotesProcess(options: NotesProcessOptions): Promise<NotesProcess> {
  const { token, preferredPort = 0, clock, log } = options;
  const workspaceFolder = await makeWorkspace(options.workspaceFolder);
  const start = (port: number, anyPort: boolean): NotesChild =>
    spawnNotes({ settings: { workspaceFolder, token, port, anyPort }, clock });

  let child: NotesChild | undefined = start(preferredPort, true);
  const port = await child.ready.catch((cause: unknown) => {
    throw new GatewayError("store.unavailable", "The notes server did not start.", { cause });
  });
  let bornAtMs = clock.monotonic();
  let waitMs = 0;
  let isStopping = false;
  let forgetTimer = (): void => {};

  const watch = (watched: NotesChild): void => {
    void watched.ended.then((end) => {
      child = undefined;
      if (isStopping) return;
      if (clock.monotonic() - bornAtMs > settledMs) waitMs = 0;
      log.warn({ end, waitMs }, "the notes server has ended and is started again");
      forgetTimer = waitMs === 0 ? (again(), () => {}) : clock.after(waitMs, again);
      waitMs = Math.min(Math.max(waitMs * 2, firstWaitMs), longestWaitMs);
    });
  };
  const again = (): void => {
    bornAtMs = clock.monotonic();
    child = start(port, false);
    child.ready.catch(() => {}); // its end tells why
    watch(child);
  };
  watch(child);
  return {
    port,
    get pid() {
      return child?.pid;
    },
    async [Symbol.asyncDispose]() {
      isStopping = true;
      forgetTimer();
      await child?.stop();
    },
  };
}

// The real path: Node gives permissions to a path and not to a place.
async function makeWorkspace(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return await realpath(folder);
  } catch (cause) {
    throw new GatewayError("store.unavailable", `The folder ${folder} cannot be made.`, { cause });
  }
}

const firstWaitMs = 250;
const longestWaitMs = 10_000;
const settledMs = 30_000;
