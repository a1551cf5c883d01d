import type { TelemetryExporter } from "./analytics/otlp/trace-exporter.ts";
import type { Config } from "./config.ts";
import type { Clock } from "./kernel/clock.ts";
import type { Log } from "./kernel/log.ts";
import { createLazyFetch } from "./lazy-fetch.ts";
import { networkPolicyOf } from "./network-reach.ts";
import type { EventSink } from "./pipeline/event.ts";
import { gatehouseVersion } from "./version.ts";

/** What goes to an OpenTelemetry collector. Disposing sends the rest. */
export interface Telemetry extends AsyncDisposable {
  /** Where a gateway's events go: to the spool, as far as they are recorded, and to the collector, where there is one. */
  sinkWith(spool: EventSink): EventSink;
}

export interface TelemetryParts {
  readonly clock: Clock;
  readonly log: Log;
  /** This process's name. */
  readonly node: string;
}

/** Loads and makes nothing where no collector is configured. */
export async function openTelemetry(config: Config, { clock, log, node }: TelemetryParts): Promise<Telemetry> {
  const { endpoint, headers, sampleRatio } = config.telemetry;
  const recorded = (spool: EventSink): EventSink => (config.analytics.events === "record" ? spool : noEvents);
  if (endpoint === undefined) return { sinkWith: recorded, [Symbol.asyncDispose]: () => Promise.resolve() };
  await using opened = new AsyncDisposableStack();
  const fetch = opened.use(createLazyFetch(networkPolicyOf(config)));
  const { createTraceExporter } = await import("./analytics/otlp/trace-exporter.ts");
  const source = { node, version: gatehouseVersion };
  const traces = opened.use(createTraceExporter({ source, endpoint, headers, fetch, clock, log }));
  const all = opened.move();
  return {
    sinkWith: (spool) => joinedSink(recorded(spool), [traces], sampleRatio),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

function joinedSink(sink: EventSink, exporters: readonly TelemetryExporter[], sampleRatio: number): EventSink {
  return {
    isOpen: true,
    tracing: { sampleRatio },
    get dropped() {
      return sink.dropped;
    },
    record(event) {
      if (sink.isOpen) sink.record(event);
      for (const exporter of exporters) exporter.record(event);
    },
  };
}

const noEvents: EventSink = { isOpen: false, record: () => {}, dropped: 0 };
