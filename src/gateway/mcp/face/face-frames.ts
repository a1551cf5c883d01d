import type { Clock } from "../../../kernel/clock.ts";
import { toGatewayError } from "../../../kernel/errors.ts";
import type { McpFault } from "../../../mcp/backend.ts";
import { httpMeta } from "../../../mcp/openapi/tool-result.ts";
import type { TaskOwners } from "../../../mcp/task-owners.ts";
import type { JsonRpcId } from "../../../mcp/wire/json-rpc.ts";
import { isObject, jsonRpcCodes, readJsonRpc } from "../../../mcp/wire/json-rpc.ts";
import { modernCodes } from "../../../mcp/wire/modern.ts";
import type { Answer, Exchange, Frame, Operation } from "../../../pipeline/exchange.ts";
import type { TargetReport } from "../../../pipeline/failure-class.ts";
import { SseFrame } from "../../sse-frame.ts";
import { asWritten } from "../../strict-message.ts";
import { countEvent } from "../count-event.ts";
import { filterList } from "../filter-list.ts";
import { noteTask } from "../guard-tasks.ts";
import { noteAsked } from "../mcp-frames.ts";
import { mcpRequest } from "../mcp-request.ts";
import { noteMessage } from "../note-message.ts";

/** Whose answer is made, and with what. */
export interface FaceFrames {
  readonly exchange: Exchange;
  readonly operation: Operation;
  readonly clock: Clock;
  readonly tasks: TaskOwners;
}

/** One JSON-RPC message as a whole answer, noted for the row, with the lists of it cut to what the caller may call. */
export function wholeAnswer(turn: FaceFrames, message: object, status = 200): Answer {
  const { exchange, operation, tasks } = turn;
  note(turn, message);
  const bytes = Buffer.from(JSON.stringify(message));
  const frame: Frame = asWritten({ bytes, message: () => message }, message);
  return {
    status,
    headers: { "content-type": "application/json" },
    report: serviceReport(message),
    body: { type: "whole", frame: filterList(exchange, frame, mcpRequest(operation).seen, tasks) },
  };
}

/** What the result of a tool tells of the service that has made it, where that is one behind HTTP. */
function serviceReport(message: object): TargetReport | undefined {
  const result = "result" in message && isObject(message.result) ? message.result : undefined;
  const meta = isObject(result?.["_meta"]) ? result["_meta"][httpMeta] : undefined;
  const status = isObject(meta) ? meta["status"] : undefined;
  if (typeof status !== "number") return undefined;
  if (status === 429) return { status, failure: "rate-limit" };
  return status >= 500 ? { status, failure: "server" } : { status };
}

const statuses: ReadonlyMap<number, number> = new Map([
  [jsonRpcCodes.methodNotFound, 404],
  [modernCodes.headerMismatch, 400],
  [modernCodes.missingCapability, 400],
  [modernCodes.unsupportedVersion, 400],
]);

/** An error with the status that this era wants beside it. */
export function faultAnswer(turn: FaceFrames, id: JsonRpcId, error: McpFault): Answer {
  return wholeAnswer(turn, { jsonrpc: "2.0", id, error }, statuses.get(error.code) ?? 200);
}

/** 202 without a body: a message was taken. */
export function takenAnswer(status = 202): Answer {
  return { status, headers: {}, body: { type: "whole", frame: { bytes: Buffer.alloc(0), message: () => undefined } } };
}

/** Messages as events, as they come. `discard` is called when nobody reads on, however early. */
export function streamAnswer(
  turn: FaceFrames,
  messages: AsyncIterable<object | undefined>,
  discard: () => void,
): Answer {
  return {
    status: 200,
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    },
    body: { type: "stream", frames: framesOf(turn, messages, discard), headersFirst: true, discard },
  };
}

async function* framesOf(
  turn: FaceFrames,
  messages: AsyncIterable<object | undefined>,
  discard: () => void,
): AsyncGenerator<Frame> {
  const { exchange, operation, tasks } = turn;
  const { seen } = mcpRequest(operation);
  try {
    for await (const message of messages) {
      if (message === undefined) {
        yield heartbeat;
        continue;
      }
      note(turn, message);
      countEvent(exchange, seen);
      const frame = new SseFrame(Buffer.from(`event: message\ndata: ${JSON.stringify(message)}\n\n`));
      yield filterList(exchange, frame, seen, tasks);
    }
  } catch (error) {
    if (seen.isCancelled && toGatewayError(error).code === "client.closed" && !exchange.cancellation.isCancelled)
      return;
    throw error;
  } finally {
    discard();
  }
}

const heartbeat: Frame = { bytes: Buffer.from(": heartbeat\n\n"), message: () => undefined };

function note({ exchange, operation, clock, tasks }: FaceFrames, value: object): void {
  const message = readJsonRpc(value);
  if (message.type === "invalid") return;
  noteMessage(operation, message);
  noteTask(exchange, operation, tasks);
  if (message.type === "request") noteAsked({ exchange, operation, clock, tasks }, message);
}
