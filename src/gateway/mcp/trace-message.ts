import { locateJson, spliceBytes } from "../../kernel/json-scan.ts";
import type { McpContext } from "../../mcp/backend.ts";
import { isObject } from "../../mcp/wire/json-rpc.ts";
import type { Exchange, Operation } from "../../pipeline/exchange.ts";
import { upstreamTraceparent } from "../../pipeline/trace-context.ts";
import { mcpRequest } from "./mcp-request.ts";

/**
 * The body of a message that is relayed, with our span in the place of the caller's in `params._meta`: what a server does
 * then stands below the gateway's try. As it is where it names none, or nothing is traced.
 */
export function tracedBody(exchange: Exchange, operation: Operation): Buffer {
  if (exchange.tracing === undefined) return operation.body;
  const { message } = mcpRequest(operation);
  const meta = message === undefined || message.type === "response" ? undefined : message.params["_meta"];
  if (!isObject(meta) || typeof meta["traceparent"] !== "string") return operation.body;
  const traceparent = upstreamTraceparent(exchange, operation);
  const range = locateJson(operation.body, ["params", "_meta", "traceparent"]);
  if (traceparent === undefined || range === undefined) return operation.body;
  const [start, end] = range;
  return spliceBytes(operation.body, [{ start, end, replacement: JSON.stringify(traceparent) }]);
}

/** Our span for the `_meta` of a message that the gateway writes itself; undefined where nothing is traced. */
export function ownTraceparent({ exchange, headers }: McpContext): string | undefined {
  return exchange?.tracing === undefined ? undefined : headers["traceparent"];
}
