import { randomBytes } from "node:crypto";
import type { Clock } from "../kernel/clock.ts";
import { toGatewayError } from "../kernel/errors.ts";
import type { Log } from "../kernel/log.ts";
import type { BlockBuffers } from "./block-buffers.ts";
import { createBlockBuffers } from "./block-buffers.ts";
import { countLines } from "./count-lines.ts";
import type { EventSpool } from "./event-spool.ts";
import type { EventStore } from "./event-store.ts";
import { insertBlock } from "./insert-block.ts";
import type { SpoolBlock } from "./read-block.ts";
import { readBlock } from "./read-block.ts";
import type { PendingRange, ReplayCheckpoint } from "./replay-checkpoint.ts";
import { readCheckpoint, writeCheckpoint } from "./replay-checkpoint.ts";
import type { SnapshotOutbox } from "./snapshot-outbox.ts";
import type { SpoolPlace, SpoolSegment } from "./spool-segments.ts";

export interface SpoolReplayOptions {
  readonly spool: Pick<EventSpool, "segments" | "handOver" | "flush">;
  /** The spool's. */
  readonly directory: string;
  /** A file of its own. */
  readonly checkpointPath: string;
  readonly store: EventStore;
  readonly snapshots: SnapshotOutbox;
  readonly clock: Clock;
  readonly log: Log;
  /**
   * Between two looks at the spool, in milliseconds; 1,000 unless told, and five times that for as long as each look finds
   * something.
   */
  readonly intervalMs?: number;
  /** Bytes of one insert; 2 MiB unless told. */
  readonly blockBytes?: number;
}

/** How the replay is doing. */
export interface ReplayState {
  /** Bytes of the spool that are not in the store yet. */
  readonly backlogBytes: number;
  /** Events that the store has taken since the start. */
  readonly written: number;
  /** Lines that no table takes, since the start. */
  readonly rejected: number;
  /** What kept it from going on, when the last try failed. */
  readonly lastError: string | undefined;
}

/**
 * Carries events from the spool to the store, in order, each one once. Disposing carries what is left when the store was
 * taking events, for two seconds at most; the rest stays in the spool for the next start.
 */
export interface SpoolReplay extends AsyncDisposable {
  readonly state: ReplayState;
  /** Resolves when all that is in the spool now is in the store, or a try has failed. */
  catchUp(): Promise<void>;
}

const defaultBlockBytes = 2 * 1_048_576;
const defaultIntervalMs = 1_000;
/**
 * The first events after a silence are in the store after one look; while more come with each, the next waits longer. An
 * insert costs a store some 60 ms of its processor, of one row or of hundreds: one a second would be a tenth of a core.
 */
const longerPause = 5;
const firstRetryMs = 1_000;
const longestRetryMs = 30_000;
const complainEveryMs = 60_000;
/** What the last inserts are given at the end, in milliseconds; the next start would repeat them. */
const graceMs = 2_000;

/**
 * Starts a replay from where the last one on this checkpoint ended. It asks nothing of the store before there is an
 * event. The range of an insert is on disk before the insert begins, so that a crash repeats it with the same bounds and
 * the same token, and then looks for what is missing. Without a checkpoint it looks for every row before inserting it.
 */
export async function startSpoolReplay(options: SpoolReplayOptions): Promise<SpoolReplay> {
  const found = await readCheckpoint(options.checkpointPath);
  return new Replay(options, found ?? newCheckpoint(options.spool.segments().at(-1)));
}

function newCheckpoint(last: SpoolSegment | undefined): ReplayCheckpoint {
  const unknownBefore = last === undefined ? beginning : { segment: last.name, offset: last.bytes };
  return { spool: randomBytes(16).toString("hex"), done: beginning, pending: null, unknownBefore };
}

const beginning: SpoolPlace = { segment: "", offset: 0 };

class Replay implements SpoolReplay {
  readonly #options: SpoolReplayOptions;
  readonly #ending = new AbortController();
  #buffers: BlockBuffers;
  #checkpoint: ReplayCheckpoint;
  #written: ReplayCheckpoint | undefined;
  #inStore = 0;
  #rejected = 0;
  #lastError: string | undefined;
  #failures = 0;
  /** Looks in a row that found something. */
  #finds = 0;
  #isTaking = false;
  #complainedAtMs = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;
  #closed = false;

  constructor(options: SpoolReplayOptions, checkpoint: ReplayCheckpoint) {
    this.#options = options;
    this.#buffers = createBlockBuffers(options.blockBytes ?? defaultBlockBytes);
    this.#checkpoint = checkpoint;
    options.spool.handOver(checkpoint.done);
    this.#schedule(0);
  }

