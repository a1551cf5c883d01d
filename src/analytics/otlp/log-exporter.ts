import type { ExchangeEvent } from "../../pipeline/event.ts";
import { errorType, isFailedOperation } from "./event-spans.ts";
import type { OtlpSource } from "./otlp-resource.ts";
import { otlpResource, otlpScope } from "./otlp-resource.ts";
import type { OtlpEndpoint } from "./otlp-sender.ts";
import { createOtlpSender } from "./otlp-sender.ts";
import { otlpAttributes, unixNano } from "./otlp-values.ts";
import { telemetryNames as names } from "./telemetry-names.ts";
import type { TelemetryExporter } from "./trace-exporter.ts";

export interface LogExporterOptions extends OtlpEndpoint {
  readonly source: OtlpSource;
  /** `failures`: of operations that did not end well only. */
  readonly which: "failures" | "all";
}

/** Sends a log record for each operation, with its trace. Of what waits at most 8,192 are held. */
export function createLogExporter({ source, which, ...endpoint }: LogExporterOptions): TelemetryExporter {
  const sender = createOtlpSender<ExchangeEvent>({
    ...endpoint,
    signal: "logs",
    batchAfterMs: 1_000,
    batchItems: 512,
    mostWaiting: 8_192,
    encode: (events) => encode(events, source),
  });
  return {
    record(event) {
      if (event.type === "exchange" && (which === "all" || isFailedOperation(event))) sender.push(event);
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

function encode(events: readonly ExchangeEvent[], source: OtlpSource): string {
  const scopeLogs = [{ scope: otlpScope(source), logRecords: events.map(recordOf) }];
  return JSON.stringify({ resourceLogs: [{ resource: otlpResource(source), scopeLogs }] });
}

/** @see https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/logs/v1/logs.proto */
function recordOf(event: ExchangeEvent): object {
  const { trace, outcome } = event;
  const time = unixNano(event.ts + event.duration_ms);
  return {
    timeUnixNano: time,
    observedTimeUnixNano: time,
    ...severityOf(event),
    body: { stringValue: outcome === "ok" ? "exchange" : `exchange ${outcome}` },
    attributes: otlpAttributes({
      [names.exchange]: event.exchange_id,
      [names.api]: event.api_name,
      [names.application]: event.application_id,
      [names.outcome]: outcome,
      [names.deniedBy]: event.denied_by,
      [names.httpMethod]: event.http_method,
      [names.httpStatus]: event.http_status,
      [names.operation]: event.operation_kind,
      [names.durationMs]: event.duration_ms,
      [names.errorType]: isFailedOperation(event) ? errorType(event) : null,
      [names.errorDetail]: event.error_detail,
    }),
    ...(trace !== undefined && { traceId: trace.traceId, spanId: trace.spanId, flags: trace.isSampled ? 1 : 0 }),
  };
}

// 9 is INFO, 13 WARN, 17 ERROR. What the gateway refuses is its work; what breaks is somebody's to look at.
function severityOf(event: ExchangeEvent): object {
  if (event.outcome === "failed" && event.http_status >= 500) return { severityNumber: 17, severityText: "ERROR" };
  if (event.outcome === "failed" || event.outcome === "upstream_error" || event.fields["is_error"] === true)
    return { severityNumber: 13, severityText: "WARN" };
  return { severityNumber: 9, severityText: "INFO" };
}
