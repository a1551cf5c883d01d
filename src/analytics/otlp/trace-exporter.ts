import type { AnalyticsEvent } from "../../pipeline/event.ts";
import { attemptSpan, exchangeSpan } from "./event-spans.ts";
import type { OtlpSource } from "./otlp-resource.ts";
import { otlpResource, otlpScope } from "./otlp-resource.ts";
import type { OtlpEndpoint } from "./otlp-sender.ts";
import { createOtlpSender } from "./otlp-sender.ts";

/** Takes events and sends their spans. Disposing sends what waits, within two seconds. */
export interface TelemetryExporter extends AsyncDisposable {
  /** Returns at once and never throws. */
  record(event: AnalyticsEvent): void;
  readonly sent: number;
  readonly dropped: number;
}

/**
 * Sends a SERVER span for each operation and a CLIENT span for each try, of the events that have a place in a trace that
 * is kept. Of what waits at most 8,192 are held.
 */
export function createTraceExporter({
  source,
  ...endpoint
}: OtlpEndpoint & { readonly source: OtlpSource }): TelemetryExporter {
  const sender = createOtlpSender<AnalyticsEvent>({
    ...endpoint,
    signal: "traces",
    batchAfterMs: 1_000,
    batchItems: 512,
    mostWaiting: 8_192,
    encode: (events) => encode(events, source),
  });
  return {
    record(event) {
      if (event.trace?.isSampled === true) sender.push(event);
    },
    get sent() {
      return sender.sent;
    },
    get dropped() {
      return sender.dropped;
    },
    [Symbol.asyncDispose]: () => sender[Symbol.asyncDispose](),
  };
}

function encode(events: readonly AnalyticsEvent[], source: OtlpSource): string {
  const spans = events.flatMap((event) => {
    if (event.trace === undefined) return [];
    return [event.type === "exchange" ? exchangeSpan(event, event.trace) : attemptSpan(event, event.trace)];
  });
  return JSON.stringify({
    resourceSpans: [{ resource: otlpResource(source), scopeSpans: [{ scope: otlpScope(source), spans }] }],
  });
}
