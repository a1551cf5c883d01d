import type { Clock } from "../../kernel/clock.ts";
import type { ErrorCode } from "../../kernel/error-codes.ts";
import { GatewayError } from "../../kernel/errors.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { SessionTokens } from "../../mcp/session-token.ts";
import type { TaskOwners } from "../../mcp/task-owners.ts";
import { readJsonRpc } from "../../mcp/wire/json-rpc.ts";
import { decodeHeaderValue, encodeHeaderValue } from "../../mcp/wire/modern.ts";
import type { UpstreamTimeouts } from "../../pipeline/adapter.ts";
import type { Answer, Exchange, Frame, Operation } from "../../pipeline/exchange.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";
import { traceUpstream } from "../../pipeline/trace-context.ts";
import { answerHeaders, forwardableHeaders } from "../headers.ts";
import type { UpstreamClient, UpstreamResponse } from "../upstream.ts";
import { endpointOf, mcpKeyHeader } from "./compile-mcp.ts";
import { sendAuthorized } from "./credentials/send-authorized.ts";
import { askerOf } from "./credentials/upstream-credential.ts";
import type { ServedSessions } from "./face/served-sessions.ts";
import { filterList } from "./filter-list.ts";
import { noteTask } from "./guard-tasks.ts";
import { jsonRpcError } from "./json-rpc-error.ts";
import { mcpFrames } from "./mcp-frames.ts";
import { mcpRequest, requestId } from "./mcp-request.ts";
import { noteMessage } from "./note-message.ts";
import { ownerOf, sessionFacts, sessionOwner } from "./open-session.ts";
import type { RunningCalls } from "./running-calls.ts";
import { tracedBody } from "./trace-message.ts";

export interface McpCallTools {
  readonly upstream: UpstreamClient;
  readonly clock: Clock;
  readonly sessions: SessionTokens;
  readonly served: ServedSessions;
  readonly running: RunningCalls;
  readonly tasks: TaskOwners;
}

/** One message, or one piece of session traffic, to the upstream and its answer on the way back. */
export async function callMcp(
  exchange: Exchange,
  operation: Operation,
  target: CompiledTarget,
  tools: McpCallTools,
): Promise<Answer> {
  const request = mcpRequest(operation);
  const { timeouts } = exchange.api.protocol.upstreams[exchange.principal?.environment ?? "production"];
  tools.running.began(exchange, operation);
  if (operation.kind === "notifications/cancelled") tools.running.cancelled(exchange, operation);
  const response = await send(
    exchange,
    operation,
    target,
    isLongStream(operation) ? withoutIdle(timeouts) : timeouts,
    tools,
  );
  const headers = answerHeaders(response.headers);
  const session = headers["mcp-session-id"];
  delete headers["mcp-session-id"];
  const nameSession = (): void => {
    if (session === undefined || request.era === "modern") return;
    const facts = sessionFacts(exchange, operation, session);
    request.seen.session = facts.mark;
    headers["mcp-session-id"] = tools.sessions.issue(facts, sessionOwner(exchange));
  };
  const isHandshake = operation.kind === "initialize"; // what it tells is for the session's token
  if (!isHandshake) nameSession();
  const answer = await answerOf(exchange, operation, response, headers, tools);
  if (operation.kind === "session/end" && request.session !== undefined && answer.status < 300) {
    tools.served.end(ownerOf(exchange), request.session.mark);
  }
  if (isHandshake) nameSession();
  return answer;
}

async function answerOf(
  exchange: Exchange,
  operation: Operation,
  response: UpstreamResponse,
  headers: Record<string, string>,
  { clock, tasks }: McpCallTools,
): Promise<Answer> {
  if (response.status >= 300) return refusalAnswer(exchange, operation, response, headers);

  const contentType = String(response.headers["content-type"] ?? "").toLowerCase();
  if (contentType.startsWith("text/event-stream")) {
    headers["content-type"] = "text/event-stream";
    headers["cache-control"] = "no-cache, no-transform";
    headers["x-accel-buffering"] = "no";
    const relayed = mcpFrames(response.body, { exchange, operation, clock, tasks });
    const frames = operation.kind === "initialize" ? await untilAnswered(relayed, operation) : relayed;
    if (isLongStream(operation)) exchange.keepOpen();
    const discard = (): void => response.body.discard();
    return { status: response.status, headers, body: { type: "stream", frames, headersFirst: true, discard } };
  }
  const bytes = await response.body.whole(exchange.api.limits.responseBytes);
  if (requestId(operation) === undefined)
    return bodyless(exchange, operation, response.status, headers, bytes, contentType, tasks);
  return wholeAnswer(exchange, operation, response, headers, bytes, contentType, tasks);
}

async function send(
  exchange: Exchange,
  operation: Operation,
  target: CompiledTarget,
  timeouts: UpstreamTimeouts,
  tools: McpCallTools,
): Promise<UpstreamResponse> {
  const { origin, path, credential } = endpointOf(target);
  const request = mcpRequest(operation);
  const headers = forwardableHeaders(exchange.inbound.headers, mcpKeyHeader(exchange.api));
  if (operation.body.length > 0) headers["content-type"] = "application/json";
  if (request.session !== undefined) headers["mcp-session-id"] = request.session.id;
  if (request.era === "modern") delete headers["last-event-id"]; // it has no meaning there and must be ignored
  if (request.mirrored.size > 0) repeatEdits(headers, request.mirrored);
  headers["x-request-id"] = exchange.id;
  traceUpstream(exchange, operation, headers);
  const method = exchange.inbound.method as "GET" | "POST" | "DELETE"; // the adapter's routes are these
  const body = method === "POST" ? tracedBody(exchange, operation) : undefined;
  const { cancellation } = exchange;
  return sendAuthorized(credential, askerOf(exchange), (shown) =>
    tools.upstream.send({ origin, method, path, headers: { ...headers, ...shown }, body, timeouts, cancellation }),
  );
}

