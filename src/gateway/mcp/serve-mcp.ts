import type { Answer, Exchange, Operation } from "../../pipeline/exchange.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";
import type { McpCallTools } from "./call-mcp.ts";
import { callMcp, isLongStream } from "./call-mcp.ts";
import type { McpBehind, McpRelay } from "./compile-mcp.ts";
import { behindOf, mcpLimits } from "./compile-mcp.ts";
import type { FaceRequest, FaceTools } from "./face/face-tools.ts";
import { callFacts, idle } from "./face/face-tools.ts";
import { modernClient } from "./face/modern-face.ts";
import { serveFace } from "./face/serve-face.ts";
import { mcpRequest, nothingSeen } from "./mcp-request.ts";
import { ownerOf } from "./open-session.ts";
import type { StreamPlaces } from "./stream-places.ts";

export interface ServeTools extends McpCallTools {
  readonly face: FaceTools;
  readonly places: StreamPlaces;
}

/**
 * One message to whatever is behind the target: relayed as it is where the upstream speaks the client's era, else served
 * from the backend. Where the upstream's era is not known, the message is relayed first; a server that refuses it for
 * its era has not run it, so that it may be brought again in other words.
 */
export function serveMcp(
  exchange: Exchange,
  operation: Operation,
  target: CompiledTarget,
  tools: ServeTools,
): Promise<Answer> {
  if (!isLongStream(operation)) return serve(exchange, operation, target, tools);
  const open = (): Promise<Answer> => serve(exchange, operation, target, tools);
  return tools.places.hold(ownerOf(exchange), mcpLimits(exchange.api), open);
}

function serve(exchange: Exchange, operation: Operation, target: CompiledTarget, tools: ServeTools): Promise<Answer> {
  const behind = behindOf(target);
  const way = wayOf(operation, behind);
  if (way === "face" || behind.relay === undefined) return face(exchange, operation, behind, tools);
  if (way === "relay") return callMcp(exchange, operation, target, tools);
  return relayOrFace(exchange, operation, target, behind, behind.relay, tools);
}

type Way = "relay" | "face" | "try";

function wayOf(operation: Operation, { relay }: McpBehind): Way {
  const { era, session, message } = mcpRequest(operation);
  if (session?.capabilities !== undefined) return "face"; // a session of the gateway's own
  if (relay === undefined || relay.mode === "always") return "face";
  if (relay.era !== "auto") return relay.era === era ? "relay" : "face";
  if (era === "modern") {
    const known = relay.server.era.known();
    return known === undefined ? "try" : known === "modern" ? "relay" : "face";
  }
  const isHandshake = message?.type === "request" && message.method === "initialize";
  if (!isHandshake) return "relay";
  return relay.server.era.refusesSessions() ? "face" : "try";
}

async function relayOrFace(
  exchange: Exchange,
  operation: Operation,
  target: CompiledTarget,
  behind: McpBehind,
  { server }: McpRelay,
  tools: ServeTools,
): Promise<Answer> {
  const answer = await callMcp(exchange, operation, target, tools);
  if (!mayBeRefusedForItsEra(operation, answer)) return answer;
  const { era, message } = mcpRequest(operation);
  const client = (era === "modern" && message?.type === "request" ? modernClient(message) : undefined) ?? nobody;
  const facts = callFacts(exchange, operation, client);
  const found = await server.findEra(idle(facts, exchange.cancellation)).catch(() => undefined);
  if (found === undefined || found === era) return answer;
  if (era === "legacy") server.era.noteRefusal();
  Object.assign(mcpRequest(operation).seen, nothingSeen());
  return face(exchange, operation, behind, tools);
}

const nobody = {
  era: "modern",
  protocolVersion: "2026-07-28",
  info: undefined,
  capabilities: {},
  logLevel: undefined,
} as const;

const refusals: ReadonlySet<number> = new Set([400, 404, 405, 406, 415]);

/** A server says at once that it does not know an era's words: by its status, or to the first of its methods. */
function mayBeRefusedForItsEra(operation: Operation, { status, body }: Answer): boolean {
  if (body.type !== "whole") return false;
  if (refusals.has(status)) return true;
  const { errorCode } = mcpRequest(operation).seen;
  const isFirst = operation.kind === "server/discover" || operation.kind === "initialize";
  return isFirst && status < 300 && errorCode !== undefined;
}

function face(exchange: Exchange, operation: Operation, behind: McpBehind, tools: ServeTools): Promise<Answer> {
  const { backend, parking } = behind;
  const { clock, tasks } = tools;
  tools.running.began(exchange, operation);
  if (operation.kind === "notifications/cancelled") tools.running.cancelled(exchange, operation);
  const request: FaceRequest = { exchange, operation, clock, tasks, backend, parking, tools: tools.face };
  return serveFace(request);
}
