import type { AnalyticsStatus } from "./analytics/analytics-reader.ts";
import type { CounterSeries, MetricSet } from "./analytics/metrics/metric-set.ts";
import type { OtlpSender } from "./analytics/otlp/otlp-sender.ts";
import { telemetryNames as names } from "./analytics/otlp/telemetry-names.ts";
import type { TelemetryExporter } from "./analytics/otlp/trace-exporter.ts";
import type { Config } from "./config.ts";
import type { Clock } from "./kernel/clock.ts";
import type { Log } from "./kernel/log.ts";
import { createLazyFetch } from "./lazy-fetch.ts";
import { networkPolicyOf } from "./network-reach.ts";
import type { PrometheusPort } from "./open-prometheus-port.ts";
import type { EventSink } from "./pipeline/event.ts";
import { gatehouseVersion } from "./version.ts";

/** What is told of traffic beside its rows. Disposing sends the rest. */
export interface Telemetry extends AsyncDisposable {
  /** Where a gateway's events go: to the spool, as far as they are recorded, and to whoever is told of them. */
  sinkWith(spool: EventSink): EventSink;
  /** Where Prometheus asks; undefined where it is not configured. */
  readonly prometheusUrl: string | undefined;
}

export interface TelemetryParts {
  readonly clock: Clock;
  readonly log: Log;
  /** This process's name. */
  readonly node: string;
  /** Tells how the way of events to their store is doing. */
  readonly analytics: {
    readonly reader: {
      status(): Pick<AnalyticsStatus, "spooled" | "written" | "dropped" | "rejected" | "backlogBytes">;
    };
  };
}

/**
 * Sends traces, metrics and logs to a collector, and answers Prometheus, as far as they are configured. Loads and makes
 * nothing where neither is. Throws `config.invalid` when Prometheus's port is taken.
 */
export async function openTelemetry(config: Config, parts: TelemetryParts): Promise<Telemetry> {
  const { endpoint, sampleRatio, prometheus } = config.telemetry;
  const recorded = (spool: EventSink): EventSink => (config.analytics.events === "record" ? spool : noEvents);
  if (endpoint === undefined && prometheus.port === undefined)
    return { sinkWith: recorded, prometheusUrl: undefined, [Symbol.asyncDispose]: () => Promise.resolve() };
  await using opened = new AsyncDisposableStack();
  const [{ createMetricSet }, { trafficMetrics }] = await Promise.all([
    import("./analytics/metrics/metric-set.ts"),
    import("./analytics/metrics/traffic-metrics.ts"),
  ]);
  const metrics = createMetricSet({ startedAtMs: parts.clock.now() });
  const record = trafficMetrics(metrics);
  observeProcess(metrics, parts.analytics);
  const exporters = endpoint === undefined ? [] : await openExporters(config, endpoint, metrics, parts, opened);
  const port = prometheus.port === undefined ? undefined : opened.use(await openPort(config, metrics, parts));
  const { createOperationMemory } = await import("./analytics/otlp/operation-memory.ts");
  const all = opened.move();
  return {
    sinkWith: (spool) => ({
      ...joinedSink(recorded(spool), [{ record }, ...exporters], createOperationMemory()),
      tracing: endpoint === undefined ? undefined : { sampleRatio },
    }),
    prometheusUrl: port?.url,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function openExporters(
  config: Config,
  endpoint: string,
  metrics: MetricSet,
  { clock, log, node }: TelemetryParts,
  opened: AsyncDisposableStack,
): Promise<readonly TelemetryExporter[]> {
  const [{ createTraceExporter }, { createLogExporter }, { startMetricExporter }] = await Promise.all([
    import("./analytics/otlp/trace-exporter.ts"),
    import("./analytics/otlp/log-exporter.ts"),
    import("./analytics/otlp/metric-exporter.ts"),
  ]);
  const { headers, logs, metricsSeconds } = config.telemetry;
  const fetch = opened.use(createLazyFetch(networkPolicyOf(config)));
  const way = { endpoint, headers, fetch, clock, log, source: { node, version: gatehouseVersion } };
  const traces = createTraceExporter(way);
  const logRecords = logs === "off" ? undefined : createLogExporter({ ...way, which: logs });
  const metricBodies = startMetricExporter({ ...way, metrics, everyMs: metricsSeconds * 1_000 });
  observeExporters(metrics, { traces, metrics: metricBodies, ...(logRecords !== undefined && { logs: logRecords }) });
  const exporters = logRecords === undefined ? [traces] : [traces, logRecords];
  opened.defer(async () => {
    await Promise.all([...exporters, metricBodies].map((each) => each[Symbol.asyncDispose]()));
  });
  return exporters;
}

async function openPort(config: Config, metrics: MetricSet, parts: TelemetryParts): Promise<PrometheusPort> {
  const { openPrometheusPort } = await import("./open-prometheus-port.ts");
  return openPrometheusPort(config, metrics, parts);
}

function joinedSink(
  sink: EventSink,
  exporters: readonly Pick<TelemetryExporter, "record">[],
  operationOf: (event: Parameters<EventSink["record"]>[0]) => Parameters<TelemetryExporter["record"]>[1],
): EventSink {
  return {
    isOpen: true,
    get dropped() {
      return sink.dropped;
    },
    captures: sink.captures,
    governance: sink.governance,
    record(event) {
      if (sink.isOpen) sink.record(event);
      const operation = operationOf(event);
      for (const exporter of exporters) exporter.record(event, operation);
    },
  };
}

function observeProcess(metrics: MetricSet, { reader }: TelemetryParts["analytics"]): void {
  const only = (total: number): readonly CounterSeries[] => [{ labels: [], total }];
  const events = { unit: "{event}", labels: [] };
  const spooled = { ...events, name: names.eventsSpooled, description: "Events written to the spool." };
  const written = { ...events, name: names.eventsWritten, description: "Events that their store has taken." };
  const dropped = { ...events, name: names.eventsDropped, description: "Events that found no room in the spool." };
  const rejected = { ...events, name: names.eventsRejected, description: "Events that their store could not read." };
  const backlog = { name: names.eventsBacklog, description: "Bytes of events not in their store yet.", unit: "By" };
  metrics.observe("counter", spooled, () => only(reader.status().spooled));
  metrics.observe("counter", written, () => only(reader.status().written));
  metrics.observe("counter", dropped, () => only(reader.status().dropped));
  metrics.observe("counter", rejected, () => only(reader.status().rejected));
  metrics.observe("gauge", { ...backlog, labels: [] }, () => only(reader.status().backlogBytes));
  const memory = { description: "Bytes that the process holds.", unit: "By", labels: [] };
  metrics.observe("gauge", { ...memory, name: names.memory }, () => only(process.memoryUsage.rss()));
}

function observeExporters(
  metrics: MetricSet,
  exporters: Readonly<Record<string, Pick<OtlpSender<unknown>, "sent" | "dropped">>>,
): void {
  const labels = [names.signal];
  const read = (what: "sent" | "dropped") => () =>
    Object.entries(exporters).map(([signal, exporter]) => ({ labels: [signal], total: exporter[what] }));
  const sent = {
    name: names.telemetrySent,
    description: "Items that the collector has taken.",
    unit: "{item}",
    labels,
  };
  const lost = { name: names.telemetryDropped, description: "Items that were dropped.", unit: "{item}", labels };
  metrics.observe("counter", sent, read("sent"));
  metrics.observe("counter", lost, read("dropped"));
}

const noEvents: EventSink = { isOpen: false, record: () => {}, dropped: 0 };
