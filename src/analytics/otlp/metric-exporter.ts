import type { MetricSet } from "../metrics/metric-set.ts";
import { metricBody } from "./metric-body.ts";
import type { OtlpSource } from "./otlp-resource.ts";
import type { OtlpEndpoint, OtlpSender } from "./otlp-sender.ts";
import { createOtlpSender } from "./otlp-sender.ts";

export interface MetricExporterOptions extends OtlpEndpoint {
  readonly source: OtlpSource;
  readonly metrics: MetricSet;
  /** Milliseconds between two bodies. */
  readonly everyMs: number;
}

/** Sends all metrics from time to time, and once more when it is disposed. */
export function startMetricExporter(
  options: MetricExporterOptions,
): Pick<OtlpSender<"now">, "sent" | "dropped"> & AsyncDisposable {
  const { metrics, source, everyMs, clock } = options;
  const sender = createOtlpSender<"now">({
    ...options,
    signal: "metrics",
    batchAfterMs: 1,
    batchItems: 1,
    mostWaiting: 1,
    encode: () => metricBody(metrics, source, clock.now()),
  });
  let cancel = plan();
  function plan(): () => void {
    return clock.after(everyMs, () => {
      sender.push("now");
      cancel = plan();
    });
  }
  return {
    get sent() {
      return sender.sent;
    },
    get dropped() {
      return sender.dropped;
    },
    async [Symbol.asyncDispose]() {
      cancel();
      sender.push("now");
      await sender[Symbol.asyncDispose]();
    },
  };
}
