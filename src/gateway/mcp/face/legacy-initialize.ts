import { randomBytes } from "node:crypto";
import type { McpClientFacts, McpObject } from "../../../mcp/backend.ts";
import { bridgedCapabilities } from "../../../mcp/wire/era-results.ts";
import type { JsonRpcRequest } from "../../../mcp/wire/json-rpc.ts";
import { isObject } from "../../../mcp/wire/json-rpc.ts";
import { isLegacyVersion, legacyVersions } from "../../../mcp/wire/legacy.ts";
import type { Answer } from "../../../pipeline/exchange.ts";
import { mcpRequest } from "../mcp-request.ts";
import { sessionFacts, sessionOwner } from "../open-session.ts";
import { wholeAnswer } from "./face-frames.ts";
import type { FaceRequest } from "./face-tools.ts";
import { callFacts, idle } from "./face-tools.ts";

/** A session of the gateway's own: its token carries what the client can, so that any gateway serves it. */
export async function answerInitialize(request: FaceRequest, { id, params }: JsonRpcRequest): Promise<Answer> {
  const { exchange, operation, backend, tools } = request;
  const asked = params["protocolVersion"];
  const version = typeof asked === "string" && isLegacyVersion(asked) ? asked : legacyVersions[0];
  const session = randomBytes(16).toString("base64url");
  const capabilities = isObject(params["capabilities"]) ? params["capabilities"] : {};
  const info = isObject(params["clientInfo"]) ? params["clientInfo"] : undefined;
  const client: McpClientFacts = { era: "legacy", protocolVersion: version, info, capabilities, logLevel: undefined };
  const facts = await backend.facts(idle(callFacts(exchange, operation, client, session), exchange.cancellation));
  const result = {
    protocolVersion: version,
    capabilities: bridgedCapabilities(facts.capabilities),
    serverInfo: { name: "gatehouse", version: "1", ...facts.serverInfo },
    ...(facts.instructions !== undefined && { instructions: facts.instructions }),
  };
  const answer = wholeAnswer(request, { jsonrpc: "2.0", id, result });
  mcpRequest(operation).seen.session = session;
  const told = {
    ...sessionFacts(exchange, operation, session),
    mark: session,
    capabilities: shortCapabilities(capabilities),
  };
  const token = tools.tokens.issue(told, sessionOwner(exchange));
  return { ...answer, headers: { ...answer.headers, "mcp-session-id": token } };
}

const maxLength = 2_000;
const asked = ["elicitation", "sampling", "roots"];

/** What the token can carry: all, or what a server may ask for, or that much of it as has room. */
function shortCapabilities(capabilities: McpObject): string {
  const all = JSON.stringify(capabilities);
  if (all.length <= maxLength) return all;
  const some = Object.fromEntries(
    asked.flatMap((name) => (isObject(capabilities[name]) ? [[name, capabilities[name]]] : [])),
  );
  const text = JSON.stringify(some);
  return text.length <= maxLength
    ? text
    : JSON.stringify(Object.fromEntries(Object.keys(some).map((name) => [name, {}])));
}
