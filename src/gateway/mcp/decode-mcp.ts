import { uuidV7 } from "../../kernel/ids.ts";
import { parseStrictJson } from "../../kernel/strict-json.ts";
import type { SessionTokens } from "../../mcp/session-token.ts";
import type { JsonRpcMessage } from "../../mcp/wire/json-rpc.ts";
import { readJsonRpc } from "../../mcp/wire/json-rpc.ts";
import type { McpEra } from "../../mcp/wire/legacy.ts";
import { defaultLegacyVersion, isLegacyVersion, legacyVersions } from "../../mcp/wire/legacy.ts";
import type { MessageTarget } from "../../mcp/wire/message-target.ts";
import { messageTarget } from "../../mcp/wire/message-target.ts";
import { claimedVersion, headerMismatch, isModernVersion, modernVersions } from "../../mcp/wire/modern.ts";
import type { ClientRequest } from "../../pipeline/adapter.ts";
import type { Exchange, Operation } from "../../pipeline/exchange.ts";
import type { Deny } from "../../pipeline/outcome.ts";
import { deny } from "../../pipeline/outcome.ts";
import { readBody, requireJson } from "../read-body.ts";
import type { McpRequest } from "./mcp-request.ts";
import { nothingSeen } from "./mcp-request.ts";

const noBody = Buffer.alloc(0);
const faultCodes = {
  syntax: "request.malformed_json",
  depth: "request.too_deep",
  ambiguous: "request.invalid",
} as const;

/**
 * One HTTP request as one operation: a JSON-RPC message, or the legacy era's session traffic (GET stream, DELETE). The
 * era follows from the body's own claim; headers that tell another story are refused, since policies read the body and
 * anybody on the way may read the headers.
 */
export async function decodeMcp(
  exchange: Exchange,
  request: ClientRequest,
  sessions: SessionTokens,
): Promise<readonly Operation[] | Deny> {
  const { method, headers } = exchange.inbound;
  const version = single(headers["mcp-protocol-version"]);
  if (method !== "POST") return decodeSessionTraffic(exchange, method, version, sessions);

  const wrongType = requireJson(headers["content-type"]);
  if (wrongType !== undefined) return wrongType;
  const body = await readBody(request, exchange.api.limits.requestBytes, exchange.signal);
  if ("type" in body) return body;
  exchange.requestBytes = body.length;

  const parsed = parseStrictJson(body, exchange.api.limits.jsonDepth);
  if ("fault" in parsed) {
    return deny(faultCodes[parsed.fault.type], `The body is refused: ${parsed.fault.message}.`);
  }
  const message = readJsonRpc(parsed.value);
  if (message.type === "invalid") {
    const { id, reason } = message;
    return deny(
      "request.invalid",
      `The body is no JSON-RPC message: ${reason}.`,
      id === undefined ? {} : { requestId: id },
    );
  }
  return decodeMessage(exchange, message, body, version, sessions);
}

function decodeMessage(
  exchange: Exchange,
  message: JsonRpcMessage,
  body: Buffer,
  header: string | undefined,
  sessions: SessionTokens,
): readonly Operation[] | Deny {
  const claimed = message.type === "response" ? undefined : claimedVersion(message);
  const era = eraOf(message, claimed, header);
  const version = claimed ?? header;
  const differ = claimed !== undefined && header !== undefined && claimed !== header;
  if (version !== undefined && !differ && !isKnownVersion(version)) return unsupported(version, claimed, message);
  if (message.type !== "response") {
    const mismatch = headerMismatch(exchange.inbound.headers, message, era);
    if (mismatch !== undefined) return deny("mcp.header_mismatch", `Header mismatch: ${mismatch}.`, idOf(message));
  }
  const target = message.type === "response" ? noTarget : messageTarget(message);
  if ("fault" in target) return deny("mcp.invalid_params", `The request is refused: ${target.fault}.`, idOf(message));
  const session = era === "modern" ? undefined : openSession(exchange, sessions);
  if (session !== undefined && typeof session !== "string") return session;
  const protocolVersion = version ?? (era === "legacy" ? initializeVersion(message) : undefined);
  const own: McpRequest = {
    type: "message",
    message,
    era,
    protocolVersion: protocolVersion ?? defaultLegacyVersion,
    upstreamSession: session,
    target,
    mirrored: new Map(),
    seen: nothingSeen(),
  };
  const kind = message.type === "response" ? "response" : message.method;
  const [name = "", ...further] = target.names;
  const hidden = further.find((each) => exchange.principal?.mayCall?.(each) === false);
  if (hidden !== undefined) return notOffered(target, hidden, idOf(message));
  return [operationOf(exchange, kind, name, body, own)];
}

