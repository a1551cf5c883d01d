import type { EventSubject } from "./adapter.ts";
import type { Exchange, Operation } from "./exchange.ts";

const longest = 256;

/** What rows call an operation, by its adapter; names are cut at 256 characters, since callers choose them. */
export function eventSubject({ api }: Exchange, operation: Operation): EventSubject {
  const told = api.adapter.eventSubject?.(operation);
  const { kind, name } = told ?? operation;
  return {
    kind: kind.length > longest ? kind.slice(0, longest) : kind,
    name: name.length > longest ? name.slice(0, longest) : name,
    isUpstreamError: told?.isUpstreamError ?? false,
    traceparent: told?.traceparent,
    tracestate: told?.tracestate,
  };
}
