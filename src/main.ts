import { createHash } from "node:crypto";
import { hostname } from "node:os";
import pino from "pino";
import type { EventSpool } from "./analytics/event-spool.ts";
import { openEventSpool } from "./analytics/event-spool.ts";
import type { Config } from "./config.ts";
import { ensureDefaults } from "./core/bootstrap.ts";
import type { CoreContext } from "./core/core-context.ts";
import { currentMessages, takeReport } from "./core/distribution.ts";
import type { PlaneMessage } from "./core/plane-message.ts";
import { createSecretCache } from "./core/secret-cache.ts";
import { loadPepper, mcpSessionKey, vaultKeyring } from "./core/vault-keys.ts";
import { listen } from "./gateway/listen.ts";
import type { Listener } from "./gateway/listen.ts";
import type { GatewayParts } from "./compose-gateway.ts";
import { composeGateway } from "./compose-gateway.ts";
import { systemClock } from "./kernel/clock.ts";
import { toGatewayError } from "./kernel/errors.ts";
import type { Log } from "./kernel/log.ts";
import { createNetworkPolicy, developmentReach } from "./kernel/network-policy.ts";
import { compileSnapshot } from "./pipeline/compile-snapshot.ts";
import type { DataDirectory } from "./store/data-directory.ts";
import { openDataDirectory } from "./store/data-directory.ts";
import { openSqliteCatalog } from "./store/sqlite/open-sqlite-catalog.ts";
import { gatehouseVersion } from "./version.ts";

export interface StartOptions {
  /** pino on the standard error when absent. */
  readonly log?: Log;
  /** Hears of each step in a few words. */
  readonly progress?: (line: string) => void;
}

/** A running installation. Disposing drains the requests that run, then closes everything in reverse. */
export interface RunningGatehouse extends AsyncDisposable {
  readonly gatewayUrl: string;
  readonly controlUrl: string;
  readonly context: CoreContext;
  readonly dataDirectory: DataDirectory;
  readonly adminToken: string;
  readonly ready: boolean;
  readonly gateway: GatewayParts;
  readonly spool: EventSpool;
}

/**
 * Starts both planes in this process on the stores in the data directory. Resolves when both ports answer and the
 * snapshot is loaded. When a part fails to start, those that had started are closed again.
 */
