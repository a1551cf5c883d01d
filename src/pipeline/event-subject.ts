import type { EventSubject } from "./adapter.ts";
import type { Exchange, Operation } from "./exchange.ts";

const longest = 256;

/** What rows call an operation, by its adapter; names are cut at 256 characters, since callers choose them. */
export function eventSubject({ api }: Exchange, operation: Operation): EventSubject {
  const { kind, name, isUpstreamError } = api.adapter.eventSubject?.(operation) ?? {
    kind: operation.kind,
    name: operation.name,
    isUpstreamError: false,
  };
  return { kind: kind.slice(0, longest), name: name.slice(0, longest), isUpstreamError };
}
