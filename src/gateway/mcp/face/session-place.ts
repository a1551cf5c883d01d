import { GatewayError } from "../../../kernel/errors.ts";
import { parseJson } from "../../../kernel/parse-json.ts";
import type { McpClientFacts } from "../../../mcp/backend.ts";
import { isObject } from "../../../mcp/wire/json-rpc.ts";
import { defaultLegacyVersion } from "../../../mcp/wire/legacy.ts";
import { mcpRequest } from "../mcp-request.ts";
import { ownerOf } from "../open-session.ts";
import type { FaceRequest } from "./face-tools.ts";
import type { ServedSession } from "./served-sessions.ts";

/** A client's session as its token tells, and what is remembered of it. */
export interface SessionPlace {
  readonly id: string;
  readonly memory: ServedSession;
  readonly client: McpClientFacts;
}

/** The session that a message names. Throws `request.invalid` without one, `mcp.session_not_found` for one that is over. */
export function sessionOf({ operation, exchange, tools }: FaceRequest): SessionPlace {
  const { session, protocolVersion = defaultLegacyVersion } = mcpRequest(operation);
  if (session === undefined) {
    throw new GatewayError("request.invalid", "The header Mcp-Session-Id is missing; begin with `initialize`.");
  }
  const memory = session.capabilities === undefined ? undefined : tools.sessions.of(ownerOf(exchange), session.id);
  if (memory === undefined) {
    throw new GatewayError(
      "mcp.session_not_found",
      "The session does not exist or has ended; start a new one with `initialize`.",
    );
  }
  const { clientName, clientVersion } = session;
  const client: McpClientFacts = {
    era: "legacy",
    protocolVersion: session.protocolVersion ?? protocolVersion,
    info: clientName === undefined ? undefined : { name: clientName, version: clientVersion ?? "" },
    capabilities: capabilitiesIn(session.capabilities),
    logLevel: memory.logLevel,
  };
  return { id: session.id, memory, client };
}

function capabilitiesIn(text: string | undefined): McpClientFacts["capabilities"] {
  const value: unknown = parseJson(text ?? "{}"); // sealed by the gateway
  return isObject(value) ? value : {};
}
