import { parseStrictJson } from "../../kernel/strict-json.ts";
import type { SessionFacts } from "../../mcp/session-token.ts";
import { readJsonRpc } from "../../mcp/wire/json-rpc.ts";
import { isModernVersion } from "../../mcp/wire/modern.ts";
import type { Batch, ClientRequest } from "../../pipeline/adapter.ts";
import type { Exchange, Operation } from "../../pipeline/exchange.ts";
import type { Deny } from "../../pipeline/outcome.ts";
import { deny } from "../../pipeline/outcome.ts";
import { readBody, requireJson } from "../read-body.ts";
import { boundHeaders } from "./bound-request.ts";
import { mcpLimits } from "./compile-mcp.ts";
import { decodeBatch } from "./decode-batch.ts";
import { decodeMessage, isKnownVersion, noTarget, operationOf, unsupported } from "./decode-message.ts";
import type { McpRequest } from "./mcp-request.ts";
import { nothingSeen } from "./mcp-request.ts";
import type { SessionDoor } from "./open-session.ts";
import { openSession } from "./open-session.ts";
import { refuseOver } from "./over-limit.ts";

const noBody = Buffer.alloc(0);
const faultCodes = {
  syntax: "request.malformed_json",
  depth: "request.too_deep",
  ambiguous: "request.invalid",
} as const;

/**
 * One HTTP request as one operation: a JSON-RPC message, or the legacy era's session traffic (GET stream, DELETE); or
 * as a batch, of one message too, in the one version that has them. The era follows from the body's own claim; headers
 * that tell another story are refused, since policies read the body and anybody on the way may read the headers.
 */
export async function decodeMcp(
  exchange: Exchange,
  request: ClientRequest,
  door: SessionDoor,
): Promise<readonly Operation[] | Batch | Deny> {
  const { method, headers } = exchange.inbound;
  const version = single(headers["mcp-protocol-version"]);
  const limits = mcpLimits(exchange.api);
  const tooMuch = boundHeaders(headers, limits);
  if (tooMuch !== undefined) return tooMuch;
  const session = openSession(exchange, door);
  if (method !== "POST") return decodeSessionTraffic(exchange, method, version, session);

  const wrongType = requireJson(headers["content-type"]);
  if (wrongType !== undefined) return wrongType;
  const body = await readBody(request, limits.requestBytes, exchange.cancellation);
  if ("type" in body) {
    if (body.code !== "request.too_large") return body;
    return refuseOver({ code: body.code, what: "The body is too large", limit: "requestBytes" }, limits);
  }
  exchange.requestBytes = body.length;

  const parsed = parseStrictJson(body, limits.jsonDepth);
  if ("fault" in parsed) {
    if (parsed.fault.type === "depth") {
      return refuseOver({ code: faultCodes.depth, what: "The body is nested too deeply", limit: "jsonDepth" }, limits);
    }
    return deny(faultCodes[parsed.fault.type], `The body is refused: ${parsed.fault.message}.`);
  }
  const { value } = parsed;
  const batch = Array.isArray(value) ? decodeBatch(exchange, value, body, { version, session }) : undefined;
  if (batch !== undefined) return batch;
  const message = readJsonRpc(value);
  if (message.type === "invalid") {
    const { id, reason } = message;
    return deny(
      "request.invalid",
      `The body is no JSON-RPC message: ${reason}.`,
      id === undefined ? {} : { requestId: id },
    );
  }
  const operation = decodeMessage(exchange, message, body, { version, session, place: 0 });
  return "type" in operation ? operation : [operation];
}

/** GET opens the standalone stream or resumes one, DELETE ends the session; the stateless era has neither. */
function decodeSessionTraffic(
  exchange: Exchange,
  method: string,
  version: string | undefined,
  session: SessionFacts | Deny | undefined,
): readonly Operation[] | Deny {
  if (method !== "GET" && method !== "DELETE") return deny("route.method_not_allowed", "Use POST, GET or DELETE here.");
  if (version !== undefined && !isKnownVersion(version)) return unsupported(version);
  if (version !== undefined && isModernVersion(version)) {
    return deny("route.method_not_allowed", `MCP ${version} has no sessions: use POST.`);
  }
  if (session !== undefined && "type" in session) return session;
  const own: McpRequest = {
    type: method === "GET" ? "stream" : "end-session",
    message: undefined,
    era: "legacy",
    protocolVersion: version ?? session?.protocolVersion,
    session,
    target: noTarget,
    mirrored: new Map(),
    seen: nothingSeen(),
  };
  return [operationOf(exchange, method === "GET" ? "session/stream" : "session/end", "", noBody, own)];
}

function single(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" && header !== "" ? header.trim() : undefined;
}
