import { createHash } from "node:crypto";
import type { JsonRpcMessage } from "../../mcp/wire/json-rpc.ts";
import { isObject } from "../../mcp/wire/json-rpc.ts";
import { isKnownMethod } from "../../mcp/wire/message-target.ts";
import { metaKeys } from "../../mcp/wire/modern.ts";
import type { EventSubject } from "../../pipeline/adapter.ts";
import type { EventValue } from "../../pipeline/event.ts";
import type { Operation } from "../../pipeline/exchange.ts";
import { mcpRequest } from "./mcp-request.ts";
import { shortText } from "./note-message.ts";

/** The columns that only MCP has. Names of arguments, never their values; ids of sessions and resources only hashed. */
export function mcpEventFields(operation: Operation): Readonly<Record<string, EventValue>> {
  const { message, era, protocolVersion, upstreamSession, seen, type } = mcpRequest(operation);
  const params = message !== undefined && message.type !== "response" ? message.params : {};
  const session = upstreamSession ?? seen.session;
  return {
    era,
    mcp_protocol_version: protocolVersion ?? null,
    direction: type === "from-server" ? "server_to_client" : "client_to_server",
    message_type: message?.type ?? type,
    jsonrpc_id: idOf(message),
    method: mcpEventSubject(operation).kind,
    ...primitiveOf(operation),
    ...clientOf(params),
    server_name: seen.serverName ?? null,
    server_version: seen.serverVersion ?? null,
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

function clientOf(params: Readonly<Record<string, unknown>>): Readonly<Record<string, EventValue>> {
  const meta = params["_meta"];
  const client = params["clientInfo"] ?? (isObject(meta) ? meta[metaKeys.clientInfo] : undefined);
  return {
    client_name: (isObject(client) ? shortText(client["name"]) : undefined) ?? null,
    client_version: (isObject(client) ? shortText(client["version"]) : undefined) ?? null,
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

/** 64 bits of SHA-256 in hex: enough to tell apart, too little to find back. */
function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
