import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { AnalyticsReader, AnalyticsStatus, AnalyticsStatusReader } from "./analytics/analytics-reader.ts";
import type { AnalyticsTools, OpenAnalyticsTools } from "./analytics/analytics-tools.ts";
import type { EventSpool } from "./analytics/event-spool.ts";
import { keptConfiguration } from "./analytics/kept-configuration.ts";
import type { SnapshotOutbox } from "./analytics/snapshot-outbox.ts";
import { openSnapshotOutbox } from "./analytics/snapshot-outbox.ts";
import type { SpoolReplay } from "./analytics/spool-replay.ts";
import { startSpoolReplay } from "./analytics/spool-replay.ts";
import type { Config } from "./config.ts";
import type { PlaneMessage } from "./core/plane-message.ts";
import type { Clock } from "./kernel/clock.ts";
import { GatewayError } from "./kernel/errors.ts";
import type { Log } from "./kernel/log.ts";
import { adHocSettings } from "./store/clickhouse/ad-hoc/ad-hoc-settings.ts";
import type { FindClickHouse } from "./store/clickhouse/clickhouse-endpoint.ts";
import type { EmbeddedClickHouse } from "./store/clickhouse/embedded/start-embedded-clickhouse.ts";
import type { DataPaths } from "./store/data-directory.ts";

/** The way of recorded events to answers. */
export interface Analytics extends AsyncDisposable {
  readonly reader: AnalyticsReader & AnalyticsStatusReader;
  readonly tools: OpenAnalyticsTools;
  /** Keeps the configurations that rows refer to. */
  apply(message: PlaneMessage): void;
  /** Begins to carry events from the spool to the store; call when the gateway is ready. */
  start(): Promise<void>;
  /** Resolves when what is in the spool now is in the store, or a try has failed. */
  catchUp(): Promise<void>;
}

export interface AnalyticsComposition {
  readonly config: Config;
  readonly paths: DataPaths;
  readonly spool: EventSpool;
  readonly clock: Clock;
  readonly log: Log;
}

/** Loads nothing of the store's libraries and starts no process before there is something to carry or to ask. */
export async function composeAnalytics(parts: AnalyticsComposition): Promise<Analytics> {
  const mode = analyticsMode(parts.config);
  if (mode === "off") return noAnalytics(parts.spool);
  const { paths, spool, clock, log } = parts;
  await using opened = new AsyncDisposableStack();
  await mkdir(paths.replayPath, { recursive: true, mode: 0o700 });
  const snapshots = await openSnapshotOutbox(join(paths.replayPath, "snapshots"));
  let embedded: EmbeddedClickHouse | undefined;
  let replay: SpoolReplay | undefined;
  const store = lazily(async () => {
    if (mode === "embedded") embedded = opening.use(await startEmbedded(parts));
    return openStore(opening, embedded?.find ?? serverEndpoint(parts.config), parts.config);
  });
  const opening = opened.move();
  return {
    reader: {
      exchanges: async (...question) => (await store()).reader.exchanges(...question),
      traffic: async (...question) => (await store()).reader.traffic(...question),
      errors: async (...question) => (await store()).reader.errors(...question),
      latency: async (...question) => (await store()).reader.latency(...question),
      topModels: async (...question) => (await store()).reader.topModels(...question),
      topTools: async (...question) => (await store()).reader.topTools(...question),
      ask: async (...question) => (await store()).reader.ask(...question),
      askAs: async (...question) => (await store()).reader.askAs(...question),
      costs: async (...question) => (await store()).reader.costs(...question),
      routingShadow: async (...question) => (await store()).reader.routingShadow(...question),
      status: () => statusOf(mode, spool, embedded, replay),
    },
    tools: async () => (await store()).tools,
    apply: (message) => keepSnapshot(snapshots, message, log),
    async start() {
      const lazyStore = {
        insert: async (...call: Parameters<EventStoreOf["insert"]>) => (await store()).events.insert(...call),
        present: async (...call: Parameters<EventStoreOf["present"]>) => (await store()).events.present(...call),
        putSnapshot: async (...call: Parameters<EventStoreOf["putSnapshot"]>) =>
          (await store()).events.putSnapshot(...call),
      };
      const checkpointPath = join(paths.replayPath, "checkpoint.json");
      const directory = paths.spoolPath;
      replay = opening.use(
        await startSpoolReplay({ spool, directory, checkpointPath, store: lazyStore, snapshots, clock, log }),
      );
    },
    catchUp: async () => replay?.catchUp(),
    [Symbol.asyncDispose]: () => opening.disposeAsync(),
  };
}

/** Where events go: as configured, else to a server when one is named, else to the embedded engine. */
export function analyticsMode({ analytics, clickhouse }: Config): AnalyticsStatus["mode"] {
  return analytics.mode ?? (clickhouse.url === undefined ? "embedded" : "server");
}

