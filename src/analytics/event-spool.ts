import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { AnalyticsEvent, EventSink } from "../pipeline/event.ts";
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
 * segment. When the bound is reached the oldest segments are deleted and their events counted in `dropped`.
 * An event is written once; only power loss can take lines that were written.
 *
 * A batch that the disk refuses is kept and tried again each second; the log hears of it once a minute.
 */
export async function openEventSpool(options: EventSpoolOptions): Promise<EventSpool> {
  const { directory, maxBytes, clock, log, maxQueued = 10_000 } = options;
  const segmentBytes = Math.max(1_024, Math.min(16 * 1_048_576, Math.floor(maxBytes / 8)));
  const segments = await openSpoolSegments({ directory, maxBytes, segmentBytes, clock });
  const complain = atMostEvery(complainEveryMs, clock);
  const queue: AnalyticsEvent[] = [];
  let unwritable = 0;
  let writeErrors = 0;
  let closed = false;
  let cancelTimer: (() => void) | undefined;
  let writing: Promise<void> | undefined;

  const schedule = (delayMs: number): void => {
    cancelTimer?.();
    cancelTimer = clock.after(delayMs, () => {
      cancelTimer = undefined;
      void write();
    });
  };
  const write = (): Promise<void> => {
    writing ??= drain().finally(() => {
      writing = undefined;
      // What came in between the last look at the queue and now has no timer yet.
      if (queue.length > 0 && cancelTimer === undefined && !closed) schedule(batchAfterMs);
    });
    return writing;
  };
  const drain = async (): Promise<void> => {
    try {
      while (queue.length > 0) {
        const batch = queue.slice(0, batchEvents);
        const lines = batch.map(lineOf).filter((line) => line !== undefined && line.length <= segmentBytes);
        if (lines.length < batch.length) {
          // Rare enough to take the batch apart: the good ones stay in the queue in their order.
          queue.splice(
            0,
            batch.length,
            ...batch.filter((event) => (lineOf(event)?.length ?? Infinity) <= segmentBytes),
          );
          unwritable += batch.length - lines.length;
          continue;
        }
        const written = await segments.append(lines as readonly Buffer[]); // none is undefined: the lengths are equal
        queue.splice(0, written);
      }
    } catch (error) {
      writeErrors += 1;
      complain(() =>
        log.error({ err: error, directory, writeErrors, waiting: queue.length }, "events cannot be written"),
      );
      if (!closed) schedule(retryAfterMs);
    }
  };
  const flush = async (): Promise<void> => {
    cancelTimer?.();
    cancelTimer = undefined;
    await writing;
    if (queue.length > 0) await write();
  };

  return {
    record(event) {
      if (closed || queue.length >= maxQueued) {
        unwritable += 1;
        complain(() => log.warn({ directory, dropped: unwritable }, "events are dropped: the spool takes no more"));
        return;
      }
      queue.push(event);
      if (writing !== undefined) return;
      if (queue.length === batchEvents) schedule(0);
      else if (cancelTimer === undefined) schedule(batchAfterMs);
    },
    flush,
    get dropped() {
      return unwritable + segments.dropped;
    },
    get writeErrors() {
      return writeErrors;
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      await flush();
      unwritable += queue.splice(0).length;
      await segments.close();
    },
  };
}

function lineOf(event: AnalyticsEvent): Buffer | undefined {
  try {
    return Buffer.from(`${JSON.stringify(event)}\n`);
  } catch {
    return undefined; // no JSON: a fault of ours, and the other events must not suffer from it
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
