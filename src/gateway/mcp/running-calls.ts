import type { JsonRpcId } from "../../mcp/wire/json-rpc.ts";
import { isObject } from "../../mcp/wire/json-rpc.ts";
import type { Exchange, Operation } from "../../pipeline/exchange.ts";
import type { McpSeen } from "./mcp-request.ts";
import { mcpRequest, requestId } from "./mcp-request.ts";
import { sessionOwner } from "./open-session.ts";

/** The requests of sessions that are under way, so that a cancellation, which comes by another exchange, is told. */
export interface RunningCalls {
  /** From here on until `ended` a cancellation finds the call. Calls without a session are not found. */
  began(exchange: Exchange, operation: Operation): void;
  ended(exchange: Exchange, operation: Operation): void;
  /** A `notifications/cancelled` passes: the call that it names is marked as cancelled by its client. */
  cancelled(exchange: Exchange, operation: Operation): void;
}

/** Those of this process. The server cancels another gateway's calls all the same; only their rows do not say so. */
export function createRunningCalls(): RunningCalls {
  const running = new Map<string, McpSeen>();
  return {
    began(exchange, operation) {
      const key = keyOf(exchange, operation, requestId(operation));
      if (key !== undefined) running.set(key, mcpRequest(operation).seen);
    },
    ended(exchange, operation) {
      const key = keyOf(exchange, operation, requestId(operation));
      if (key !== undefined && running.get(key) === mcpRequest(operation).seen) running.delete(key);
    },
    cancelled(exchange, operation) {
      const { message } = mcpRequest(operation);
      if (message?.type !== "notification" || !isObject(message.params)) return;
      const id = message.params["requestId"];
      if (typeof id !== "string" && typeof id !== "number") return;
      const seen = running.get(keyOf(exchange, operation, id) ?? "");
      if (seen !== undefined) seen.isCancelled = true;
    },
  };
}

function keyOf(exchange: Exchange, operation: Operation, id: JsonRpcId | undefined): string | undefined {
  const session = mcpRequest(operation).session?.id;
  if (id === undefined || session === undefined) return undefined;
  return JSON.stringify([sessionOwner(exchange), session, id]);
}
