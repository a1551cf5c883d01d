import type { SessionFacts } from "../../mcp/session-token.ts";
import type { JsonRpcId, JsonRpcMessage } from "../../mcp/wire/json-rpc.ts";
import type { McpEra } from "../../mcp/wire/legacy.ts";
import type { MessageTarget } from "../../mcp/wire/message-target.ts";
import type { Operation } from "../../pipeline/exchange.ts";
import type { ToolChooser } from "../../pipeline/offered-tools.ts";

/** The adapter's own view of one message; other parts see only the operation. */
export interface McpRequest {
  /** `message` is a POST with one message; the others are legacy session traffic without a body. */
  readonly type: "message" | "stream" | "end-session" | "from-server";
  readonly message: JsonRpcMessage | undefined;
  readonly era: McpEra;
  readonly protocolVersion: string | undefined;
  /** The session, opened from the client's token. */
  readonly session: SessionFacts | undefined;
  /** What the message is done to. */
  readonly target: MessageTarget;
  /** Texts of the body that a policy has changed, by what they were: headers that repeat them follow. */
  readonly mirrored: Map<string, string>;
  /** What was seen on the way back; for the row. */
  readonly seen: McpSeen;
  /** Of a list of tools that is asked for one task: says which of them are listed. */
  narrow?: ToolChooser;
  /** Of a search for tools, that the gateway makes itself: the operation is that, and not a call of a tool. */
  readonly isSearch?: boolean;
}

/** What the answer showed. Written by the relay, read by the event. */
export interface McpSeen {
  resultType: string | undefined;
  isError: boolean;
  errorCode: number | undefined;
  contentTypes: readonly string[];
  structured: boolean;
  /** Entries of a list as the server sent it. */
  listTotal: number | undefined;
  cacheScope: string | undefined;
  ttlMs: number | undefined;
  eventsStreamed: number;
  progressCount: number;
  serverName: string | undefined;
  serverVersion: string | undefined;
  /** What tells the session that the answer began or went on with from all others. */
  session: string | undefined;
  /** The version that a handshake settled on. */
  protocolVersion: string | undefined;
  /** Tools that were left of a list for this caller. */
  toolsAfterAuthz: number | undefined;
  /** What the server told and asked by messages of its own. */
  serverNotifications: number;
  serverRequests: number;
  /** Messages of the server's that were relayed without a row of their own, because there were too many. */
  rowsLeftOut: number;
  /** The client has said by another message that it does not wait any more. */
  isCancelled: boolean;
  /** In a batch: the client has been given the answer. */
  isAnswered: boolean;
  taskId: string | undefined;
  /** Servers that a list of several lacks. */
  membersMissing: string | undefined;
  /** The server of several that has served the request. */
  member: string | undefined;
  /** What the tool or prompt is called there. */
  memberPrimitive: string | undefined;
}

/** Nothing seen yet. */
export function nothingSeen(): McpSeen {
  return {
    resultType: undefined,
    isError: false,
    errorCode: undefined,
    contentTypes: [],
    structured: false,
    listTotal: undefined,
    cacheScope: undefined,
    ttlMs: undefined,
    eventsStreamed: 0,
    progressCount: 0,
    serverName: undefined,
    serverVersion: undefined,
    session: undefined,
    protocolVersion: undefined,
    toolsAfterAuthz: undefined,
    serverNotifications: 0,
    serverRequests: 0,
    rowsLeftOut: 0,
    isCancelled: false,
    isAnswered: false,
    taskId: undefined,
    membersMissing: undefined,
    member: undefined,
    memberPrimitive: undefined,
  };
}

/** The view that `decode` attached to the operation. */
export function mcpRequest(operation: Operation): McpRequest {
  return operation.message as McpRequest; // only this adapter makes operations of this adapter's APIs
}

/** The id of the request that an operation is; undefined for notifications, answers and session traffic. */
export function requestId(operation: Operation | undefined): JsonRpcId | undefined {
  const message = operation && mcpRequest(operation).message;
  return message?.type === "request" ? message.id : undefined;
}
