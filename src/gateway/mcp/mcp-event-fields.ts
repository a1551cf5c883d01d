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
import { toolFields } from "../tell-tools.ts";
import { argShapeHash } from "./arg-shape.ts";
import { definitionHashFor } from "./check-pins.ts";
import type { McpRequest, McpSeen } from "./mcp-request.ts";
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
  const subject = operation && mcpEventSubject(operation);
  const fields: Fields = {
    transport: "streamable-http",
    span_id: spanId(operation?.id ?? exchange.id),
  };
  const { scopes = [] } = exchange.principal ?? {};
  if (scopes.length > 0) fields["scopes"] = scopes.slice(0, 50).map((scope) => scope.slice(0, 64));
  const stage = outcomeStage(exchange, outcome, subject?.isUpstreamError === true);
  if (stage !== undefined) fields["stage"] = stage;
  if (operation === undefined || subject === undefined) return fields;
  noteRequest(fields, operation, subject);
  note(fields, "def_hash", definitionHashFor(exchange, operation));
  if (exchange.tools !== undefined && operation.kind === "tools/list")
    Object.assign(fields, toolFields(exchange.tools));
  if (outcome.type === "answer") note(fields, "session_ms", endedAfterMs(exchange, mcpRequest(operation)));
  note(fields, "cancelled_by", cancelledBy(exchange, mcpRequest(operation).seen, outcome));
  noteAnswer(fields, mcpRequest(operation).seen);
  return fields;
}

/** Columns that are known; one that is left out is null, and most are of most rows. */
type Fields = Record<string, EventValue>;

function noteRequest(fields: Fields, operation: Operation, subject: EventSubject): void {
  const { message, era, protocolVersion, session, seen, type, target } = mcpRequest(operation);
  const params = message !== undefined && message.type !== "response" ? message.params : {};
  const given = params["arguments"];
  fields["era"] = era;
  fields["direction"] = type === "from-server" ? "server_to_client" : "client_to_server";
  fields["message_type"] = message?.type ?? type;
  fields["method"] = subject.kind;
  note(fields, "mcp_protocol_version", protocolVersion);
  note(fields, "jsonrpc_id", idOf(message));
  notePrimitive(fields, target.type, operation, subject.name);
  noteClient(fields, params, session);
  note(fields, "server_name", seen.serverName ?? session?.serverName);
  note(fields, "server_version", seen.serverVersion ?? session?.serverVersion);
  const mark = seen.session ?? session?.mark; // an upstream's own id may be that of another's session too
  if (mark !== undefined) fields["session_id_hash"] = shortHash(mark);
  if (isObject(given)) {
    fields["arg_keys"] = argumentNames(given);
    fields["arg_shape_hash"] = argShapeHash(given);
  }
  const taskId = seen.taskId ?? taskIdOf(params);
  if (taskId !== undefined) fields["task_id_hash"] = shortHash(taskId);
  note(fields, "input_round", inputRound(params, message));
}

function noteAnswer(fields: Fields, seen: McpSeen): void {
  fields["is_error"] = seen.isError || seen.errorCode !== undefined;
  fields["tool_error"] = seen.isError;
  fields["structured"] = seen.structured;
  fields["events_streamed"] = seen.eventsStreamed;
  fields["progress_count"] = seen.progressCount;
  fields["server_notifications"] = seen.serverNotifications;
  fields["server_requests"] = seen.serverRequests;
  fields["rows_left_out"] = seen.rowsLeftOut;
  if (seen.contentTypes.length > 0) fields["result_content_types"] = seen.contentTypes;
  note(fields, "error_type", seen.isError ? "tool_error" : seen.errorCode?.toString());
  note(fields, "jsonrpc_error_code", seen.errorCode);
  note(fields, "result_type", seen.resultType);
  note(fields, "list_total", seen.listTotal);
  note(fields, "cache_scope", seen.cacheScope);
  note(fields, "ttl_ms", seen.ttlMs);
  note(fields, "tools_after_authz", seen.toolsAfterAuthz);
  note(fields, "members_missing", seen.membersMissing);
  note(fields, "member", seen.member);
  note(fields, "upstream_primitive_name", seen.memberPrimitive?.slice(0, 256));
}

