import type { SessionFacts, SessionTokens } from "../../mcp/session-token.ts";
import { isObject } from "../../mcp/wire/json-rpc.ts";
import type { Exchange, Operation } from "../../pipeline/exchange.ts";
import type { Deny } from "../../pipeline/outcome.ts";
import { deny } from "../../pipeline/outcome.ts";
import { mcpRequest } from "./mcp-request.ts";
import { shortText } from "./note-message.ts";

/** The principal's own name for session tokens: another key's sessions do not open. */
export function sessionOwner(exchange: Exchange): string {
  return `${exchange.api.id}/${exchange.principal?.keyId ?? exchange.principal?.caller ?? exchange.principal?.type ?? ""}`;
}

/** The session that the client names, a refusal for one that does not open, undefined when it names none. */
export function openSession(exchange: Exchange, sessions: SessionTokens): SessionFacts | Deny | undefined {
  const header = exchange.inbound.headers["mcp-session-id"];
  if (typeof header !== "string" || header === "") return undefined;
  return (
    sessions.read(header.trim(), sessionOwner(exchange)) ??
    deny("mcp.session_not_found", "The session does not exist or has ended; start a new one with `initialize`.")
  );
}

/** What is known of the session with this upstream id after the operation's answer: for the rows of what comes later. */
export function sessionFacts(operation: Operation, id: string): SessionFacts {
  const { message, session, seen } = mcpRequest(operation);
  const given = message?.type === "request" ? message.params["clientInfo"] : undefined;
  const client = isObject(given) ? given : {};
  return {
    id,
    clientName: shortText(client["name"]) ?? session?.clientName,
    clientVersion: shortText(client["version"]) ?? session?.clientVersion,
    serverName: seen.serverName ?? session?.serverName,
    serverVersion: seen.serverVersion ?? session?.serverVersion,
    protocolVersion: seen.protocolVersion ?? session?.protocolVersion,
  };
}
