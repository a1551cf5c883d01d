import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { AnalyticsEvent, EventSink } from "../pipeline/event.ts";
import type { SpoolPlace, SpoolSegment, SpoolSegments } from "./spool-segments.ts";
import { openSpoolSegments } from "./spool-segments.ts";

export { tailSpool } from "./tail-spool.ts";

export interface EventSpoolOptions {
  /** Belongs to this spool alone; made when it is missing. */
  readonly directory: string;
  /** All segments together, in bytes; at least 8,192. */
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Events held in memory while the disk is slow or away; 10,000 unless told. */
  readonly maxQueued?: number;
}

/** A sink that keeps events in files. Disposing writes what is held; what cannot be written is counted as dropped. */
export interface EventSpool extends EventSink, AsyncDisposable {
  /** Resolves when everything recorded so far is in a file, or the disk has refused it once more. */
  flush(): Promise<void>;
  /** Attempts to write that the disk refused. */
  readonly writeErrors: number;
  /** What is on disk, oldest first; of the newest only the bytes that are whole lines and will stay. */
  segments(): readonly SpoolSegment[];
  /** Everything before `place` is in other hands now: its deletion counts as dropped no more. */
  handOver(place: SpoolPlace): void;
}

const batchEvents = 500;
const batchAfterMs = 200;
const retryAfterMs = 1_000;
const complainEveryMs = 60_000;

/**
 * Opens a spool, the store of analytics events before any database. `record` costs a push to a list; events are
 * serialised and written in batches, 200 ms after the first or when 500 wait.
 *
 * The format: `<directory>/<15 digits>.ndjson`, mode 0600. Each line is one `AnalyticsEvent` in JSON (UTF-8, no line
 * feed inside) and ends in a line feed; a last line without one was cut by a crash and counts for nothing. Names rise
 * in the order of writing and are never used twice, also not over restarts. Only the newest segment of a running
 * spool grows; every other one is final, so name and line number identify an event for good. Each opening begins a new
 * segment. When the bound is reached the oldest segments are deleted, and those of their events that were not handed over
 * are counted in `dropped`.
 * An event is written once; only power loss can take lines that were written.
 *
 * A batch that the disk refuses is kept and tried again each second; the log hears of it once a minute.
 */
export async function openEventSpool(options: EventSpoolOptions): Promise<EventSpool> {
  const { directory, maxBytes, clock } = options;
  const segmentBytes = Math.max(1_024, Math.min(16 * 1_048_576, Math.floor(maxBytes / 8)));
  return new QueuedSpool(options, await openSpoolSegments({ directory, maxBytes, segmentBytes, clock }), segmentBytes);
}

class QueuedSpool implements EventSpool {
  readonly isOpen = true;
  readonly #options: EventSpoolOptions;
  readonly #segments: SpoolSegments;
  readonly #largestLine: number;
  readonly #complain: (call: () => void) => void;
  readonly #queue: AnalyticsEvent[] = [];
  #notWritten = 0;
  #writeErrors = 0;
  #closed = false;
  #cancelTimer: (() => void) | undefined;
  #writing: Promise<void> | undefined;

  constructor(options: EventSpoolOptions, segments: SpoolSegments, largestLine: number) {
    this.#options = options;
    this.#segments = segments;
    this.#largestLine = largestLine;
    this.#complain = atMostEvery(complainEveryMs, options.clock);
  }

  get dropped(): number {
    return this.#notWritten + this.#segments.dropped;
  }

  get writeErrors(): number {
    return this.#writeErrors;
  }

  record(event: AnalyticsEvent): void {
    const { log, directory, maxQueued = 10_000 } = this.#options;
    if (this.#closed || this.#queue.length >= maxQueued) {
      this.#notWritten += 1;
      this.#complain(() =>
        log.warn({ directory, dropped: this.dropped }, "events are dropped: the spool takes no more"),
      );
      return;
    }
    this.#queue.push(event);
    if (this.#writing !== undefined) return;
    if (this.#queue.length === batchEvents) this.#schedule(0);
    else if (this.#cancelTimer === undefined) this.#schedule(batchAfterMs);
  }

  segments(): readonly SpoolSegment[] {
    return this.#segments.list();
  }

  handOver(place: SpoolPlace): void {
    this.#segments.handOver(place);
  }

  async flush(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    await this.#writing;
    if (this.#queue.length > 0) await this.#write();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.flush();
    this.#notWritten += this.#queue.splice(0).length;
    await this.#segments.close();
  }

  #schedule(delayMs: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#options.clock.after(delayMs, () => {
      this.#cancelTimer = undefined;
      void this.#write();
    });
  }

  #write(): Promise<void> {
    this.#writing ??= this.#drain().finally(() => {
      this.#writing = undefined;
      // What came in between the last look at the queue and now has no timer yet.
      if (this.#queue.length > 0 && this.#cancelTimer === undefined && !this.#closed) this.#schedule(batchAfterMs);
    });
    return this.#writing;
  }

  async #drain(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        const lines = this.#nextLines();
        if (lines.length > 0) this.#queue.splice(0, await this.#segments.append(lines));
      }
    } catch (error) {
      this.#writeErrors += 1;
      const { log, directory } = this.#options;
      const fields = { err: error, directory, writeErrors: this.#writeErrors, waiting: this.#queue.length };
      this.#complain(() => log.error(fields, "events cannot be written"));
      if (!this.#closed) this.#schedule(retryAfterMs);
    }
  }

  /** The lines of the first events in the queue; those that have no line or too large a one leave it as dropped. */
  #nextLines(): readonly Buffer[] {
    const batch = this.#queue.slice(0, batchEvents).map((event) => ({ event, line: lineOf(event) }));
    const good = batch.filter(({ line }) => line.length > 0 && line.length <= this.#largestLine);
    if (good.length < batch.length) {
      this.#queue.splice(0, batch.length, ...good.map(({ event }) => event));
      this.#notWritten += batch.length - good.length;
    }
    return good.map(({ line }) => line);
  }
}

/** Empty for what is no JSON: a fault of ours, and the other events must not suffer from it. */
function lineOf(event: AnalyticsEvent): Buffer {
  try {
    return Buffer.from(`${JSON.stringify(event)}\n`);
  } catch {
    return Buffer.alloc(0);
  }
}

function atMostEvery(intervalMs: number, clock: Clock): (call: () => void) => void {
  let lastMs = Number.NEGATIVE_INFINITY;
  return (call) => {
    if (clock.monotonic() - lastMs < intervalMs) return;
    lastMs = clock.monotonic();
    call();
  };
}
