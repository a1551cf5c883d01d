import type { Exchange, Operation } from "./exchange.ts";

/** The body of a request as JSON, by its adapter; undefined or an empty object where there is none. */
export function requestJson({ api }: Exchange, operation: Operation): unknown {
  return api.adapter.requestJson === undefined ? operation.message : api.adapter.requestJson(operation);
}