export async function startGatehouse(config: Config, options: StartOptions = {}): Promise<RunningGatehouse> {
  const clock = systemClock;
  const log = options.log ?? createLog(config);
  const progress = options.progress ?? (() => {});
  const production = config.env === "production";
  await using opened = new AsyncDisposableStack();

  const dataDirectory = opened.use(await openDataDirectory(config.dataDir));
  const encryptionKey = await dataDirectory.encryptionKey({ configured: config.encryptionKey, production });
  const adminToken = await dataDirectory.adminToken({ configured: config.adminToken, production });
  const catalog = opened.use(await openSqliteCatalog({ path: dataDirectory.catalogPath }));
  const vaultKeys = vaultKeyring(encryptionKey.value);
  const pepper = await loadPepper(catalog, vaultKeys);
  progress("catalog open");

  const spool = opened.use(
    await openEventSpool({ directory: dataDirectory.spoolPath, maxBytes: config.limits.spoolBytes, clock, log }),
  );
  const secrets = createSecretCache(() => context);
  const gateway = opened.use(
    composeGateway({
      clock,
      log,
      sink: spool,
      secrets,
      pepper,
      sessionKey: mcpSessionKey(pepper),
      node: hostname(),
      network: networkPolicy(config),
      allowKeyless: !production,
      stalledMs: 60_000,
      report: (report) => takeReport(context, report).catch((error: unknown) => logFailure(log, error)),
    }),
  );
  const context: CoreContext = {
    catalog,
    clock,
    log,
    vaultKeys,
    pepper,
    production,
    publish: (message) => deliver(message),
    check: async (set) => {
      try {
        await compileSnapshot(set, gateway.compileOptions).dispose();
        return [];
      } catch (error) {
        const fault = toGatewayError(error);
        if (fault.code !== "publish.refused") throw fault;
        return fault.issues;
      }
    },
  };
  const deliver = (message: PlaneMessage): void => {
    void secrets.apply(message);
    gateway.dataPlane.apply(message);
  };

  await ensureDefaults(context);
  await secrets.load();
  for (const message of await currentMessages(context)) deliver(message);
  progress("snapshot loaded");

  const ports = await openPorts(config, context, gateway, adminToken.value, log);
  opened.defer(async () => {
    gateway.drain();
    await Promise.all([ports.gateway.drain(config.limits.drainTimeoutMs), ports.control.drain(1_000)]);
  });
  await dataDirectory.announce(ports);
  progress("ports open");

  const running = opened.move();
  return {
    gatewayUrl: ports.gatewayUrl,
    controlUrl: ports.controlUrl,
    context,
    dataDirectory,
    adminToken: adminToken.value,
    get ready() {
      return gateway.dataPlane.ready;
    },
    gateway,
    spool,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

type Fetch = Parameters<typeof listen>[0]["fetch"];

interface Ports {
  readonly gateway: Listener;
  readonly control: Listener;
  readonly gatewayUrl: string;
  readonly controlUrl: string;
}

async function openPorts(
  config: Config,
  context: CoreContext,
  gateway: GatewayParts,
  adminToken: string,
  log: Log,
): Promise<Ports> {
  const { clock } = context;
  const { maxConnections, headersTimeoutMs, requestTimeoutMs } = config.limits;
  const common = { maxConnections, headersTimeoutMs, requestTimeoutMs, clock, log };
  const starting: Fetch = () => new Response("starting\n", { status: 503 });
  const serve: { gateway: Fetch; control: Fetch } = { gateway: starting, control: starting };

  await using opened = new AsyncDisposableStack();
  const gatewayPort = await listen({
    ...common,
    name: "gateway",
    host: config.host,
    port: config.port,
    portSetting: "--port or GATEHOUSE_PORT",
    tls: config.tls,
    fetch: (request, bindings) => serve.gateway(request, bindings),
  });
  opened.defer(() => gatewayPort.drain(0));
  const controlPort = await listen({
    ...common,
    name: "control plane",
    host: config.controlHost,
    port: config.controlPort,
    portSetting: "--control-port or GATEHOUSE_CONTROL_PORT",
    fetch: (request, bindings) => serve.control(request, bindings),
  });
  opened.defer(() => controlPort.drain(0));
  const gatewayUrl = config.publicUrl ?? urlOf(config.tls ? "https" : "http", config.host, gatewayPort.port);
  const controlUrl = config.controlUrl ?? urlOf("http", config.controlHost, controlPort.port);
  const app = gateway.app({
    allowedHosts: [...loopbackHosts, ...config.allowedHosts],
    gatewayUrl,
    trustedProxies: config.trustedProxies,
  });
  // Loaded here: nothing of the control plane's libraries is needed where only a gateway runs.
  const { createControlApp } = await import("./control/control-app.ts");
  const control = createControlApp({
    context,
    adminTokenHash: createHash("sha256").update(adminToken).digest(),
    allowedHosts: [...loopbackHosts, ...config.allowedHosts],
    gatewayUrl,
    controlUrl,
    ready: () => gateway.dataPlane.ready,
    version: gatehouseVersion,
    clock,
    log,
    servedKinds: gateway.servedKinds,
  });
  serve.gateway = app.fetch;
  serve.control = (request) => control.fetch(request);
  opened.move();
  return { gateway: gatewayPort, control: controlPort, gatewayUrl, controlUrl };
}

const loopbackHosts = ["localhost", "127.0.0.1", "[::1]"];

function urlOf(scheme: string, host: string, port: number): string {
  const shown = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return `${scheme}://${shown.includes(":") ? `[${shown}]` : shown}:${port}`;
}

function networkPolicy(config: Config): ReturnType<typeof createNetworkPolicy> {
  const { allowCidrs } = config.network;
  const isDevelopment = config.env === "development" && allowCidrs === undefined;
  return createNetworkPolicy({ allowCidrs: allowCidrs ?? [], operatorReach: isDevelopment ? developmentReach : [] });
}

function createLog(config: Config): Log {
  return pino({ level: config.logLevel, base: null }, pino.destination({ dest: 2, sync: false }));
}

function logFailure(log: Log, error: unknown): void {
  log.warn({ err: error }, "the use of keys could not be noted");
}
