import { eventSubject } from "./event-subject.ts";
import type { Exchange, Operation } from "./exchange.ts";

/** How spans are made of what is recorded. Absent from an exchange, nothing of it is traced. */
export interface Tracing {
  /** From 0 to 1: the share of traces that are kept, of those that begin here. */
  readonly sampleRatio: number;
}

/** Where one span stands. Ids are in lower-case hex. */
export interface SpanPlace {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly isSampled: boolean;
  /** The trace of the HTTP request, where the message that it carried names another. */
  readonly link?: TraceParent | undefined;
}

/** A W3C `traceparent` that can be joined. */
export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  readonly isSampled: boolean;
}

/**
 * Reads a `traceparent`; undefined where it is none. Of later versions the members of the first are read.
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function readTraceparent(header: unknown): TraceParent | undefined {
  const [, version, traceId, spanId, flags = "", more] = typeof header === "string" ? (shape.exec(header) ?? []) : [];
  if (traceId === undefined || spanId === undefined || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  if (version === "00" && more !== "") return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

const shape = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})($|-)/;

/**
 * The span of an operation, or of an exchange that was refused before there was one; undefined where nothing is traced.
 * A caller's context, in the message or else in the header, is its parent and decides whether it is kept; else it begins a
 * trace of the exchange's own id. The same operation always gets the same.
 * @see https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/mcp.md#context-propagation
 */
export function operationSpan(exchange: Exchange, operation: Operation | undefined): SpanPlace | undefined {
  if (exchange.tracing === undefined) return undefined;
  const spanId = idOf(operation?.id ?? exchange.id);
  const ofRequest = readTraceparent(exchange.inbound.headers["traceparent"]);
  const ofMessage = operation && readTraceparent(eventSubject(exchange, operation).traceparent);
  const given = ofMessage ?? ofRequest;
  if (given !== undefined) {
    const link = ofRequest?.spanId === given.spanId ? undefined : ofRequest;
    return { ...given, spanId, parentSpanId: given.spanId, link };
  }
  const traceId = exchange.id.replaceAll("-", "");
  return { traceId, spanId, parentSpanId: undefined, isSampled: isKept(traceId, exchange.tracing) };
}

/** The span of a try, below that of its operation. `number` is 1 for the exchange's first; 0 gives the operation's own id. */
export function attemptSpan(operation: SpanPlace, number: number): SpanPlace {
  const spanId = countedOn(operation.spanId, number);
  return { ...operation, spanId, parentSpanId: operation.spanId, link: undefined };
}

/**
 * The `traceparent` that puts what an upstream does below the running try of an operation, or below the operation where
 * none runs; undefined where nothing is traced, and the caller's own goes on.
 */
export function upstreamTraceparent(exchange: Exchange, operation: Operation): string | undefined {
  const span = operationSpan(exchange, operation);
  if (span === undefined) return undefined;
  const place = exchange.attempts.findLastIndex(({ operationId }) => operationId === operation.id);
  return `00-${span.traceId}-${attemptSpan(span, place + 1).spanId}-${span.isSampled ? "01" : "00"}`;
}

/**
 * The `tracestate` that belongs to the trace that goes on: it was beside the `traceparent` that was joined. Undefined where
 * there was none, or none that can stand in a header, and where the trace begins here.
 * @see https://www.w3.org/TR/trace-context/#tracestate-header
 */
export function upstreamTracestate(exchange: Exchange, operation: Operation): string | undefined {
  const told = eventSubject(exchange, operation);
  if (readTraceparent(told.traceparent) !== undefined) return stateOf(told.tracestate);
  const { traceparent, tracestate } = exchange.inbound.headers;
  return readTraceparent(traceparent) === undefined ? undefined : stateOf(tracestate);
}

/** Writes both over the caller's headers: a `tracestate` goes on with the trace that it belongs to, and with no other. */
export function traceUpstream(exchange: Exchange, operation: Operation, headers: Record<string, string>): void {
  const traceparent = upstreamTraceparent(exchange, operation);
  if (traceparent === undefined) return;
  headers["traceparent"] = traceparent;
  const tracestate = upstreamTracestate(exchange, operation);
  if (tracestate === undefined) delete headers["tracestate"];
  else headers["tracestate"] = tracestate;
}

/** Twice what everybody has to pass on. */
const longestState = 1_024;

function stateOf(given: unknown): string | undefined {
  if (typeof given !== "string" || given === "" || given.length > longestState) return undefined;
  return /^[\x20-\x7e]+$/.test(given) ? given : undefined;
}

// By the id's random end, so that all who see a trace decide alike.
function isKept(traceId: string, { sampleRatio }: Tracing): boolean {
  return Number.parseInt(traceId.slice(-8), 16) < sampleRatio * 2 ** 32;
}

/** The half of an operation's id that is random. */
function idOf(operationId: string): string {
  return operationId.replaceAll("-", "").slice(-16);
}

/** Another id for each number, and never the same as the operation's own. */
function countedOn(spanId: string, number: number): string {
  const counted = (Number.parseInt(spanId.slice(0, 8), 16) ^ number) >>> 0;
  return counted.toString(16).padStart(8, "0") + spanId.slice(8);
}