  get state(): ReplayState {
    const { done } = this.#checkpoint;
    const waiting = this.#options.spool.segments().map(({ name, bytes }) => {
      if (name < done.segment) return 0;
      return name === done.segment ? Math.max(0, bytes - done.offset) : bytes;
    });
    const backlogBytes = waiting.reduce((sum, bytes) => sum + bytes, 0);
    return { backlogBytes, written: this.#inStore, rejected: this.#rejected, lastError: this.#lastError };
  }

  async catchUp(): Promise<void> {
    await this.#running;
    if (!this.#closed) await this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#cancelTimer?.();
    const cancel = this.#options.clock.after(graceMs, () => this.#ending.abort());
    await this.#running;
    // A store that nobody has needed yet is not started for this.
    if (this.#isTaking && this.#failures === 0) {
      await this.#options.spool.flush();
      await this.#run();
    }
    cancel();
  }

  #schedule(delayMs: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#options.clock.after(delayMs, () => {
      this.#cancelTimer = undefined;
      void this.#run();
    });
  }

  #run(): Promise<void> {
    this.#running ??= this.#drain().finally(() => {
      this.#running = undefined;
      if (!this.#closed) this.#schedule(this.#pauseMs());
    });
    return this.#running;
  }

  #pauseMs(): number {
    if (this.#failures > 0) return Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(this.#failures - 1, 10));
    const { intervalMs = defaultIntervalMs } = this.#options;
    return this.#finds < 2 ? intervalMs : intervalMs * longerPause;
  }

  /** Takes what is there now. What comes in meanwhile waits for the next time, or it would go in small pieces. */
  async #drain(): Promise<void> {
    const segments = this.#options.spool.segments();
    let hasFound = false;
    try {
      for (let block = await this.#next(segments); block !== undefined; block = await this.#next(segments)) {
        if (this.#ending.signal.aborted) break;
        hasFound = true;
        await this.#take(block);
      }
      await this.#write();
      this.#finds = hasFound ? this.#finds + 1 : 0;
      this.#failures = 0;
      this.#lastError = undefined;
    } catch (error) {
      this.#failures += 1;
      // Something of the request that failed may still be on its way out of them.
      this.#buffers = createBlockBuffers(this.#options.blockBytes ?? defaultBlockBytes);
      this.#complain(error);
    }
  }

  /** The range that was tried before, or the next one; undefined when the store has everything. */
  async #next(segments: readonly SpoolSegment[]): Promise<SpoolBlock | undefined> {
    const { directory, blockBytes = defaultBlockBytes } = this.#options;
    const { done, pending } = this.#checkpoint;
    for (const segment of segments.filter(({ name }) => name >= done.segment)) {
      const from = segment.name === done.segment ? done.offset : 0;
      const isPending = pending !== null && pending.segment === segment.name && pending.from === from;
      const range = isPending ? { name: segment.name, bytes: Math.min(pending.to, segment.bytes) } : segment;
      const maxBytes = isPending ? pending.to - from : blockBytes;
      const block = await readBlock({ directory, segment: range, from, maxBytes, buffers: this.#buffers });
      if (block !== undefined) return block;
    }
    return undefined;
  }

  async #take(block: SpoolBlock): Promise<void> {
    const { store, snapshots, clock, spool } = this.#options;
    const { signal } = this.#ending;
    const range: PendingRange = { segment: block.segment, from: block.from, to: block.to };
    const isNew = this.#checkpoint.pending === null && !this.#isUnknown(range);
    await snapshots.deliver(store, clock.now(), signal);
    this.#checkpoint = { ...this.#checkpoint, pending: range };
    await this.#write();
    const lines = countLines(block.lines); // before they are taken apart in their own memory
    const rejected = await insertBlock({
      store,
      block,
      spool: this.#checkpoint.spool,
      isNew,
      buffers: this.#buffers,
      signal,
    });
    this.#rejected += rejected;
    this.#inStore += lines - rejected;
    const done = { segment: block.segment, offset: block.to };
    this.#checkpoint = { ...this.#checkpoint, done, pending: null };
    spool.handOver(done);
    this.#isTaking = true;
  }

  #isUnknown({ segment, from }: PendingRange): boolean {
    const { segment: last, offset } = this.#checkpoint.unknownBefore;
    return segment < last || (segment === last && from < offset);
  }

  async #write(): Promise<void> {
    if (this.#written === this.#checkpoint) return;
    const writing = this.#checkpoint;
    await writeCheckpoint(this.#options.checkpointPath, writing);
    this.#written = writing;
  }

  #complain(error: unknown): void {
    const { clock, log } = this.#options;
    const { code, message, detail, cause } = toGatewayError(error);
    this.#lastError = `${message}${detail === undefined ? "" : ` ${detail}`}`;
    const isForGood = code === "analytics.not_available" && this.#failures > 1; // was said already
    if (isForGood || clock.monotonic() - this.#complainedAtMs < complainEveryMs) return;
    this.#complainedAtMs = clock.monotonic();
    const fields = { code, detail, err: cause, backlogBytes: this.state.backlogBytes };
    log.warn(fields, "events wait in the spool: the analytics store does not take them");
  }
}
