import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { openEventSpool } from "./analytics/event-spool.ts";
import { composeAnalytics } from "./compose-analytics.ts";
import type { GatewayParts } from "./compose-gateway.ts";
import { composeGateway } from "./compose-gateway.ts";
import type { SharedLimits } from "./compose-limits.ts";
import { openSharedLimits } from "./compose-limits.ts";
import type { Config } from "./config.ts";
import type { NamedKey } from "./core/core-context.ts";
import type { FeedTold } from "./core/gateway-feed.ts";
import { configuredKeys } from "./core/keyring.ts";
import type { PlaneMessage } from "./core/plane-message.ts";
import { mcpSessionKey, vaultKeyring } from "./core/vault-keys.ts";
import { createControlPlaneCalls } from "./gateway/ask-control-plane.ts";
import { createControlClient } from "./gateway/control-client.ts";
import type { GatewayApp } from "./gateway/gateway-app.ts";
import type { ToldSecrets } from "./gateway/told-secrets.ts";
import { createToldSecrets } from "./gateway/told-secrets.ts";
import type { Clock } from "./kernel/clock.ts";
import { systemClock } from "./kernel/clock.ts";
import { keyFromHex } from "./kernel/crypto.ts";
import { GatewayError } from "./kernel/errors.ts";
import type { Log } from "./kernel/log.ts";
import { createNetworkPolicy, developmentReach } from "./kernel/network-policy.ts";
import { createLazyFetch } from "./lazy-fetch.ts";
import { keylessReachOf, networkPolicyOf } from "./network-reach.ts";
import type { GatewayPort } from "./open-gateway-port.ts";
import { loopbackHosts, openGatewayPort } from "./open-gateway-port.ts";
import { openTelemetry } from "./open-telemetry.ts";
import { openDataDirectory } from "./store/data-directory.ts";
import { openFeedCopy } from "./store/feed-copy.ts";

/** A gateway that runs alone. Disposing drains the requests that run, then closes everything in reverse. */
export interface RunningGatewayPlane extends AsyncDisposable {
  readonly gatewayUrl: string;
  /** Of the control plane that it follows. */
  readonly controlUrl: string;
}

export interface GatewayPlaneOptions {
  readonly log: Log;
  readonly progress: (line: string) => void;
  readonly stalledMs?: number;
}

/**
 * Starts a gateway without a catalog: it pulls everything from the control plane at `config.controlUrl`, and goes on from
 * its copy when that is away. Rows go to ClickHouse where one is configured, else they stay in its spool. Throws
 * `config.invalid` when there is nothing to begin with, and what the parts throw.
 */
