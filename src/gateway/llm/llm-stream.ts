import type { Clock } from "../../kernel/clock.ts";
import type { ByteSink, Frame, FrameStream, PumpedFrames } from "../../pipeline/exchange.ts";
import type { BodyConsumer, UpstreamBody } from "../upstream-body.ts";
import { highWaterBytes } from "../upstream-body.ts";
import type { StreamReader } from "./stream-reader.ts";

const releaseMs = 1_000;

/** A chat stream on its way from the upstream's body to whoever reads it, frame by frame or pumped. */
export class LlmStream implements FrameStream, PumpedFrames, BodyConsumer {
  readonly #body: UpstreamBody;
  readonly #clock: Clock;
  readonly #reader: StreamReader;
  readonly #queue: Frame[] = [];
  #queuedBytes = 0;
  #state: "open" | "ended" | "failed" = "open";
  #error: unknown;
  #sink: ByteSink | undefined;
  #wake: (() => void) | undefined;
  /** The sink has asked for no more. */
  #isHeld = false;

  constructor(body: UpstreamBody, reader: StreamReader, clock: Clock) {
    this.#body = body;
    this.#clock = clock;
    this.#reader = reader;
    body.forward(this);
  }

  get pumped(): PumpedFrames {
    return this;
  }

  /** Waits for the first frame, so that an upstream that dies before it can still be answered by another one. */
  async start(): Promise<this> {
    while (this.#queue.length === 0 && this.#state === "open") await this.#change();
    if (this.#queue.length === 0 && this.#state === "failed") throw this.#error;
    return this;
  }

  onChunk(chunk: Buffer): void {
    if (this.#state !== "open") return;
    try {
      for (const frame of this.#reader.push(chunk)) this.#emit(frame);
    } catch (error) {
      this.onFailure(error);
      this.#body.discard();
      return;
    }
    if (this.#reader.isDone) {
      this.#body.release(this.#clock, releaseMs);
      this.#end();
    }
  }

  onEnd(): void {
    if (this.#state !== "open") return;
    try {
      for (const frame of this.#reader.end()) this.#emit(frame);
    } catch (error) {
      this.onFailure(error);
      return;
    }
    this.#end();
  }

  onFailure(error: unknown): void {
    if (this.#state !== "open") return;
    this.#state = "failed";
    this.#error = error;
    this.#sink?.fail(error);
    this.#wakeReader();
  }

  pump(sink: ByteSink): void {
    this.#sink = sink;
    this.#queuedBytes = 0;
    for (const frame of this.#queue.splice(0)) sink.write(frame.bytes);
    if (this.#state === "ended") sink.end();
    else if (this.#state === "failed") sink.fail(this.#error);
    else if (!this.#isHeld) this.#body.resume();
  }

  pause(): void {
    this.#isHeld = true;
    this.#body.pause();
  }

  resume(): void {
    this.#isHeld = false;
    this.#body.resume();
  }

  discard(): void {
    this.#body.discard();
  }

  [Symbol.asyncIterator](): AsyncIterator<Frame> {
    return {
      next: () => this.#next(),
      return: async () => {
        this.discard();
        return { done: true, value: undefined };
      },
    };
  }

  async #next(): Promise<IteratorResult<Frame>> {
    for (;;) {
      const frame = this.#queue.shift();
      if (frame !== undefined) {
        this.#queuedBytes -= frame.bytes.length;
        if (this.#queue.length === 0) this.#body.resume();
        return { done: false, value: frame };
      }
      if (this.#state === "failed") throw this.#error;
      if (this.#state === "ended") return { done: true, value: undefined };
      await this.#change();
    }
  }

  #emit(frame: Frame): void {
    if (this.#sink !== undefined) {
      this.#sink.write(frame.bytes);
      return;
    }
    this.#queue.push(frame);
    this.#queuedBytes += frame.bytes.length;
    if (this.#queuedBytes > highWaterBytes) this.#body.pause();
    this.#wakeReader();
  }

  #end(): void {
    this.#state = "ended";
    this.#sink?.end();
    this.#wakeReader();
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
