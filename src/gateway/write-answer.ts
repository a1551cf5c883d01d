import type { Cancellation } from "../kernel/cancellation.ts";
import type { Clock } from "../kernel/clock.ts";
import { GatewayError, toGatewayError } from "../kernel/errors.ts";
import type { ClientResponse, Encoded } from "../pipeline/adapter.ts";
import type { Answer, Exchange, Frame } from "../pipeline/exchange.ts";
import { endBroken } from "./end-broken.ts";
import { letGoWhenStalled } from "./let-go-when-stalled.ts";
import { pumpAnswer } from "./pump-answer.ts";

export interface WriteOptions {
  readonly clock: Clock;
  /** A client that takes no byte for so long is let go. */
  readonly stalledMs: number;
  /** The bytes that end a broken stream in the client's dialect; undefined where nothing can be said in it. */
  errorFrame(error: GatewayError): Uint8Array | undefined;
}

/** Writes an answer to the raw response: at once when whole, frame by frame as the client takes them when a stream. */
export function writeAnswer(
  exchange: Exchange,
  answer: Answer,
  response: ClientResponse,
  options: WriteOptions,
): Encoded | Promise<Encoded> {
  const headers = { ...answer.headers, ...exchange.responseHeaders, "x-request-id": exchange.id };
  if (answer.body.type === "stream") {
    if (answer.body.headersFirst === true && !response.destroyed) {
      response.writeHead(answer.status, headers);
      response.flushHeaders();
    }
    const { frames } = answer.body;
    if (frames.pumped !== undefined)
      return pumpAnswer(exchange, answer.status, frames.pumped, headers, response, options);
    return writeStream(exchange, answer, frames, headers, response, options);
  }
  const { bytes } = answer.body.frame;
  return writeWhole(exchange, answer.status, headers, bytes, response, options);
}

/** Writes one whole body with its length. */
export function writeWhole(
  exchange: Exchange,
  status: number,
  headers: Record<string, string | number>,
  bytes: Uint8Array,
  response: ClientResponse,
  options: Pick<WriteOptions, "clock" | "stalledMs">,
): Encoded {
  if (response.destroyed || hasLeft(exchange)) return clientLeft(exchange);
  exchange.firstByteMs = options.clock.monotonic() - exchange.startedMonotonicMs;
  exchange.responseBytes += bytes.length;
  headers["content-length"] = bytes.length;
  response.writeHead(status, headers);
  endWith(response, bytes);
  letGoWhenStalled(response, options.stalledMs);
  return { status, error: undefined };
}

const oneWriteBytes = 4_096;

// Node joins the head and a string into one write, where a buffer makes it two; Latin-1 keeps each byte as it is.
function endWith(response: ClientResponse, bytes: Uint8Array): void {
  if (bytes.length > oneWriteBytes) response.end(bytes);
  else response.end(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1"), "latin1");
}

async function writeStream(
  exchange: Exchange,
  answer: Answer,
  frames: AsyncIterable<Frame>,
  headers: Record<string, string>,
  response: ClientResponse,
  options: WriteOptions,
): Promise<Encoded> {
  const { clock } = options;
  let error: GatewayError | undefined;
  try {
    for await (const frame of frames) {
      if (exchange.cancellation.isCancelled) throw exchange.cancellation.reason;
      exchange.firstByteMs ??= clock.monotonic() - exchange.startedMonotonicMs;
      if (!response.headersSent) response.writeHead(answer.status, headers);
      exchange.responseBytes += frame.bytes.length;
      if (!response.write(frame.bytes)) await drained(response, exchange.cancellation, options);
    }
  } catch (cause) {
    error = toGatewayError(exchange.cancellation.reason ?? cause);
  }
  if (error?.code === "client.closed" || response.destroyed) {
    response.destroy();
    return { status: 499, error: error ?? new GatewayError("client.closed", "The client went away.") };
  }
  if (!response.headersSent) {
    // Nothing was sent: the fault can still be a proper answer with a status of its own.
    if (error !== undefined) throw error;
    response.writeHead(answer.status, headers);
  }
  if (error !== undefined) endBroken(response, options.errorFrame(error));
  else response.end();
  letGoWhenStalled(response, options.stalledMs);
  return { status: answer.status, error };
}

/** Resolves when the client takes bytes again; rejects when it has gone or stands still for too long. */
function drained(
  response: ClientResponse,
  cancellation: Cancellation,
  { clock, stalledMs }: WriteOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      cancel();
      response.off("drain", onDrain);
      cancellation.ignore(listener);
      finish();
    };
    const onDrain = (): void => settle(resolve);
    const listener = { onCancel: (reason: unknown): void => settle(() => reject(reason)) };
    const cancel = clock.after(stalledMs, () =>
      settle(() =>
        reject(new GatewayError("client.closed", "The client stopped reading.", { detail: `${stalledMs} ms` })),
      ),
    );
    response.on("drain", onDrain);
    cancellation.listen(listener);
  });
}

// An exchange is also aborted by its deadline, and then the client is still there to be told.
function hasLeft({ cancellation }: Exchange): boolean {
  return cancellation.isCancelled && toGatewayError(cancellation.reason).code === "client.closed";
}

function clientLeft(exchange: Exchange): Encoded {
  return {
    status: 499,
    error: toGatewayError(exchange.cancellation.reason ?? new GatewayError("client.closed", "The client went away.")),
  };
}
