import type { Clock } from "../../../kernel/clock.ts";
import type { McpBackend, McpClientFacts, McpContext } from "../../../mcp/backend.ts";
import type { SessionTokens } from "../../../mcp/session-token.ts";
import type { TaskOwners } from "../../../mcp/task-owners.ts";
import { jsonRpcCodes } from "../../../mcp/wire/json-rpc.ts";
import type { Exchange, Operation } from "../../../pipeline/exchange.ts";
import { traceUpstream } from "../../../pipeline/trace-context.ts";
import { forwardableHeaders } from "../../headers.ts";
import { mcpKeyHeader } from "../compile-mcp.ts";
import { mcpRequest } from "../mcp-request.ts";
import { ownerOf } from "../open-session.ts";
import type { ToolHeaders } from "../tool-headers.ts";
import type { CallFacts, FaceCall } from "./face-call.ts";
import type { FaceFrames } from "./face-frames.ts";
import type { Parking, ParkLimits } from "./parking.ts";
import type { ServedSessions } from "./served-sessions.ts";
import type { WaitingAnswers } from "./waiting-answers.ts";

/** What the face of all MCP servers of a gateway keeps between exchanges. */
export interface FaceTools {
  readonly clock: Clock;
  readonly tokens: SessionTokens;
  readonly tasks: TaskOwners;
  readonly sessions: ServedSessions;
  readonly answers: WaitingAnswers;
  readonly parking: Parking;
  /** Calls that run in sessions, by owner, session and id, so that a cancellation finds them. */
  readonly running: Map<string, FaceCall>;
  /** Which arguments clients must repeat in headers, by the lists that they were shown. */
  readonly toolHeaders: ToolHeaders;
}

/** One message of a client's, and the server that it is for. */
export interface FaceRequest extends FaceFrames {
  readonly backend: McpBackend;
  readonly parking: ParkLimits;
  readonly tools: FaceTools;
}

/** The context of an operation, but for the ways back. */
export function callFacts(
  exchange: Exchange,
  operation: Operation,
  client: McpClientFacts,
  session?: string,
): CallFacts {
  const { message, seen } = mcpRequest(operation);
  const params = message === undefined || message.type === "response" ? {} : message.params;
  const meta: unknown = params["_meta"];
  const token: unknown = typeof meta === "object" && meta !== null ? Reflect.get(meta, "progressToken") : undefined;
  return {
    exchange,
    owner: ownerOf(exchange),
    session,
    client,
    headers: upHeaders(exchange, operation),
    progressToken: typeof token === "string" || typeof token === "number" ? token : undefined,
    noteMember(name, primitive) {
      seen.member = name;
      seen.memberPrimitive = primitive;
    },
  };
}

/** A context whose client is told and asked nothing. */
export function idle(facts: CallFacts, cancellation: McpContext["cancellation"]): McpContext {
  return {
    ...facts,
    cancellation,
    notify: () => undefined,
    ask: () => Promise.resolve({ error: { code: jsonRpcCodes.methodNotFound, message: "Nobody can be asked now." } }),
  };
}

const own: ReadonlySet<string> = new Set(["accept", "last-event-id"]);

function upHeaders(exchange: Exchange, operation: Operation): Readonly<Record<string, string>> {
  const headers = forwardableHeaders(exchange.inbound.headers, mcpKeyHeader(exchange.api));
  for (const name in headers) if (own.has(name) || name.startsWith("mcp-")) delete headers[name];
  traceUpstream(exchange, operation, headers);
  return headers;
}