function repeatEdits(headers: Record<string, string>, mirrored: ReadonlyMap<string, string>): void {
  for (const name in headers) {
    if (name !== "mcp-name" && !name.startsWith("mcp-param-")) continue;
    const edited = mirrored.get(decodeHeaderValue(headers[name] ?? "") ?? "");
    if (edited !== undefined) headers[name] = encodeHeaderValue(edited);
  }
}

const maxFramesAhead = 64;

/** The same frames, when the one with the answer is here: the headers that go before them tell of it. */
async function untilAnswered(frames: AsyncGenerator<Frame>, operation: Operation): Promise<AsyncGenerator<Frame>> {
  const ahead: Frame[] = [];
  while (mcpRequest(operation).seen.resultType === undefined && ahead.length < maxFramesAhead) {
    const next = await frames.next();
    if (next.done === true) break;
    ahead.push(next.value);
  }
  return (async function* () {
    try {
      yield* ahead;
      yield* frames;
    } finally {
      await frames.return(undefined);
    }
  })();
}

function wholeAnswer(
  exchange: Exchange,
  operation: Operation,
  response: UpstreamResponse,
  headers: Record<string, string>,
  bytes: Buffer,
  contentType: string,
  tasks: TaskOwners,
): Answer {
  const id = requestId(operation);
  const value = contentType.startsWith("application/json") ? parse(bytes) : undefined;
  const message = readJsonRpc(value);
  if (message.type !== "response" || message.id !== id) {
    throw new GatewayError(
      "upstream.invalid",
      "The MCP server's answer is not the JSON-RPC response to this request.",
      {
        detail: `status ${response.status}, ${contentType || "no content-type"}, ${bytes.length} bytes, ${message.type}`,
      },
    );
  }
  noteMessage(operation, message);
  noteTask(exchange, operation, tasks);
  headers["content-type"] = "application/json";
  const frame = filterList(exchange, { bytes, message: () => value }, mcpRequest(operation).seen, tasks);
  return { status: response.status, headers, body: { type: "whole", frame } };
}

/** 202 for notifications and answers, 200 or 204 for an ended session: passed on, with a body only if it is a message. */
function bodyless(
  exchange: Exchange,
  operation: Operation,
  status: number,
  headers: Record<string, string>,
  bytes: Buffer,
  contentType: string,
  tasks: TaskOwners,
): Answer {
  const value = contentType.startsWith("application/json") ? parse(bytes) : undefined;
  if (readJsonRpc(value).type === "invalid") {
    return { status, headers, body: { type: "whole", frame: { bytes: Buffer.alloc(0), message: () => undefined } } };
  }
  headers["content-type"] = "application/json";
  return {
    status,
    headers,
    body: {
      type: "whole",
      frame: filterList(exchange, { bytes, message: () => value }, mcpRequest(operation).seen, tasks),
    },
  };
}

/** A status that is no success: the server's own JSON-RPC error where it has one, else one that says so. */
async function refusalAnswer(
  exchange: Exchange,
  operation: Operation,
  response: UpstreamResponse,
  headers: Record<string, string>,
): Promise<Answer> {
  const { status } = response;
  const bytes = await response.body.whole(Math.min(exchange.api.limits.responseBytes, 1_048_576));
  if (status < 400) {
    throw new GatewayError("upstream.invalid", "The MCP server answered with a redirect, which is not followed.", {
      detail: `status ${status} to ${originOf(response.headers["location"])}`,
    });
  }
  if (status === 401 || status === 407) {
    const message = "The MCP server refused the gateway's own credentials; the operator must renew its secret.";
    throw new GatewayError("upstream.credentials", message, { detail: `status ${status}` });
  }
  headers["content-type"] = "application/json";
  const value = parse(bytes);
  const message = readJsonRpc(value);
  const id = requestId(operation);
  if (message.type === "response" && message.error !== undefined && (message.id === undefined || message.id === id)) {
    noteMessage(operation, message);
    return { status, headers, body: { type: "whole", frame: { bytes, message: () => value } } };
  }
  const made = jsonRpcError(id, { ...whyRefused(operation, status), data: { upstreamStatus: status } });
  return {
    status,
    headers,
    body: { type: "whole", frame: { bytes: Buffer.from(JSON.stringify(made)), message: () => made } },
  };
}

function whyRefused(operation: Operation, status: number): { readonly code: ErrorCode; readonly message: string } {
  if (status === 404 && mcpRequest(operation).session !== undefined) {
    return { code: "mcp.session_not_found", message: "The session does not exist or has ended." };
  }
  return {
    code: "upstream.invalid",
    message: `The MCP server answered with status ${status} and no JSON-RPC message.`,
  };
}

/** Of an address that the server made up, what an operator needs: paths and queries may carry its tokens. */
function originOf(location: unknown): string {
  return typeof location === "string" && URL.canParse(location) ? new URL(location).origin : "a place of its own";
}

function parse(bytes: Buffer): unknown {
  try {
    return parseJson(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

/** Whether an operation is a stream of news, which is silent for hours when all is well. */
export function isLongStream({ kind }: Operation): boolean {
  return kind === "session/stream" || kind === "subscriptions/listen";
}

function withoutIdle(timeouts: UpstreamTimeouts): UpstreamTimeouts {
  return { ...timeouts, idleMs: 0 };
}
