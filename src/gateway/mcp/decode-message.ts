import { uuidV7 } from "../../kernel/ids.ts";
import type { SessionFacts } from "../../mcp/session-token.ts";
import type { JsonRpcMessage } from "../../mcp/wire/json-rpc.ts";
import type { McpEra } from "../../mcp/wire/legacy.ts";
import { defaultLegacyVersion, isLegacyVersion, legacyVersions } from "../../mcp/wire/legacy.ts";
import type { MessageTarget } from "../../mcp/wire/message-target.ts";
import { messageTarget } from "../../mcp/wire/message-target.ts";
import { claimedVersion, headerMismatch, isModernVersion, modernVersions } from "../../mcp/wire/modern.ts";
import type { Exchange, Operation } from "../../pipeline/exchange.ts";
import type { Deny } from "../../pipeline/outcome.ts";
import { deny } from "../../pipeline/outcome.ts";
import { boundMessage } from "./bound-request.ts";
import { mcpLimits } from "./compile-mcp.ts";
import type { McpRequest } from "./mcp-request.ts";
import { nothingSeen } from "./mcp-request.ts";
import { meantCall } from "./search/meant-call.ts";

/** What of the HTTP request a message is read with. */
export interface MessageContext {
  /** The header MCP-Protocol-Version. */
  readonly version: string | undefined;
  /** The session that the request names; for the stateless era it means nothing. */
  readonly session: SessionFacts | Deny | undefined;
  /** The message's place in a batch; 0 for one that stands alone. */
  readonly place: number;
}

/** One message as the operation that it asks for, or why it is refused. `body` is its own bytes. */
export function decodeMessage(
  exchange: Exchange,
  sent: JsonRpcMessage,
  bytes: Buffer,
  { version: header, session: named, place }: MessageContext,
): Operation | Deny {
  const claimed = sent.type === "response" ? undefined : claimedVersion(sent);
  const era = eraOf(sent, claimed, header);
  const version = claimed ?? header;
  const differ = claimed !== undefined && header !== undefined && claimed !== header;
  if (version !== undefined && !differ && !isKnownVersion(version)) return unsupported(version, claimed, sent);
  if (sent.type !== "response") {
    const mismatch = headerMismatch(exchange.inbound.headers, sent, era);
    if (mismatch !== undefined) return deny("mcp.header_mismatch", `Header mismatch: ${mismatch}.`, idOf(sent));
  }
  const meant = meantCall(exchange.api, sent, bytes);
  if ("type" in meant) return meant;
  const { message, body, isSearch } = meant;
  const target = isSearch || message.type === "response" ? noTarget : messageTarget(message);
  if ("fault" in target) return deny("mcp.invalid_params", `The request is refused: ${target.fault}.`, idOf(message));
  if (message.type !== "response") {
    const tooMuch = boundMessage(message, body.length, target, mcpLimits(exchange.api));
    if (tooMuch !== undefined) return tooMuch;
  }
  const session = era === "modern" ? undefined : named;
  if (session !== undefined && "type" in session) return { ...session, ...idOf(message) };
  const settled = era === "legacy" ? (initializeVersion(message) ?? session?.protocolVersion) : undefined;
  const own: McpRequest = {
    type: "message",
    message,
    era,
    protocolVersion: version ?? settled ?? defaultLegacyVersion,
    session,
    target,
    mirrored: new Map(),
    seen: nothingSeen(),
    ...(isSearch && { isSearch }),
  };
  const kind = isSearch ? "tools/search" : message.type === "response" ? "response" : message.method;
  const [name = "", ...further] = target.names;
  // One that this caller may not see stands for all: the runner refuses the message for it, and no other of its batch.
  const hidden = further.find((each) => exchange.principal?.mayCall?.(each) === false);
  return operationOf(exchange, kind, hidden ?? name, body, own, { place });
}

/** An operation for a message of this exchange. */
export function operationOf(
  exchange: Exchange,
  kind: string,
  name: string,
  body: Buffer,
  message: McpRequest,
  { parentId, place = 0 }: { readonly parentId?: string; readonly place?: number } = {},
): Operation {
  const id = place === 0 && parentId === undefined ? exchange.id : uuidV7(exchange.startedAtMs);
  const stream = kind === "session/stream" || kind === "subscriptions/listen";
  const answersOthers = kind === "session/stream";
  return { id, parentId, kind, name, stream, answersOthers, body, message, usage: undefined };
}

/** The refusal of a target that is not there, or that this caller may not see: in a server's own words for the first. */
export function notOffered({ type }: MessageTarget, name: string): Deny {
  return deny("request.not_offered", `${words[type ?? "tool"]} ${name} not found`);
}

const words = { tool: "Tool", prompt: "Prompt", resource: "Resource" } as const;

/** Of a message that is done to nothing. */
export const noTarget: MessageTarget = { type: undefined, names: [] };

// The body decides: a header alone can be set by anybody on the way.
function eraOf(message: JsonRpcMessage, claimed: string | undefined, header: string | undefined): McpEra {
  if (claimed !== undefined) return isLegacyVersion(claimed) ? "legacy" : "modern";
  const isHandshake = message.type === "request" && message.method === "initialize";
  return header !== undefined && isModernVersion(header) && !isHandshake ? "modern" : "legacy";
}

function initializeVersion(message: JsonRpcMessage): string | undefined {
  if (message.type !== "request" || message.method !== "initialize") return undefined;
  const version = message.params["protocolVersion"];
  return typeof version === "string" ? version : undefined;
}

function idOf(message: JsonRpcMessage): { readonly requestId?: string | number } {
  return message.type === "request" ? { requestId: message.id } : {};
}

/** Whether any era knows the version. */
export function isKnownVersion(version: string): boolean {
  return isModernVersion(version) || isLegacyVersion(version);
}

/**
 * The refusal of a version that nobody here knows. Names the versions that the request could have been made in: the eras
 * are spoken in different ways.
 */
export function unsupported(version: string, claimed?: string, message?: JsonRpcMessage): Deny {
  const supported = claimed === undefined ? [...modernVersions, ...legacyVersions] : modernVersions;
  return deny("mcp.unsupported_version", "This protocol version is not supported.", {
    ...(message && idOf(message)),
    data: { supported, requested: version.slice(0, 64) },
  });
}
