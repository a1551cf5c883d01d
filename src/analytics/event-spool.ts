import type { GovernanceSink } from "../core/governance-event.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { AnalyticsEvent, CaptureSink, EventSink } from "../pipeline/event.ts";
import { countLines } from "./count-lines.ts";
import type { SpooledEvent } from "./event-line.ts";
import { createEventLineWriter } from "./event-line.ts";
import type { HeldLines } from "./held-lines.ts";
import { createHeldLines } from "./held-lines.ts";
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
  /** Bytes of events held in memory while the disk is slow or away; 16 MiB unless told. */
  readonly maxHeldBytes?: number;
}

/** A sink that keeps events in files. Disposing writes what is held; what cannot be written is counted as dropped. */
export interface EventSpool extends EventSink, AsyncDisposable {
  /** Resolves when everything recorded so far is in a file, or the disk has refused it once more. */
  flush(): Promise<void>;
  /** Events written to files since the start. */
  readonly spooled: number;
  /** Attempts to write that the disk refused. */
  readonly writeErrors: number;
  /** What is on disk, oldest first; of the newest only the bytes that are whole lines and will stay. */
  segments(): readonly SpoolSegment[];
  /** Everything before `place` is in other hands now: its deletion counts as dropped no more. */
  handOver(place: SpoolPlace): void;
}

const batchBytes = 196_608;
const batchAfterMs = 200;
/** Events that wait for their lines; few, for they are to be gone before the collector has moved them. */
const freshEvents = 32;
const defaultHeldBytes = 16 * 1_048_576;
const retryAfterMs = 1_000;
const complainEveryMs = 60_000;

/**
 * Opens a spool, the store of analytics events before any database. `record` makes the event's line; lines are written
 * in batches, 200 ms after the first or when 192 KiB wait.
 *
 * The format: `<directory>/<15 digits>.ndjson`, mode 0600. Each line is one event as `event-line.ts` writes it and ends
 * in a line feed; a last line without one was cut by a crash and counts for nothing. Names rise
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
  readonly #complain: (call: () => void) => void;
  readonly #held: HeldLines<SpooledEvent>;
  readonly #fresh: SpooledEvent[] = [];
  #notWritten = 0;
  #spooled = 0;
  #writeErrors = 0;
  #closed = false;
  #cancelTimer: (() => void) | undefined;
  #isDue = false;
  #isFailing = false;
  #writing: Promise<void> | undefined;

  constructor(options: EventSpoolOptions, segments: SpoolSegments, longestLine: number) {
    this.#options = options;
    this.#segments = segments;
    const maxHeldBytes = options.maxHeldBytes ?? defaultHeldBytes;
    this.#held = createHeldLines({ maxBytes: maxHeldBytes, longestLine, write: createEventLineWriter() });
    this.#complain = atMostEvery(complainEveryMs, options.clock);
  }

  get dropped(): number {
    return this.#notWritten + this.#segments.dropped;
  }

  get spooled(): number {
    return this.#spooled;
  }

  get writeErrors(): number {
    return this.#writeErrors;
  }

  record(event: AnalyticsEvent): void {
    this.#take(event);
  }

  readonly governance: GovernanceSink = { record: (event) => this.#take(event) };

  readonly captures: CaptureSink = {
    record: (event) => this.#take(event),
    lost: () => {
      this.#notWritten += 1;
    },
  };

  #take(event: SpooledEvent): void {
    if (this.#closed) return this.#refuse();
    this.#fresh.push(event);
    if (this.#fresh.length >= freshEvents) this.#writeLines();
    this.#plan();
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
    this.#writeLines();
    if (this.#held.bytes > 0) await this.#write();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.flush();
    this.#notWritten += this.#held.clear();
    await this.#segments.close();
  }

  /** In one go, which takes a third of the time of one line per request: its code stays in the processor's cache. */
  #writeLines(): void {
    for (const event of this.#fresh) this.#writeLine(event);
    this.#fresh.length = 0;
  }

  /** What is no JSON is a fault of ours, and the other events must not suffer from it. */
  #writeLine(event: SpooledEvent): void {
    try {
      const end = this.#held.add(event);
      if (end === "too long") this.#notWritten += 1;
      else if (end === "full") this.#refuse();
    } catch {
      this.#notWritten += 1;
    }
  }

  #refuse(): void {
    const { log, directory } = this.#options;
    this.#notWritten += 1;
    this.#complain(() => log.warn({ directory, dropped: this.dropped }, "events are dropped: the spool takes no more"));
  }

  #plan(): void {
    if (this.#writing !== undefined || this.#isDue) return;
    this.#isDue = this.#held.bytes >= batchBytes && !this.#isFailing;
    if (this.#isDue) this.#schedule(0);
    else if (this.#cancelTimer === undefined) this.#schedule(batchAfterMs);
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
      this.#isDue = false;
      // What came in meanwhile has no timer yet.
      if (this.#held.bytes + this.#fresh.length > 0 && this.#cancelTimer === undefined && !this.#closed) this.#plan();
    });
    return this.#writing;
  }

  /** Writes what is held now. What comes in meanwhile waits for its own batch: many small writes would cost more. */
  async #drain(): Promise<void> {
    this.#writeLines();
    try {
      for (let left = this.#held.bytes; left > 0; ) {
        const first = this.#held.first();
        const taken = await this.#segments.append(first.subarray(0, Math.min(first.length, left)));
        this.#spooled += countLines(first.subarray(0, taken));
        this.#held.take(taken);
        left -= taken;
      }
      this.#isFailing = false;
    } catch (error) {
      this.#writeErrors += 1;
      this.#isFailing = true;
      const { log, directory } = this.#options;
      const fields = { err: error, directory, writeErrors: this.#writeErrors, waitingBytes: this.#held.bytes };
      this.#complain(() => log.error(fields, "events cannot be written"));
      if (!this.#closed) this.#schedule(retryAfterMs);
    }
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