export async function startGatewayPlane(config: Config, options: GatewayPlaneOptions): Promise<RunningGatewayPlane> {
  const clock = systemClock;
  const { log, progress } = options;
  const controlUrl = config.controlUrl ?? ""; // the schema asks for one
  await using opened = new AsyncDisposableStack();

  const dataDirectory = opened.use(await openDataDirectory(config.dataDir));
  const production = config.env === "production";
  const encryptionKey = await dataDirectory.encryptionKey({ configured: configuredKeys(config), production });
  const spool = opened.use(
    await openEventSpool({ directory: dataDirectory.spoolPath, maxBytes: config.limits.spoolBytes, clock, log }),
  );
  const analytics = opened.use(
    await composeAnalytics({ config: withoutEmbedded(config), paths: dataDirectory, spool, clock, log }),
  );
  const telemetry = opened.use(await openTelemetry(config, { clock, log, analytics, node: nodeOf(config) }));
  const shared = opened.use(await openSharedLimits(config, { clock, log }));
  const fetch = opened.use(createLazyFetch(controlPlaneReach()));
  const calls = createControlPlaneCalls({ url: controlUrl, token: () => readToken(config), fetch });
  let suspend = (_stale: boolean): void => {};
  const client = opened.use(
    createControlClient({
      calls,
      copy: openFeedCopy({ directory: join(config.dataDir, "feed"), keys: vaultKeyring(encryptionKey.value), log }),
      clock,
      log,
      pollMs: config.gateway.pollMs,
      staleAfterMs: config.gateway.staleAfterHours * 3_600_000,
      onStale: (stale) => suspend(stale),
    }),
  );
  const first = await client.first();
  progress("the control plane's word");

  const secrets = createToldSecrets();
  const pepper = pepperOf(first);
  const gateway = opened.use(
    composeGateway({
      ...partsOf(config),
      ...sharedParts(shared),
      clock,
      log,
      sink: telemetry.sinkWith(spool),
      secrets,
      pepper,
      sessionKey: mcpSessionKey(pepper),
      embedding: { ...config.embedding, vectorsPath: dataDirectory.vectorsPath },
      stalledMs: options.stalledMs ?? 60_000,
      limitsPath: dataDirectory.limitsPath,
      usesPath: dataDirectory.usesPath,
      approvals: calls.approvals,
      upstreamTokens: calls.upstreamTokens,
      heardAtMs: () => client.heardAtMs,
      report: (report) => calls.report(report),
    }),
  );
  const { dataPlane } = gateway;
  suspend = dataPlane.suspend;
  const take = createTaker({ pepper, secrets, hearers: [analytics, dataPlane], log });
  for (const told of first) take(told);
  if (!dataPlane.ready) {
    throw new GatewayError("config.invalid", "What is deployed does not compile at this gateway; its log says why.");
  }
  progress("snapshot loaded");

  const port = await openPort(config, gateway, { clock, log });
  opened.defer(async () => {
    gateway.drain();
    await port.listener.drain(config.limits.drainTimeoutMs);
  });
  await dataDirectory.announce({ gatewayUrl: port.url, controlUrl });
  progress("port open");
  shared.onVersion(() => client.nudge());
  client.follow(take);
  await analytics.start();
  const all = opened.move();
  return { gatewayUrl: port.url, controlUrl, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

function partsOf(config: Config) {
  return {
    node: nodeOf(config),
    network: networkPolicyOf(config),
    keylessReach: keylessReachOf(config),
    ...config.mcp,
  };
}

function sharedParts({ limiter, affinity, rests, answers }: SharedLimits) {
  return { limiter, affinity, rests, answers };
}

function nodeOf({ gateway }: Config): string {
  return gateway.node ?? hostname();
}

interface TakerParts {
  readonly pepper: NamedKey;
  readonly secrets: ToldSecrets;
  readonly hearers: readonly { apply(message: PlaneMessage): void }[];
  readonly log: Log;
}

/** What is told, to those whom it is for; the secrets first, as the snapshot may need them. */
function createTaker({ pepper, secrets, hearers, log }: TakerParts): (told: FeedTold) => void {
  return (told) => {
    if (told.secrets.pepper.id !== pepper.id) {
      log.error({}, "the control plane has another pepper than this gateway began with: restart it");
      return;
    }
    secrets.take(told.secrets);
    for (const message of told.answer.messages) for (const hearer of hearers) hearer.apply(message);
  };
}

async function openPort(
  config: Config,
  gateway: GatewayParts,
  parts: { readonly clock: Clock; readonly log: Log },
): Promise<GatewayPort> {
  const starting = { fetch: () => new Response("starting\n", { status: 503 }) };
  const serve: { app: Pick<GatewayApp, "fetch"> } = { app: starting };
  const port = await openGatewayPort(config, parts, (request, bindings) => serve.app.fetch(request, bindings));
  serve.app = gateway.app({
    allowedHosts: [...loopbackHosts, ...config.allowedHosts],
    gatewayUrl: port.url,
    trustedProxies: config.trustedProxies,
  });
  return port;
}

// The operator names the address; it is private more often than not.
function controlPlaneReach(): ReturnType<typeof createNetworkPolicy> {
  return createNetworkPolicy({ allowCidrs: [], operatorReach: developmentReach });
}

async function readToken({ gateway }: Config): Promise<string> {
  if (gateway.tokenFile === undefined) return gateway.token ?? "";
  try {
    return (await readFile(gateway.tokenFile, "utf8")).trim();
  } catch (cause) {
    throw new GatewayError("config.invalid", `The gateway's token cannot be read from ${gateway.tokenFile}.`, {
      cause,
    });
  }
}

function pepperOf(first: readonly FeedTold[]): NamedKey {
  const pepper = first.at(-1)?.secrets.pepper;
  if (pepper === undefined) throw new GatewayError("upstream.invalid", "The control plane has said nothing.");
  return { id: pepper.id, key: keyFromHex(pepper.key, "the pepper") };
}

// An engine at each gateway would keep figures that nobody can ask for.
function withoutEmbedded(config: Config): Config {
  const mode = config.clickhouse.url === undefined ? "off" : "server";
  return { ...config, analytics: { ...config.analytics, mode } };
}
