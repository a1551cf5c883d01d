import type { AnalyticsEvent, ExchangeEvent } from "../../pipeline/event.ts";
import { attemptSpan, exchangeSpan } from "./event-spans.ts";
import type { OtlpSource } from "./otlp-resource.ts";
import { otlpResource, otlpScope } from "./otlp-resource.ts";
import type { OtlpEndpoint } from "./otlp-sender.ts";
import { createOtlpSender } from "./otlp-sender.ts";

/** Takes events and sends their spans. Disposing sends what waits, within two seconds. */
export interface TelemetryExporter extends AsyncDisposable {
  /** Returns at once and never throws. `operation` is that of a try, and of an operation the event itself. */
  record(event: AnalyticsEvent, operation: ExchangeEvent | undefined): void;
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
  const sender = createOtlpSender<() => string>({
    ...endpoint,
    signal: "traces",
    batchAfterMs: 1_000,
    batchItems: 512,
    mostWaiting: 8_192,
    encode: (makers) =>
      encode(
        makers.map((make) => make()),
        source,
      ), // off the request's path
  });
  return {
    record(event, operation) {
      const { trace } = event;
      if (trace?.isSampled !== true || operation === undefined) return;
      sender.push(() =>
        event.type === "exchange" ? exchangeSpan(event, trace) : attemptSpan(event, trace, operation),
      );
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

function encode(spans: readonly string[], source: OtlpSource): string {
  const [resource, scope] = [JSON.stringify(otlpResource(source)), JSON.stringify(otlpScope(source))];
  return `{"resourceSpans":[{"resource":${resource},"scopeSpans":[{"scope":${scope},"spans":[${spans.join(",")}]}]}]}`;
}
