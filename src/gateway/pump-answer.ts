import { GatewayError, toGatewayError } from "../kernel/errors.ts";
import type { ClientResponse, Encoded } from "../pipeline/adapter.ts";
import type { ByteSink, Exchange, PumpedFrames } from "../pipeline/exchange.ts";
import { endBroken } from "./end-broken.ts";
import { letGoWhenStalled } from "./let-go-when-stalled.ts";
import type { WriteOptions } from "./write-answer.ts";

/**
 * Writes a stream in its push form: each piece goes out in the turn in which it came. Resolves when the last byte is
 * handed over; rejects with the stream's fault while nothing was sent, for then it can be answered properly.
 */
export function pumpAnswer(
  exchange: Exchange,
  status: number,
  frames: PumpedFrames,
  headers: Readonly<Record<string, string>>,
  response: ClientResponse,
  options: WriteOptions,
): Promise<Encoded> {
  return new Promise((resolve, reject) => {
    try {
      frames.pump(new AnswerPump({ exchange, status, frames, headers, response, options, resolve, reject }));
    } catch (error) {
      frames.discard();
      reject(toGatewayError(error));
    }
  });
}

interface PumpParts {
  readonly exchange: Exchange;
  readonly status: number;
  readonly frames: PumpedFrames;
  readonly headers: Readonly<Record<string, string>>;
  readonly response: ClientResponse;
  readonly options: WriteOptions;
  resolve(encoded: Encoded): void;
  reject(error: unknown): void;
}

class AnswerPump implements ByteSink {
  readonly #parts: PumpParts;
  #isOver = false;
  #letFlow: (() => void) | undefined;

  constructor(parts: PumpParts) {
    this.#parts = parts;
  }

  write(bytes: Uint8Array): void {
    const { exchange, response, options } = this.#parts;
    if (this.#isOver) return;
    if (exchange.cancellation.isCancelled || response.destroyed) {
      this.fail(new GatewayError("client.closed", "The client went away."));
      return;
    }
    exchange.firstByteMs ??= options.clock.monotonic() - exchange.startedMonotonicMs;
    exchange.responseBytes += bytes.length;
    this.#begin();
    if (!response.write(bytes)) this.#hold();
  }

  end(): void {
    if (this.#isOver) return;
    const { response, options, status, resolve } = this.#parts;
    if (response.destroyed) {
      this.fail(new GatewayError("client.closed", "The client went away."));
      return;
    }
    this.#finish();
    this.#begin();
    response.end();
    letGoWhenStalled(response, options.stalledMs);
    resolve({ status, error: undefined });
  }

  fail(cause: unknown): void {
    if (this.#isOver) return;
    this.#finish();
    const { exchange, response, frames, options, status, resolve, reject } = this.#parts;
    const error = toGatewayError(exchange.cancellation.reason ?? cause);
    if (error.code === "client.closed" || response.destroyed) {
      frames.discard();
      response.destroy();
      resolve({ status: 499, error });
      return;
    }
    if (!response.headersSent) {
      reject(error);
      return;
    }
    endBroken(response, options.errorFrame(error));
    letGoWhenStalled(response, options.stalledMs);
    resolve({ status, error });
  }

  #begin(): void {
    const { response, status, headers } = this.#parts;
    if (!response.headersSent) response.writeHead(status, headers);
  }

  /** Until the client takes bytes again; one that stands still for too long is let go. */
  #hold(): void {
    if (this.#letFlow !== undefined) return;
    const { response, frames, options } = this.#parts;
    frames.pause();
    const stalled = (): void =>
      this.fail(
        new GatewayError("client.closed", "The client stopped reading.", { detail: `${options.stalledMs} ms` }),
      );
    const cancel = options.clock.after(options.stalledMs, stalled);
    const onDrain = (): void => {
      this.#letFlow?.();
      frames.resume();
    };
    this.#letFlow = () => {
      this.#letFlow = undefined;
      cancel();
      response.off("drain", onDrain);
    };
    response.on("drain", onDrain);
  }

  #finish(): void {
    this.#isOver = true;
    this.#letFlow?.();
  }
}
