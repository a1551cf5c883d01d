import { GatewayError } from "../../../kernel/errors.ts";
import type { MaybePromise } from "../../../kernel/maybe-promise.ts";
import type { SseSplitterOptions } from "../../../kernel/sse.ts";
import { createSseSplitter, parseSseEvent } from "../../../kernel/sse.ts";
import { parseStrictJson } from "../../../kernel/strict-json.ts";
import type { McpReply } from "../../../mcp/backend.ts";
import type {
  JsonRpcMessage,
  JsonRpcNotification,
  JsonRpcRequest,
  JsonRpcResponse,
} from "../../../mcp/wire/json-rpc.ts";
import { readJsonRpc } from "../../../mcp/wire/json-rpc.ts";
import type { UpstreamResponse } from "../../upstream.ts";
import { isEventStream } from "../../upstream.ts";
import type { CallScope } from "./call-scope.ts";

/** What is done with the messages of an answer. */
export interface ReplyReader {
  /** The id under which the request went up. A response to any other id is dropped. */
  readonly id: number;
  readonly scope: CallScope;
  readonly maxBytes: number;
  /** How large an event may be. */
  readonly events: SseSplitterOptions;
  /** Takes a notification, or a request of the server's. It is waited for, so that a slow client slows the server. */
  onOther(message: JsonRpcRequest | JsonRpcNotification): MaybePromise<void>;
}

/** How an answer ended: with the reply, or before it. A stream that was cut tells where to go on. */
export type Heard =
  | { readonly type: "reply"; readonly reply: McpReply; readonly status: number }
  | {
      readonly type: "cut";
      readonly lastEventId: string | undefined;
      readonly retryMs: number;
      readonly cause: unknown;
    };

const mostMessages = 100_000;
const mostErrorBytes = 1_048_576;

/**
 * Reads an answer until the reply is there. A refusal with a JSON-RPC error is that reply; any other one, an answer that
 * is no JSON-RPC, or a flood of messages throws `GatewayError("upstream.…")`.
 */
export async function readReply(response: UpstreamResponse, reader: ReplyReader): Promise<Heard> {
  const { status, headers } = response;
  if (status >= 300) return refusal(response, reader);
  if (isEventStream(headers["content-type"])) return readStream(response, reader);
  const bytes = await response.body.whole(reader.maxBytes);
  const message = readJsonRpc(parse(bytes));
  if (message.type !== "response" || (message.id !== reader.id && message.id !== undefined)) {
    throw new GatewayError(
      "upstream.invalid",
      "The MCP server's answer is not the JSON-RPC response to this request.",
      {
        detail: `status ${status}, ${bytes.length} bytes, ${message.type}`,
      },
    );
  }
  return { type: "reply", reply: replyOf(message), status };
}

/** The reply in a response. */
export function replyOf({ result, error }: JsonRpcResponse): McpReply {
  return error === undefined ? { result: result ?? {} } : { error };
}

async function refusal({ status, body }: UpstreamResponse, { id }: ReplyReader): Promise<Heard> {
  if (status < 400) {
    body.discard();
    throw new GatewayError("upstream.invalid", "The MCP server answered with a redirect, which is not followed.");
  }
  if (status === 401 || status === 407) {
    body.discard();
    throw new GatewayError(
      "upstream.credentials",
      "The MCP server refused the gateway's own credentials; the operator must renew its secret.",
      { detail: `status ${status}` },
    );
  }
  const message = readJsonRpc(parse(await body.whole(mostErrorBytes)));
  const isOurs = message.type === "response" && (message.id === undefined || message.id === id);
  if (isOurs && message.error !== undefined) return { type: "reply", reply: { error: message.error }, status };
  if (status === 429 || status === 503) {
    throw new GatewayError("upstream.unavailable", "The MCP server is busy; try again later.", {
      detail: `status ${status}`,
    });
  }
  throw new GatewayError("upstream.invalid", `The MCP server answered with status ${status} and no JSON-RPC message.`, {
    detail: `status ${status}`,
  });
}

async function readStream(response: UpstreamResponse, reader: ReplyReader): Promise<Heard> {
  const place: StreamPlace = { lastEventId: undefined, retryMs: defaultRetryMs };
  let cause: unknown;
  try {
    for await (const message of streamMessages(response, reader, place)) {
      if (message.type !== "response") await reader.onOther(message);
      else if (message.id === reader.id) return { type: "reply", reply: replyOf(message), status: response.status };
    }
  } catch (error) {
    if (reader.scope.cancellation.isCancelled || !wasCutOff(error)) throw error;
    cause = error;
  }
  return { type: "cut", ...place, cause };
}

const defaultRetryMs = 1_000;

/** Where a stream stands: the last event's id, and how long to wait before coming back for more. */
export interface StreamPlace {
  lastEventId: string | undefined;
  retryMs: number;
}

/** The messages of an event stream as they come; what is no JSON-RPC is left out. Leaving it frees the socket. */
export async function* streamMessages(
  response: UpstreamResponse,
  { scope, events }: Pick<ReplyReader, "scope" | "events">,
  place: StreamPlace,
  maxMessages = mostMessages,
): AsyncGenerator<JsonRpcMessage> {
  const splitter = createSseSplitter(events);
  let count = 0;
  for await (const chunk of response.body.chunks()) {
    scope.heard();
    for (const bytes of splitter.push(chunk)) {
      const { id, data, retryMs } = parseSseEvent(bytes);
      if (id !== undefined && id !== "") place.lastEventId = id;
      if (retryMs !== undefined) place.retryMs = retryMs;
      if (data === undefined || data === "") continue;
      const message = readJsonRpc(parse(Buffer.from(data)));
      if (message.type === "invalid") continue;
      count += 1;
      if (count > maxMessages) {
        throw new GatewayError("upstream.too_large", "The MCP server sent too many messages for one call.");
      }
      yield message;
    }
  }
}

function wasCutOff(error: unknown): boolean {
  return error instanceof GatewayError && (error.code === "upstream.reset" || error.code === "upstream.timeout");
}

/** Read strictly: what could be understood in two ways, or is nested without end, is nothing. */
function parse(text: Uint8Array): unknown {
  const parsed = parseStrictJson(text, maxDepth);
  return "value" in parsed ? parsed.value : undefined;
}

const maxDepth = 256;
