import { toGatewayError } from "../../kernel/errors.ts";
import type { SessionFacts } from "../../mcp/session-token.ts";
import type { JsonRpcMessage } from "../../mcp/wire/json-rpc.ts";
import { isObject } from "../../mcp/wire/json-rpc.ts";
import { isKnownMethod } from "../../mcp/wire/message-target.ts";
import { metaKeys } from "../../mcp/wire/modern.ts";
import type { EventSubject } from "../../pipeline/adapter.ts";
import type { EventValue } from "../../pipeline/event.ts";
import type { Exchange, Operation } from "../../pipeline/exchange.ts";
import type { Outcome } from "../../pipeline/outcome.ts";
import { argShapeHash } from "./arg-shape.ts";
import type { McpSeen } from "./mcp-request.ts";
import { mcpRequest } from "./mcp-request.ts";
import { shortText, taskIdOf } from "./note-message.ts";
import { outcomeStage } from "./outcome-stage.ts";
import { shortHash } from "./short-hash.ts";

/**
 * The columns that only MCP has. Names of arguments, never their values; ids of sessions, tasks and resources only
 * hashed. Without an operation, which is a request that was refused before it was understood, those that hold for it.
 */
export function mcpEventFields(
  exchange: Exchange,
  operation: Operation | undefined,
  outcome: Outcome,
): Readonly<Record<string, EventValue>> {
  const common = {
    transport: "streamable-http",
    stage:
      outcomeStage(exchange, outcome, operation !== undefined && mcpEventSubject(operation).isUpstreamError) ?? null,
    span_id: spanId(operation?.id ?? exchange.id),
  };
  return operation === undefined ? common : { ...common, ...messageFields(exchange, operation) };
}

function messageFields(exchange: Exchange, operation: Operation): Readonly<Record<string, EventValue>> {
  const { message, era, protocolVersion, session: known, seen, type } = mcpRequest(operation);
  const params = message !== undefined && message.type !== "response" ? message.params : {};
  const session = known?.id ?? seen.session;
  const given = params["arguments"];
  const taskId = seen.taskId ?? taskIdOf(params);
  return {
    era,
    mcp_protocol_version: protocolVersion ?? null,
    direction: type === "from-server" ? "server_to_client" : "client_to_server",
    message_type: message?.type ?? type,
    jsonrpc_id: idOf(message),
    method: mcpEventSubject(operation).kind,
    ...primitiveOf(operation),
    ...clientOf(params, known),
    server_name: seen.serverName ?? known?.serverName ?? null,
    server_version: seen.serverVersion ?? known?.serverVersion ?? null,
    session_id_hash: session === undefined ? null : shortHash(session),
    result_type: seen.resultType ?? null,
    is_error: seen.isError || seen.errorCode !== undefined,
    tool_error: seen.isError,
    jsonrpc_error_code: seen.errorCode ?? null,
    error_type: seen.isError ? "tool_error" : (seen.errorCode?.toString() ?? null),
    arg_keys: argumentNames(params),
    result_content_types: seen.contentTypes,
    structured: seen.structured,
    list_total: seen.listTotal ?? null,
    cache_scope: seen.cacheScope ?? null,
    ttl_ms: seen.ttlMs ?? null,
    events_streamed: seen.eventsStreamed,
    progress_count: seen.progressCount,
    tools_after_authz: seen.toolsAfterAuthz ?? null,
    arg_shape_hash: isObject(given) ? argShapeHash(given) : null,
    cancelled_by: cancelledBy(exchange, seen) ?? null,
    task_id_hash: taskId === undefined ? null : shortHash(taskId),
    input_round: inputRound(params, message),
    server_notifications: seen.serverNotifications,
    server_requests: seen.serverRequests,
    rows_left_out: seen.rowsLeftOut,
  };
}

/** Resources only by the hash of their address, and methods only by the protocol's own names. */
export function mcpEventSubject(operation: Operation): EventSubject {
  const { kind, name } = operation;
  const { type, target, seen } = mcpRequest(operation);
  const isOurs = kind === "response" || type === "stream" || type === "end-session"; // our words, and no method's
  const isPlain = target.type === "tool" || target.type === "prompt";
  return {
    kind: isOurs || isKnownMethod(kind) ? kind : "other",
    name: isPlain || name === "" ? name : shortHash(name),
    isUpstreamError: seen.errorCode !== undefined,
  };
}

function idOf(message: JsonRpcMessage | undefined): string | null {
  if (message === undefined || message.type === "notification" || message.id === undefined) return null;
  return String(message.id).slice(0, 64);
}

function primitiveOf(operation: Operation): Readonly<Record<string, EventValue>> {
  const { type } = mcpRequest(operation).target;
  const isResource = type === "resource" && operation.name !== "";
  const name = mcpEventSubject(operation).name.slice(0, 256);
  return {
    primitive_type: type ?? null,
    primitive_name: type === undefined || type === "resource" ? null : name,
    resource_uri_hash: isResource ? name : null,
  };
}

/** The half of the operation's id that is random, as the id of a span: whoever exports spans makes the same. */
function spanId(operationId: string): string {
  return operationId.replaceAll("-", "").slice(-16);
}

/** Who gave a message up before its answer: the client, by leaving or by saying so, or the API's deadline. */
function cancelledBy({ cancellation }: Exchange, { isCancelled, resultType }: McpSeen): string | undefined {
  if (isCancelled && resultType === undefined) return "client";
  if (!cancellation.isCancelled) return undefined;
  return toGatewayError(cancellation.reason).code === "exchange.deadline" ? "deadline" : "client";
}

const askAgain: ReadonlySet<string> = new Set(["tools/call", "prompts/get", "resources/read"]);

/** 0 for a request as it is first made, 1 for one that comes again with input that the server has asked for. */
function inputRound(params: Readonly<Record<string, unknown>>, message: JsonRpcMessage | undefined): number | null {
  if (message?.type !== "request" || !askAgain.has(message.method)) return null;
  return params["inputResponses"] === undefined && params["requestState"] === undefined ? 0 : 1;
}

function clientOf(
  params: Readonly<Record<string, unknown>>,
  session: SessionFacts | undefined,
): Readonly<Record<string, EventValue>> {
  const meta = params["_meta"];
  const client = params["clientInfo"] ?? (isObject(meta) ? meta[metaKeys.clientInfo] : undefined);
  return {
    client_name: (isObject(client) ? shortText(client["name"]) : session?.clientName) ?? null,
    client_version: (isObject(client) ? shortText(client["version"]) : session?.clientVersion) ?? null,
  };
}

function argumentNames(params: Readonly<Record<string, unknown>>): readonly string[] {
  const given = params["arguments"];
  return isObject(given)
    ? Object.keys(given)
        .slice(0, 50)
        .map((name) => name.slice(0, 64))
        .toSorted()
    : [];
}
