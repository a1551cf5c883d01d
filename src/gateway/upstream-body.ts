import type { Clock } from "../kernel/clock.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";

/** What the body needs of undici: to hold the socket back, and to let go of it. */
export interface BodySource {
  pause(): void;
  resume(): void;
  abort(reason: Error): void;
}

/** Takes a body's pieces as they come. */
export interface BodyConsumer {
  onChunk(chunk: Buffer): void;
  onEnd(): void;
  onFailure(error: unknown): void;
}

/** So much waits for a reader at most before the socket is held back. */
export const highWaterBytes = 65_536;

/**
 * The body of an upstream's answer. One reader: `whole`, `chunks` or `forward`. While the reader is behind, the socket is
 * held back, so an answer of any length needs little memory; who has it forwarded says so by `pause` and `resume`.
 */
export class UpstreamBody {
  readonly #source: BodySource;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #paused = false;
  #state: "open" | "ended" | "failed" = "open";
  #error: unknown;
  #wake: (() => void) | undefined;
  #limitBytes = Number.POSITIVE_INFINITY;
  #collecting = false;
  #released = false;
  #cancelRelease: (() => void) | undefined;
  #consumer: BodyConsumer | undefined;

  constructor(source: BodySource) {
    this.#source = source;
  }

  push(chunk: Buffer): void {
    if (this.#released) return;
    if (this.#consumer !== undefined) {
      this.#consumer.onChunk(chunk);
      return;
    }
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#collecting) {
      if (this.#bytes > this.#limitBytes) this.#source.abort(tooLarge(this.#limitBytes));
      return;
    }
    if (this.#bytes > highWaterBytes) this.pause();
    this.#wakeReader();
  }

  end(): void {
    this.#state = "ended";
    this.#cancelRelease?.();
    this.#consumer?.onEnd();
    this.#wakeReader();
  }

  fail(error: unknown): void {
    this.#state = "failed";
    this.#error = error;
    this.#consumer?.onFailure(error);
    this.#wakeReader();
  }

  /** Hands every piece on in the turn in which it comes, what has come already at once. */
  forward(consumer: BodyConsumer): void {
    this.#consumer = consumer;
    const wasHeld = this.#paused;
    this.#paused = false;
    this.#bytes = 0;
    for (const chunk of this.#chunks.splice(0)) consumer.onChunk(chunk);
    if (this.#state === "ended") consumer.onEnd();
    else if (this.#state === "failed") consumer.onFailure(this.#error);
    else if (wasHeld && !this.#paused) this.#source.resume(); // unless the consumer has had enough already
  }

  /** Holds the socket back. */
  pause(): void {
    if (this.#paused || this.#state !== "open") return;
    this.#paused = true;
    this.#source.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#state === "open") this.#source.resume();
  }

  /** Holds nothing back from now on: `whole` will be asked for, of as many bytes at most. */
  collect(limitBytes: number): void {
    this.#collecting = true;
    this.#limitBytes = limitBytes;
    if (this.#bytes > limitBytes) this.#source.abort(tooLarge(limitBytes));
    this.resume();
  }

  /**
   * All of it, at once when it has ended. Fails with `upstream.too_large` beyond `limitBytes`, and with the fault of a
   * body that breaks off.
   */
  whole(limitBytes: number): MaybePromise<Buffer> {
    this.collect(limitBytes);
    return this.#state === "open" ? this.#untilEnded() : this.#collected();
  }

  async #untilEnded(): Promise<Buffer> {
    while (this.#state === "open") await this.#change();
    return this.#collected();
  }

  #collected(): Buffer {
    if (this.#state === "failed") throw this.#error;
    if (this.#bytes > this.#limitBytes) throw tooLarge(this.#limitBytes); // it had ended before anybody asked
    const [first] = this.#chunks;
    return this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks, this.#bytes);
  }

  /** Lets go of the socket when nobody will read on. Harmless after the end. */
  discard(): void {
    if (this.#state !== "open") return;
    this.#source.abort(new GatewayError("client.closed", "The answer is not needed any more."));
  }

  /**
   * The message is whole, though the body may not have ended: reads the rest away, so that the connection can serve
   * again, and gives up on an upstream that has not ended it after `waitMs`.
   */
  release(clock: Clock, waitMs: number): void {
    this.#released = true;
    this.#chunks = [];
    this.resume();
    if (this.#state === "open") this.#cancelRelease = clock.after(waitMs, () => this.discard());
  }

  /** Piece by piece. Leaving the loop early lets go of the socket, unless `release` was called. */
  async *chunks(): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        const chunk = this.#take();
        if (chunk !== undefined) yield chunk;
        else if (this.#state === "ended") return;
        else if (this.#state === "failed") throw this.#error;
        else await this.#change();
      }
    } finally {
      if (!this.#released) this.discard();
    }
  }

  #take(): Buffer | undefined {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return undefined;
    this.#bytes -= chunk.length;
    if (this.#chunks.length === 0) this.resume();
    return chunk;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #wakeReader(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

function tooLarge(limitBytes: number): GatewayError {
  return new GatewayError("upstream.too_large", "The upstream's answer is too large.", {
    detail: `over ${limitBytes} bytes`,
  });
}