type EventStoreOf = Awaited<ReturnType<typeof openStore>>["events"];

async function openStore(opening: AsyncDisposableStack, find: FindClickHouse, config: Config) {
  const { createClickHouseSession } = await import("./store/clickhouse/clickhouse-session.ts");
  const { createEventStore } = await import("./store/clickhouse/create-event-store.ts");
  const { createAnalyticsReader } = await import("./store/clickhouse/questions/create-analytics-reader.ts");
  const { replicated, singleNode } = await import("./store/clickhouse/migrations/clickhouse-migration.ts");
  const { retentionDays } = config.analytics;
  const cluster = analyticsMode(config) === "server" ? config.clickhouse.cluster : undefined;
  const dialect = cluster === undefined ? singleNode : replicated(cluster);
  const session = opening.use(createClickHouseSession({ find, dialect, retentionDays }));
  const { createAdHocReader } = await import("./store/clickhouse/ad-hoc/create-ad-hoc-reader.ts");
  const { createCaptureReader } = await import("./store/clickhouse/questions/create-capture-reader.ts");
  const { createExchangeFinder } = await import("./store/clickhouse/questions/create-exchange-finder.ts");
  const { createLiveReader } = await import("./store/clickhouse/questions/create-live-reader.ts");
  const { createRowExporter } = await import("./store/clickhouse/questions/create-row-exporter.ts");
  const { createRowPruner } = await import("./store/clickhouse/questions/create-row-pruner.ts");
  const tools: AnalyticsTools = {
    adHoc: createAdHocReader(session),
    exchanges: createExchangeFinder(session),
    captures: createCaptureReader(session),
    live: createLiveReader(session),
    exporter: createRowExporter(session),
    pruner: createRowPruner(session),
  };
  return { events: createEventStore(session), reader: createAnalyticsReader(session), tools };
}

async function startEmbedded({ config, paths, clock, log }: AnalyticsComposition): Promise<EmbeddedClickHouse> {
  const { startEmbeddedClickHouse } = await import("./store/clickhouse/embedded/start-embedded-clickhouse.ts");
  const { memoryBytes } = config.analytics;
  return startEmbeddedClickHouse({ directory: paths.clickhousePath, memoryBytes, clock, log });
}

function serverEndpoint({ clickhouse }: Config): FindClickHouse {
  const { url = "", user: username, password = "", database } = clickhouse; // the schema asks for a URL in this mode
  const user = { username, password };
  const { readerUser, readerPassword = "" } = clickhouse;
  const adHoc =
    readerUser === undefined ? undefined : { username: readerUser, password: readerPassword, settings: adHocSettings };
  const endpoint = { url, database, writer: user, reader: user, adHoc };
  return () => Promise.resolve(endpoint);
}

function keepSnapshot(snapshots: SnapshotOutbox, message: PlaneMessage, log: Log): void {
  if (message.type !== "artifacts") return;
  snapshots.put(message.set.hash, keptConfiguration(message.set)).catch((error: unknown) => {
    log.warn({ err: error, hash: message.set.hash }, "a configuration could not be kept for analytics");
  });
}

function statusOf(
  mode: AnalyticsStatus["mode"],
  spool: EventSpool,
  embedded: EmbeddedClickHouse | undefined,
  replay: SpoolReplay | undefined,
): AnalyticsStatus {
  const engine = embedded?.state;
  const progress = replay?.state;
  return {
    mode,
    state: mode === "off" ? "off" : mode === "server" ? "running" : (engine?.state ?? "idle"),
    reason: engine?.reason ?? progress?.lastError ?? null,
    version: engine?.version ?? null,
    pid: engine?.pid ?? null,
    rssBytes: engine?.rssBytes ?? null,
    restarts: engine?.restarts ?? 0,
    backlogBytes: progress?.backlogBytes ?? 0,
    spooled: spool.spooled,
    written: progress?.written ?? 0,
    dropped: spool.dropped,
    rejected: progress?.rejected ?? 0,
  };
}

function noAnalytics(spool: EventSpool): Analytics {
  const refuse = (): Promise<never> =>
    Promise.reject(
      new GatewayError(
        "analytics.not_available",
        "Analytics is off here. Set analytics.mode to `embedded`, or CLICKHOUSE_URL to the address of a ClickHouse server.",
      ),
    );
  return {
    reader: {
      exchanges: refuse,
      traffic: refuse,
      errors: refuse,
      latency: refuse,
      topModels: refuse,
      topTools: refuse,
      ask: refuse,
      askAs: refuse,
      costs: refuse,
      routingShadow: refuse,
      status: () => statusOf("off", spool, undefined, undefined),
    },
    tools: refuse,
    apply: () => undefined,
    start: () => Promise.resolve(),
    catchUp: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Makes it at the first call, once. */
function lazily<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => (made ??= make());
}
