import type { LabelValues, Metric, MetricSet } from "./metric-set.ts";

/** The media type of the text. */
export const prometheusMediaType = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Metrics in Prometheus's text format, under the names that OpenTelemetry's rules make of theirs: dots become underscores,
 * units and `_total` are appended.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 * @see https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
 */
export function prometheusText(metrics: Pick<MetricSet, "read">): string {
  return metrics.read().map(textOf).join("");
}

function textOf(metric: Metric): string {
  const name = nameOf(metric);
  const head = `# HELP ${name} ${escapeHelp(metric.description)}\n# TYPE ${name} ${metric.type}\n`;
  return head + linesOf(metric, name).join("");
}

function linesOf(metric: Metric, name: string): readonly string[] {
  const names = metric.labels.map(plainName);
  if (metric.type !== "histogram")
    return metric.series.map(({ labels, total }) => `${name}${labelText(names, labels)} ${total}\n`);
  return metric.series.flatMap(({ labels, counts, sum, count }) => {
    let below = 0;
    const buckets = counts.map((each, place) => {
      below += each;
      const bound = metric.bounds[place];
      const le = bound === undefined ? "+Inf" : String(bound);
      return `${name}_bucket${labelText([...names, "le"], [...labels, le])} ${below}\n`;
    });
    const own = labelText(names, labels);
    return [...buckets, `${name}_sum${own} ${sum}\n`, `${name}_count${own} ${count}\n`];
  });
}

const unitNames: Readonly<Record<string, string>> = { s: "seconds", By: "bytes" };

function nameOf({ name, unit, type }: Metric): string {
  const unitName = unitNames[unit];
  const withUnit = unitName === undefined ? plainName(name) : `${plainName(name)}_${unitName}`;
  return type === "counter" ? `${withUnit}_total` : withUnit;
}

function plainName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_]/g, "_");
}

function labelText(names: readonly string[], values: LabelValues): string {
  const pairs = names.flatMap((name, place) => {
    const value = values[place] ?? null;
    return value === null ? [] : [`${name}="${escapeValue(value)}"`];
  });
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeValue(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
