import type { ByteEdit } from "../../kernel/json-scan.ts";
import { locateJson, spliceBytes } from "../../kernel/json-scan.ts";
import type { McpContext } from "../../mcp/backend.ts";
import { isObject } from "../../mcp/wire/json-rpc.ts";
import { withMeta } from "../../mcp/wire/reserved-meta.ts";
import type { Exchange, Operation } from "../../pipeline/exchange.ts";
import { upstreamTraceparent, upstreamTracestate } from "../../pipeline/trace-context.ts";
import { mcpRequest } from "./mcp-request.ts";

type Params = Readonly<Record<string, unknown>>;

/**
 * The body of a message that is relayed, with our span in the place of the caller's in `params._meta`: what a server does
 * then stands below the gateway's try. A `tracestate` that belongs to another trace is emptied. As it is where it names no
 * trace, or nothing is traced.
 */
export function tracedBody(exchange: Exchange, operation: Operation): Buffer {
  if (exchange.tracing === undefined) return operation.body;
  const { message } = mcpRequest(operation);
  const meta = message === undefined || message.type === "response" ? undefined : message.params["_meta"];
  if (!isObject(meta)) return operation.body;
  const traceparent = upstreamTraceparent(exchange, operation);
  if (traceparent === undefined) return operation.body;
  const replace = (name: string, replacement: string): ByteEdit[] => {
    const range = locateJson(operation.body, ["params", "_meta", name]);
    return range === undefined ? [] : [{ start: range[0], end: range[1], replacement }];
  };
  const tracestate = upstreamTracestate(exchange, operation);
  const parent = JSON.stringify(traceparent);
  const state = JSON.stringify(tracestate ?? ""); // a list without members is one, and its bytes have a place already
  const hasParent = typeof meta["traceparent"] === "string";
  const isNewState = hasParent && tracestate !== undefined && meta["tracestate"] === undefined;
  const edits = [
    ...(hasParent ? replace("traceparent", isNewState ? `${parent},"tracestate":${state}` : parent) : []),
    ...(meta["tracestate"] === undefined ? [] : replace("tracestate", state)),
  ];
  return edits.length === 0 ? operation.body : spliceBytes(operation.body, edits);
}

/** The params of a message that the gateway writes itself, with our span and its state in `_meta` where it is traced. */
export function tracedParams(params: Params, { exchange, headers }: McpContext): Params {
  const { traceparent, tracestate } = headers;
  if (exchange?.tracing === undefined || traceparent === undefined) return params;
  const { _meta: meta, ...rest } = params;
  const { tracestate: _stale, ...kept } = isObject(meta) ? meta : {};
  return withMeta({ ...rest, _meta: kept }, { traceparent, tracestate });
}
