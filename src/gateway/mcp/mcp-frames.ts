import type { Clock } from "../../kernel/clock.ts";
import { GatewayError } from "../../kernel/errors.ts";
import { createSseSplitter } from "../../kernel/sse.ts";
import type { TaskOwners } from "../../mcp/task-owners.ts";
import type { JsonRpcMessage, JsonRpcRequest } from "../../mcp/wire/json-rpc.ts";
import { readJsonRpc } from "../../mcp/wire/json-rpc.ts";
import type { Exchange, Frame, Operation } from "../../pipeline/exchange.ts";
import { SseFrame } from "../sse-frame.ts";
import type { UpstreamBody } from "../upstream-body.ts";
import { mcpLimits } from "./compile-mcp.ts";
import { countEvent } from "./count-event.ts";
import { noTarget, operationOf } from "./decode-message.ts";
import { eventBound } from "./event-bound.ts";
import { filterList } from "./filter-list.ts";
import { noteTask } from "./guard-tasks.ts";
import type { McpRequest } from "./mcp-request.ts";
import { mcpRequest, nothingSeen, requestId } from "./mcp-request.ts";
import { noteMessage } from "./note-message.ts";

export interface McpStreamOptions {
  readonly exchange: Exchange;
  readonly operation: Operation;
  readonly clock: Clock;
  readonly tasks: TaskOwners;
}

const heartbeatMs = 25_000;

/**
 * The events of an MCP server's stream, byte for byte. On the answer to a request, a response to any other id is
 * dropped: it belongs to nobody here; so is data that is no JSON-RPC message, which no client can read and no policy
 * judge. While the server is silent a comment goes out now and then, so that nobody on the way takes the stream for
 * dead.
 *
 * A stream that ends without the response throws `upstream.reset`, unless it gave an event id: then the server may
 * have closed it on purpose, and the client resumes with `Last-Event-ID` (2025-11-25, basic/transports). Nor is a call
 * answered that its client has cancelled.
 */
export async function* mcpFrames(body: UpstreamBody, options: McpStreamOptions): AsyncGenerator<Frame> {
  const { exchange, operation } = options;
  const splitter = createSseSplitter(eventBound(mcpLimits(exchange.api)));
  const { seen } = mcpRequest(operation);
  const state: StreamState = { answered: requestId(operation) === undefined, resumable: false };
  try {
    for await (const chunk of withHeartbeats(body.chunks(), options.clock)) {
      if (chunk === undefined) yield heartbeat;
      else yield* relayed(splitter.push(chunk), state, options);
    }
  } catch (error) {
    const isExpected = state.resumable || seen.isCancelled;
    if (exchange.cancellation.isCancelled || !isExpected || !wasCutOff(error)) throw error;
    return; // what was cut off can be asked for again, or nobody waits for it
  } finally {
    body.discard(); // a reader that left frees the socket now, and not when the next chunk comes
  }
  if (state.answered || state.resumable || seen.isCancelled) return;
  throw new GatewayError("upstream.reset", "The MCP server's stream ended without an answer.", {
    detail: `${splitter.rest().length} bytes of an unfinished event`,
  });
}

interface StreamState {
  /** The request has its response, or there is none to wait for. */
  answered: boolean;
  resumable: boolean;
}

function* relayed(events: readonly Uint8Array[], state: StreamState, options: McpStreamOptions): Generator<Frame> {
  const { exchange, operation } = options;
  const { seen, era } = mcpRequest(operation);
  for (const bytes of events) {
    const frame = new SseFrame(bytes);
    state.resumable ||= era === "legacy" && hasId(bytes);
    if (frame.isEmpty) {
      yield frame;
      continue;
    }
    const message = readJsonRpc(frame.message());
    if (message.type === "invalid" || !isForUs(message, operation, state)) continue;
    countEvent(exchange, seen);
    noteMessage(operation, message);
    noteTask(exchange, operation, options.tasks);
    yield filterList(exchange, frame, seen, options.tasks);
    if (message.type === "request") noteAsked(options, message); // it has passed: who comes for more has taken it
  }
}

/** Writes the row of what a server asks the client, unless there are too many. */
export function noteAsked(options: McpStreamOptions, message: JsonRpcRequest): void {
  if (mayHaveRow(options)) recordAsked(options, message);
  else mcpRequest(options.operation).seen.rowsLeftOut += 1;
}

/** Whether a message belongs on this stream; notes the one response that it is there for. */
function isForUs(message: JsonRpcMessage, operation: Operation, state: StreamState): boolean {
  const id = requestId(operation);
  if (message.type !== "response" || id === undefined) return true;
  if (state.answered || (message.id !== id && message.id !== undefined)) return false;
  state.answered = true;
  return true;
}

function wasCutOff(error: unknown): boolean {
  return error instanceof GatewayError && (error.code === "upstream.reset" || error.code === "upstream.timeout");
}

const rowsAtOnce = 1_000;

/** A thousand rows, and one more for each second: a server that asks without end fills no table. */
function mayHaveRow({ exchange, operation, clock }: McpStreamOptions): boolean {
  const { serverRequests, rowsLeftOut } = mcpRequest(operation).seen;
  const seconds = (clock.monotonic() - exchange.startedMonotonicMs) / 1_000;
  return serverRequests - rowsLeftOut <= rowsAtOnce + seconds;
}

/** The server asks the client: a message of its own, and a row of its own, of which nothing stays. */
function recordAsked({ exchange, operation }: McpStreamOptions, message: JsonRpcRequest): void {
  const own: McpRequest = {
    ...mcpRequest(operation),
    type: "from-server",
    message,
    target: noTarget,
    seen: nothingSeen(),
  };
  exchange.recordAside(operationOf(exchange, message.method, "", noBytes, own, { parentId: operation.id }));
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