function note(fields: Fields, column: string, value: EventValue | undefined): void {
  if (value !== undefined && value !== null) fields[column] = value;
}

/** Resources only by the hash of their address, and methods only by the protocol's own names. */
export function mcpEventSubject(operation: Operation): EventSubject {
  const { kind, name } = operation;
  const { type, target, seen, message, isSearch = false } = mcpRequest(operation);
  const meta = message === undefined || message.type === "response" ? undefined : message.params["_meta"];
  const { traceparent, tracestate } = isObject(meta) ? meta : {};
  const isOurs = isSearch || kind === "response" || type === "stream" || type === "end-session"; // our words, and no method's
  const isPlain = target.type === "tool" || target.type === "prompt";
  return {
    kind: isOurs || isKnownMethod(kind) ? kind : "other",
    name: isPlain || name === "" ? name : shortHash(name),
    isUpstreamError: seen.errorCode !== undefined,
    traceparent: typeof traceparent === "string" ? traceparent : undefined,
    tracestate: typeof tracestate === "string" ? tracestate : undefined,
  };
}

/** How long the session was that this request has ended; no column, metrics alone tell it. */
function endedAfterMs({ startedAtMs }: Exchange, { type, session }: McpRequest): number | undefined {
  return type === "end-session" && session !== undefined ? Math.max(0, startedAtMs - session.beganAtMs) : undefined;
}

function idOf(message: JsonRpcMessage | undefined): string | null {
  if (message === undefined || message.type === "notification" || message.id === undefined) return null;
  return String(message.id).slice(0, 64);
}

function notePrimitive(
  fields: Fields,
  type: McpRequest["target"]["type"],
  operation: Operation,
  subjectName: string,
): void {
  if (type === undefined) return;
  fields["primitive_type"] = type;
  const name = subjectName.slice(0, 256);
  if (type !== "resource") fields["primitive_name"] = name;
  else if (operation.name !== "") fields["resource_uri_hash"] = name;
}

/** The half of the operation's id that is random, as the id of a span: whoever exports spans makes the same. */
function spanId(operationId: string): string {
  return operationId.replaceAll("-", "").slice(-16);
}

/** Who gave a message up before its answer: the client, by leaving or by saying so, or the API's deadline. */
function cancelledBy(
  { cancellation }: Exchange,
  { isCancelled, resultType }: McpSeen,
  outcome: Outcome,
): string | undefined {
  if (isCancelled && resultType === undefined) return "client";
  if (!cancellation.isCancelled || outcome.type === "answer") return undefined; // what was answered, nobody gave up
  return toGatewayError(cancellation.reason).code === "exchange.deadline" ? "deadline" : "client";
}

const askAgain: ReadonlySet<string> = new Set(["tools/call", "prompts/get", "resources/read"]);

/** 0 for a request as it is first made, 1 for one that comes again with input that the server has asked for. */
function inputRound(params: Readonly<Record<string, unknown>>, message: JsonRpcMessage | undefined): number | null {
  if (message?.type !== "request" || !askAgain.has(message.method)) return null;
  return params["inputResponses"] === undefined && params["requestState"] === undefined ? 0 : 1;
}

function noteClient(
  fields: Fields,
  params: Readonly<Record<string, unknown>>,
  session: SessionFacts | undefined,
): void {
  const meta = params["_meta"];
  const client = params["clientInfo"] ?? (isObject(meta) ? meta[metaKeys.clientInfo] : undefined);
  note(fields, "client_name", isObject(client) ? shortText(client["name"]) : session?.clientName);
  note(fields, "client_version", isObject(client) ? shortText(client["version"]) : session?.clientVersion);
}

function argumentNames(given: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.keys(given)
    .slice(0, 50)
    .map((name) => name.slice(0, 64))
    .toSorted();
}