/** GET opens the standalone stream or resumes one, DELETE ends the session; the stateless era has neither. */
function decodeSessionTraffic(
  exchange: Exchange,
  method: string,
  version: string | undefined,
  sessions: SessionTokens,
): readonly Operation[] | Deny {
  if (method !== "GET" && method !== "DELETE") return deny("route.method_not_allowed", "Use POST, GET or DELETE here.");
  if (version !== undefined && !isKnownVersion(version)) return unsupported(version);
  if (version !== undefined && isModernVersion(version)) {
    return deny("route.method_not_allowed", `MCP ${version} has no sessions: use POST.`);
  }
  const session = openSession(exchange, sessions);
  if (session !== undefined && typeof session !== "string") return session;
  const own: McpRequest = {
    type: method === "GET" ? "stream" : "end-session",
    message: undefined,
    era: "legacy",
    protocolVersion: version,
    upstreamSession: session,
    target: noTarget,
    mirrored: new Map(),
    seen: nothingSeen(),
  };
  return [operationOf(exchange, method === "GET" ? "session/stream" : "session/end", "", noBody, own)];
}

/** The principal's own name for session tokens: another key's sessions do not open. */
export function sessionOwner(exchange: Exchange): string {
  return `${exchange.api.id}/${exchange.principal?.keyId ?? exchange.principal?.type ?? ""}`;
}

/** An operation for a message of this exchange. */
export function operationOf(
  exchange: Exchange,
  kind: string,
  name: string,
  body: Buffer,
  message: McpRequest,
  parentId?: string,
): Operation {
  const id = exchange.operations.length === 0 && parentId === undefined ? exchange.id : uuidV7(exchange.startedAtMs);
  const stream = kind === "session/stream" || kind === "subscriptions/listen";
  const answersOthers = kind === "session/stream";
  return { id, parentId, kind, name, stream, answersOthers, body, message, usage: undefined };
}

/** The refusal of a target that is not there, or that this caller may not see: in a server's own words for the first. */
export function notOffered({ type }: MessageTarget, name: string, more: Pick<Deny, "requestId"> = {}): Deny {
  return deny("request.not_offered", `${words[type ?? "tool"]} ${name} not found`, more);
}

const words = { tool: "Tool", prompt: "Prompt", resource: "Resource" } as const;
const noTarget: MessageTarget = { type: undefined, names: [] };

// The body decides: a header alone can be set by anybody on the way.
function eraOf(message: JsonRpcMessage, claimed: string | undefined, header: string | undefined): McpEra {
  if (claimed !== undefined) return isLegacyVersion(claimed) ? "legacy" : "modern";
  const isHandshake = message.type === "request" && message.method === "initialize";
  return header !== undefined && isModernVersion(header) && !isHandshake ? "modern" : "legacy";
}

function openSession(exchange: Exchange, sessions: SessionTokens): string | Deny | undefined {
  const token = single(exchange.inbound.headers["mcp-session-id"]);
  if (token === undefined) return undefined;
  return (
    sessions.read(token, sessionOwner(exchange)) ??
    deny("mcp.session_not_found", "The session does not exist or has ended; start a new one with `initialize`.")
  );
}

function initializeVersion(message: JsonRpcMessage): string | undefined {
  if (message.type !== "request" || message.method !== "initialize") return undefined;
  const version = message.params["protocolVersion"];
  return typeof version === "string" ? version : undefined;
}

function idOf(message: JsonRpcMessage): { readonly requestId?: string | number } {
  return message.type === "request" ? { requestId: message.id } : {};
}

function isKnownVersion(version: string): boolean {
  return isModernVersion(version) || isLegacyVersion(version);
}

/** Names the versions that the request could have been made in: the eras are spoken in different ways. */
function unsupported(version: string, claimed?: string, message?: JsonRpcMessage): Deny {
  const supported = claimed === undefined ? [...modernVersions, ...legacyVersions] : modernVersions;
  return deny("mcp.unsupported_version", "This protocol version is not supported.", {
    ...(message && idOf(message)),
    data: { supported, requested: version.slice(0, 64) },
  });
}

function single(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" && header !== "" ? header.trim() : undefined;
}
