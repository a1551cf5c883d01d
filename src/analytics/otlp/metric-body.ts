import type { LabelValues, Metric, MetricSet } from "../metrics/metric-set.ts";
import type { OtlpSource } from "./otlp-resource.ts";
import { otlpResource, otlpScope } from "./otlp-resource.ts";
import { otlpAttributes, unixNano } from "./otlp-values.ts";

/**
 * All metrics as they are now, in OTLP's JSON: cumulative, so that one body that is lost costs no count.
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/metrics/v1/metrics.proto
 */
export function metricBody(metrics: MetricSet, source: OtlpSource, nowMs: number): string {
  const times = { startTimeUnixNano: unixNano(metrics.startedAtMs), timeUnixNano: unixNano(nowMs) };
  const all = metrics.read().map((metric) => {
    const { name, description, unit } = metric;
    return { name, description, unit, ...dataOf(metric, times) };
  });
  const scopeMetrics = [{ scope: otlpScope(source), metrics: all }];
  return JSON.stringify({ resourceMetrics: [{ resource: otlpResource(source), scopeMetrics }] });
}

const cumulative = 2;

function dataOf(metric: Metric, times: object): object {
  if (metric.type === "histogram") {
    const dataPoints = metric.series.map(({ labels, counts, sum, count }) => ({
      attributes: attributesOf(metric, labels),
      ...times,
      count: String(count),
      sum,
      bucketCounts: counts.map(String),
      explicitBounds: metric.bounds,
    }));
    return { histogram: { aggregationTemporality: cumulative, dataPoints } };
  }
  const dataPoints = metric.series.map(({ labels, total }) => ({
    attributes: attributesOf(metric, labels),
    ...times,
    asDouble: total,
  }));
  if (metric.type === "gauge") return { gauge: { dataPoints } };
  return { sum: { aggregationTemporality: cumulative, isMonotonic: true, dataPoints } };
}

function attributesOf({ labels }: Metric, values: LabelValues): object {
  return otlpAttributes(Object.fromEntries(labels.map((name, place) => [name, values[place]])));
}
