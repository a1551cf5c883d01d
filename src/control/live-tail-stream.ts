import type { LiveFilter, LiveReader } from "../analytics/live-reader.ts";
import type { Clock } from "../kernel/clock.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { Log } from "../kernel/log.ts";

export interface LiveTail {
  readonly live: LiveReader;
  readonly filter: LiveFilter;
  /** Where to begin. */
  readonly cursor: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Called once, when the stream is over, whoever ended it. */
  readonly onEnd: () => void;
}

/** What a tail keeps to; times in milliseconds. */
export const liveTailLimits = {
  rowsAtOnce: 200,
  pollMs: 1_000,
  heartbeatMs: 15_000,
  /** Bytes that wait for a reader before no more rows are read for it. */
  bufferBytes: 262_144,
  /** How long a reader may leave that much lying. */
  slowMs: 30_000,
  /** Then the reader comes again, and what it may see is looked at anew. */
  longestMs: 600_000,
} as const;

/**
 * Rows as server-sent events (WHATWG HTML, 9.2): `exchange` with a row, its cursor as the id; comments while there is
 * nothing; and before the end an event `end` that says why: `slow`, `time` or `failed`. While the store is away the stream
 * stays and goes on behind the last row.
 */
export function liveTailStream(tail: LiveTail): ReadableStream<Uint8Array> {
  const stop = new AbortController();
  const reader: Reader = { wants: () => undefined };
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        // Not waited for: a stream is read while its source still runs.
        void run(tail, controller, reader, stop.signal).finally(tail.onEnd);
      },
      pull: () => reader.wants(),
      cancel: () => stop.abort(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: liveTailLimits.bufferBytes }),
  );
}

type Controller = ReadableStreamDefaultController<Uint8Array>;

interface Reader {
  /** Called when what lay for the reader has become less than may lie. */
  wants: () => void;
}

async function run(tail: LiveTail, controller: Controller, reader: Reader, signal: AbortSignal): Promise<void> {
  const { clock } = tail;
  const { pollMs, heartbeatMs, slowMs, longestMs } = liveTailLimits;
  const begunAt = clock.monotonic();
  const say = (text: string): void => controller.enqueue(Buffer.from(text));
  let { cursor } = tail;
  let [spokeAt, flowedAt] = [begunAt, begunAt];
  say("retry: 1000\n\n");
  for (;;) {
    const now = clock.monotonic();
    if (controller.desiredSize !== null && controller.desiredSize > 0) flowedAt = now;
    const over = now - flowedAt >= slowMs ? "slow" : now - begunAt >= longestMs ? "time" : undefined;
    if (over !== undefined) return finish(controller, over);
    let isMore = false;
    if (flowedAt === now) {
      const rows = await nextRows(tail, cursor);
      if (signal.aborted) return;
      if (rows === "failed") return finish(controller, "failed");
      for (const { row, cursor: id } of rows) say(`id: ${id}\nevent: exchange\ndata: ${JSON.stringify(row)}\n\n`);
      cursor = rows.at(-1)?.cursor ?? cursor;
      isMore = rows.length === liveTailLimits.rowsAtOnce;
      if (rows.length > 0) spokeAt = now;
      else if (now - spokeAt >= heartbeatMs) {
        say(": nothing new\n\n");
        spokeAt = now;
      }
    }
    const isFull = (controller.desiredSize ?? 0) <= 0;
    if (!isMore || isFull) await pause(clock, pollMs, signal, isFull ? reader : undefined);
    if (signal.aborted) return;
  }
}

/** None while the store is away, which is no fault of a tail's. */
async function nextRows({ live, filter, log }: LiveTail, cursor: string) {
  try {
    return await live.after(cursor, filter, liveTailLimits.rowsAtOnce);
  } catch (error) {
    if (error instanceof GatewayError && error.code === "store.unavailable") return [];
    log.error({ err: error }, "the rows of a live tail could not be read");
    return "failed";
  }
}

const reasons = {
  slow: "The reader has left too much lying. Ask again with the last id as Last-Event-ID.",
  time: "A tail lasts ten minutes. Ask again with the last id as Last-Event-ID.",
  failed: "The rows could not be read.",
} as const;

function finish(controller: Controller, reason: keyof typeof reasons): void {
  const data = JSON.stringify({ reason, message: reasons[reason] });
  controller.enqueue(Buffer.from(`event: end\ndata: ${data}\n\n`));
  controller.close();
}

/** Until the time is over, the tail is stopped, or its reader wants more. */
async function pause(clock: Clock, ms: number, signal: AbortSignal, reader: Reader | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = (): void => resolve();
  const cancel = clock.after(ms, wake);
  signal.addEventListener("abort", wake);
  if (reader !== undefined) reader.wants = wake;
  if (signal.aborted) resolve();
  await promise;
  signal.removeEventListener("abort", wake);
  cancel();
}
