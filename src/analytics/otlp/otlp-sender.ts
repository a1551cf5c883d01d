import { z } from "zod";
import type { Clock } from "../../kernel/clock.ts";
import type { Log } from "../../kernel/log.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import { retryAfterMs } from "../../kernel/retry-after.ts";
import type { SafeFetch } from "../../kernel/safe-fetch.ts";

/** Where a collector is, and what is sent with. */
export interface OtlpEndpoint {
  /** The receiver's base address, without a slash at its end. */
  readonly endpoint: string;
  /** Headers that the collector is shown; lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly fetch: SafeFetch;
  readonly clock: Clock;
  readonly log: Log;
}

export interface OtlpSenderOptions<Item> extends OtlpEndpoint {
  readonly signal: "traces" | "metrics" | "logs";
  /** Milliseconds that an item waits for others to go with. */
  readonly batchAfterMs: number;
  /** Items of one body. */
  readonly batchItems: number;
  /** Items that wait at most; what comes then is dropped. */
  readonly mostWaiting: number;
  /** The JSON of a body. Runs once for each batch, off the request's path. */
  encode(items: readonly Item[]): string;
}

/** Sends items in batches. Disposing sends what waits, within two seconds; what is left then counts as dropped. */
export interface OtlpSender<Item> extends AsyncDisposable {
  /** Returns at once and never throws. */
  push(item: Item): void;
  /** Items that were never taken: the queue was full, or the collector refused them. */
  readonly dropped: number;
  readonly sent: number;
}

const callMs = 10_000;
const farewellMs = 2_000;
const leastPauseMs = 1_000;
const mostPauseMs = 60_000;
const retriedStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/**
 * A bounded queue of one signal with one call at a time. A collector that is away or busy (429, 502, 503, 504) is sent the
 * same again after longer pauses, or when its `Retry-After` says; what it refuses otherwise is dropped.
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
export function createOtlpSender<Item>(options: OtlpSenderOptions<Item>): OtlpSender<Item> {
  return new BatchedSender(options);
}

interface Batch {
  readonly body: string;
  readonly size: number;
}

class BatchedSender<Item> implements OtlpSender<Item> {
  readonly #options: OtlpSenderOptions<Item>;
  readonly #ending = new AbortController();
  #waiting: Item[] = [];
  #batch: Batch | undefined;
  #dropped = 0;
  #sent = 0;
  #pauseMs = 0;
  #cancelTimer: (() => void) | undefined;
  #sending: Promise<void> | undefined;
  #closed = false;

  constructor(options: OtlpSenderOptions<Item>) {
    this.#options = options;
  }

  get dropped(): number {
    return this.#dropped;
  }

  get sent(): number {
    return this.#sent;
  }

  push(item: Item): void {
    if (this.#closed || this.#waiting.length >= this.#options.mostWaiting) this.#dropped += 1;
    else this.#waiting.push(item);
    if (this.#cancelTimer === undefined) this.#plan(this.#options.batchAfterMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelTimer?.();
    const cancel = this.#options.clock.after(farewellMs, () => this.#ending.abort());
    await this.#sending;
    this.#pauseMs = 0;
    while (this.#hasWork() && !this.#ending.signal.aborted && this.#pauseMs === 0) await this.#send();
    cancel();
    this.#dropped += (this.#batch?.size ?? 0) + this.#waiting.length;
    this.#batch = undefined;
    this.#waiting = [];
  }

  #hasWork(): boolean {
    return this.#batch !== undefined || this.#waiting.length > 0;
  }

  #plan(delayMs: number): void {
    if (this.#closed || this.#cancelTimer !== undefined || this.#sending !== undefined) return;
    this.#cancelTimer = this.#options.clock.after(delayMs, () => {
      this.#cancelTimer = undefined;
      this.#sending = this.#send().finally(() => {
        this.#sending = undefined;
        if (this.#hasWork()) this.#plan(this.#delayMs());
      });
    });
  }

  #delayMs(): number {
    if (this.#pauseMs > 0) return this.#pauseMs;
    return this.#waiting.length >= this.#options.batchItems ? 0 : this.#options.batchAfterMs;
  }

  async #send(): Promise<void> {
    const batch = (this.#batch ??= this.#takeBatch());
    const { endpoint, headers, fetch, clock, log, signal } = this.#options;
    try {
      const answer = await fetch(`${endpoint}/v1/${signal}`, {
        chosenBy: "operator",
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: batch.body,
        timeoutMs: callMs,
        signal: this.#ending.signal,
      });
      if (retriedStatuses.has(answer.status)) return this.#pause(retryAfterMs(answer.headers, clock.now()));
      const isTaken = answer.status >= 200 && answer.status < 300;
      const refused = isTaken ? Math.min(batch.size, refusedIn(answer.text())) : batch.size;
      this.#sent += batch.size - refused;
      this.#dropped += refused;
      if (refused > 0) log.warn({ signal, status: answer.status, refused }, "the collector refuses telemetry");
      this.#batch = undefined;
      this.#pauseMs = 0;
    } catch (error) {
      if (this.#pauseMs === 0 && !this.#closed) log.warn({ signal, err: error }, "the collector cannot be reached");
      this.#pause(undefined);
    }
  }

  #takeBatch(): Batch {
    const items = this.#waiting.splice(0, this.#options.batchItems);
    return { body: this.#options.encode(items), size: items.length };
  }

  #pause(askedMs: number | undefined): void {
    const grown = Math.max(leastPauseMs, this.#pauseMs * 2);
    this.#pauseMs = Math.max(1, Math.min(mostPauseMs, askedMs ?? grown));
  }
}

/** How many items of a body a collector has refused that has taken the others; 0 where it says nothing. */
function refusedIn(answer: string): number {
  const { data } = z.preprocess(parsed, partialSchema).safeParse(answer);
  return Math.max(
    0,
    ...Object.values(data?.partialSuccess ?? {})
      .map(Number)
      .filter(Number.isInteger),
  );
}

const countSchema = z.union([z.string().max(20), z.int()]).optional(); // 64 bits are text in OTLP's JSON, and not everybody's
const partialSchema = z.object({
  partialSuccess: z.object({
    rejectedSpans: countSchema,
    rejectedDataPoints: countSchema,
    rejectedLogRecords: countSchema,
  }),
});

function parsed(text: unknown): unknown {
  try {
    return parseJson(String(text));
  } catch {
    return undefined;
  }
}
