import { randomBytes } from "node:crypto";
import type { SessionFacts, SessionTokens } from "../../mcp/session-token.ts";
import { isObject } from "../../mcp/wire/json-rpc.ts";
import type { Exchange, Operation } from "../../pipeline/exchange.ts";
import type { Deny } from "../../pipeline/outcome.ts";
import { deny } from "../../pipeline/outcome.ts";
import { mcpLimits } from "./compile-mcp.ts";
import type { ServedSessions } from "./face/served-sessions.ts";
import { mcpRequest } from "./mcp-request.ts";
import { shortText } from "./note-message.ts";

/** The principal's own name for session tokens: another key's sessions do not open. */
export function sessionOwner(exchange: Exchange): string {
  return `${exchange.api.id}/${exchange.principal?.keyId ?? exchange.principal?.caller ?? exchange.principal?.type ?? ""}`;
}

/** Names principal, API and environment: what is kept for one owner is nobody else's. */
export function ownerOf(exchange: Exchange): string {
  return `${sessionOwner(exchange)}/${exchange.principal?.environment ?? "production"}`;
}

/** What sessions are opened with. */
export interface SessionDoor {
  readonly tokens: SessionTokens;
  /** Those that this process has served. */
  readonly served: ServedSessions;
}

/**
 * The session that the client names, undefined when it names none. A refusal for one that does not open, has ended, or is
 * older than sessions get.
 */
export function openSession(exchange: Exchange, { tokens, served }: SessionDoor): SessionFacts | Deny | undefined {
  const header = exchange.inbound.headers["mcp-session-id"];
  if (typeof header !== "string" || header === "") return undefined;
  const session = tokens.read(header.trim(), sessionOwner(exchange));
  const { sessionMs, sessionsPerCaller } = mcpLimits(exchange.api);
  const isOpen =
    session !== undefined &&
    exchange.startedAtMs - session.beganAtMs <= sessionMs &&
    served.admit(ownerOf(exchange), session.mark, sessionsPerCaller);
  if (isOpen) return session;
  return deny("mcp.session_not_found", "The session does not exist or has ended; start a new one with `initialize`.");
}

/** What is known of the session with this upstream id after the operation's answer: for the rows of what comes later. */
export function sessionFacts({ startedAtMs }: Exchange, operation: Operation, id: string): SessionFacts {
  const { message, session, seen } = mcpRequest(operation);
  const given = message?.type === "request" ? message.params["clientInfo"] : undefined;
  const client = isObject(given) ? given : {};
  const isSame = session?.id === id;
  return {
    id,
    mark: isSame ? session.mark : randomBytes(9).toString("base64url"),
    beganAtMs: isSame ? session.beganAtMs : startedAtMs,
    clientName: shortText(client["name"]) ?? session?.clientName,
    clientVersion: shortText(client["version"]) ?? session?.clientVersion,
    serverName: seen.serverName ?? session?.serverName,
    serverVersion: seen.serverVersion ?? session?.serverVersion,
    protocolVersion: seen.protocolVersion ?? session?.protocolVersion,
  };
}
