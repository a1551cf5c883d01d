import type { Clock } from "../../kernel/clock.ts";
import { GatewayError } from "../../kernel/errors.ts";
import { createSseSplitter } from "../../kernel/sse.ts";
import { readJsonRpc } from "../../mcp/wire/json-rpc.ts";
import type { Exchange, Frame, Operation } from "../../pipeline/exchange.ts";
import { SseFrame } from "../sse-frame.ts";
import type { UpstreamBody } from "../upstream-body.ts";
import { nameOf, operationOf } from "./decode-mcp.ts";
import { mcpRequest, nothingSeen, requestId } from "./mcp-request.ts";
import { noteMessage } from "./note-message.ts";

export interface McpStreamOptions {
  readonly exchange: Exchange;
  readonly operation: Operation;
  readonly clock: Clock;
}

const heartbeatMs = 25_000;

/**
 * The events of an MCP server's stream, byte for byte. On the answer to a request, a response to any other id is
 * dropped: it belongs to nobody here. While the server is silent a comment goes out now and then, so that nobody on
 * the way takes the stream for dead.
 *
 * A stream that ends without the response throws `upstream.reset`, unless it gave an event id: then the server may
 * have closed it on purpose, and the client resumes with `Last-Event-ID` (2025-11-25, basic/transports).
 */
export async function* mcpFrames(body: UpstreamBody, options: McpStreamOptions): AsyncGenerator<Frame> {
  const { exchange, operation } = options;
  const { seen } = mcpRequest(operation);
  const splitter = createSseSplitter({ maxEventBytes: exchange.api.limits.responseBytes });
  const id = requestId(operation);
  let answered = id === undefined;
  let resumable = false;
  const chunks = body.chunks();
  try {
    for await (const chunk of withHeartbeats(chunks, options.clock)) {
      if (chunk === undefined) {
        yield heartbeat;
        continue;
      }
      for (const bytes of splitter.push(chunk)) {
        const frame = new SseFrame(bytes);
        resumable ||= hasId(bytes);
        const message = readJsonRpc(frame.message());
        if (message.type === "response" && id !== undefined && message.id !== id && message.id !== undefined) continue;
        if (message.type === "response") answered = true;
        if (message.type !== "invalid") {
          seen.eventsStreamed += 1;
          noteMessage(operation, message);
        }
        if (message.type === "request") {
          // The server asks the client: a message of its own, and a row of its own.
          const own = { ...mcpRequest(operation), type: "from-server" as const, message, seen: nothingSeen() };
          exchange.operations.push(operationOf(exchange, message.method, nameOf(message), noBytes, own, operation.id));
        }
        yield frame;
      }
    }
  } catch (error) {
    if (!resumable || exchange.signal.aborted) throw error;
    return; // what was cut off can be asked for again
  }
  if (answered || resumable) return;
  throw new GatewayError("upstream.reset", "The MCP server's stream ended without an answer.", {
    detail: `${splitter.rest().length} bytes of an unfinished event`,
  });
}

const noBytes = Buffer.alloc(0);
const heartbeat: Frame = { bytes: Buffer.from(": heartbeat\n\n"), message: () => undefined };

function hasId(bytes: Uint8Array): boolean {
  return /(^|[\r\n])id:/.test(
    Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 4_096)).toString("latin1"),
  );
}

/** The chunks, and undefined each time when none came for a while. */
async function* withHeartbeats(chunks: AsyncGenerator<Buffer>, clock: Clock): AsyncGenerator<Buffer | undefined> {
  let pending: Promise<IteratorResult<Buffer>> | undefined;
  try {
    for (;;) {
      pending ??= chunks.next();
      const result = await orSilence(pending, clock);
      if (result === undefined) {
        yield undefined;
        continue;
      }
      pending = undefined;
      if (result.done === true) return;
      yield result.value;
    }
  } finally {
    // A reader that leaves while a chunk is awaited: the socket must go now, and not when that chunk comes.
    void chunks.return(undefined).catch(() => {});
  }
}

function orSilence<Value>(pending: Promise<Value>, clock: Clock): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(heartbeatMs, () => resolve(undefined));
    pending.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error);
      },
    );
  });
}
