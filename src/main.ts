import { hostname } from "node:os";
import type { EventSpool } from "./analytics/event-spool.ts";
import { openEventSpool } from "./analytics/event-spool.ts";
import type { Alerts } from "./compose-alerts.ts";
import { composeAlerts } from "./compose-alerts.ts";
import type { Analytics } from "./compose-analytics.ts";
import { composeAnalytics } from "./compose-analytics.ts";
import type { GatewayComposition, GatewayParts } from "./compose-gateway.ts";
import { composeGateway } from "./compose-gateway.ts";
import { composeGovernance } from "./compose-governance.ts";
import type { IdentityParts } from "./compose-identity.ts";
import { composeIdentity } from "./compose-identity.ts";
import type { SharedLimits } from "./compose-limits.ts";
import { openSharedLimits } from "./compose-limits.ts";
import type { Config } from "./config.ts";
import { answerApproval, askApproval } from "./core/approvals.ts";
import type { CheckpointOptions } from "./core/audit-checkpoints.ts";
import { startCheckpoints } from "./core/audit-checkpoints.ts";
import { ensureDefaults } from "./core/bootstrap.ts";
import { checkVault } from "./core/check-vault.ts";
import type { CoreContext } from "./core/core-context.ts";
import { createDenialAudit } from "./core/denial-audit.ts";
import { currentMessages, takeReport } from "./core/distribution.ts";
import type { Encryption, KeyFile } from "./core/encryption.ts";
import { createEncryption } from "./core/encryption.ts";
import { createGatewayFeed } from "./core/gateway-feed.ts";
import { startIdentityUpkeep } from "./core/identity-upkeep.ts";
import type { LiveKeyring } from "./core/keyring.ts";
import { configuredKeys } from "./core/keyring.ts";
import { createLastUses } from "./core/last-uses.ts";
import { createLoginGate } from "./core/login-gate.ts";
import type { PlaneMessage } from "./core/plane-message.ts";
import type { SecretCache } from "./core/secret-cache.ts";
import { createSecretCache } from "./core/secret-cache.ts";
import { createUpstreamBoard } from "./core/upstream-health.ts";
import { loadPepper, mcpSessionKey, vaultKeyring } from "./core/vault-keys.ts";
import { createLog } from "./create-log.ts";
import type { Governance } from "./governance/create-governance.ts";
import { systemClock } from "./kernel/clock.ts";
import type { Log } from "./kernel/log.ts";
import { keylessReachOf, networkPolicyOf, plainHttpOf } from "./network-reach.ts";
import { nothingToServe } from "./nothing-to-serve.ts";
import { openPorts } from "./open-ports.ts";
import { openTelemetry } from "./open-telemetry.ts";
import type { EventSink } from "./pipeline/event.ts";
import { pluginSchemas } from "./plugin-schemas.ts";
import { checkpointFile } from "./store/checkpoint-file.ts";
import type { DataDirectory } from "./store/data-directory.ts";
import { dataPaths, openDataDirectory } from "./store/data-directory.ts";
import { openSqliteCatalog } from "./store/sqlite/open-sqlite-catalog.ts";
import { tryToCompile } from "./try-to-compile.ts";

export interface StartOptions {
  /** pino on the standard error when absent. */
  readonly log?: Log;
  /** Hears of each step in a few words. */
  readonly progress?: (line: string) => void;
  /**
   * For a command that mends or reads an installation: it starts also when what is deployed does not compile, serves
   * nothing then, and leaves alone what the quickstart has made.
   */
  readonly forOneCommand?: boolean;
  /** Milliseconds after which a client that takes nothing of its answer is let go; a minute when absent. */
  readonly stalledMs?: number;
}

/** A running installation. Disposing drains the requests that run, then closes everything in reverse. */
export interface RunningGatehouse extends AsyncDisposable {
  readonly gatewayUrl: string;
  readonly controlUrl: string;
  readonly prometheusUrl: string | undefined;
  readonly context: CoreContext;
  readonly dataDirectory: DataDirectory;
  readonly adminToken: string;
  readonly ready: boolean;
  readonly gateway: GatewayParts;
  readonly spool: EventSpool;
  readonly analytics: Analytics;
}

/**
 * Starts both planes in this process on the stores in the data directory. Resolves when both ports answer and the
 * snapshot is loaded; in production what a quickstart has left is taken away before. Throws `config.invalid` that names the APIs when what is deployed does not compile here, as in
 * production after development, or after an upgrade. When a part fails to start, those that had started are closed again.
 */
export async function startGatehouse(config: Config, options: StartOptions = {}): Promise<RunningGatehouse> {
  const clock = systemClock;
  const log = options.log ?? createLog(config);
  const progress = options.progress ?? (() => {});
  const production = config.env === "production";
  await using opened = new AsyncDisposableStack();

  const dataDirectory = opened.use(await openDataDirectory(config.dataDir));
  const encryptionKey = await dataDirectory.encryptionKey({ configured: configuredKeys(config), production });
  const adminToken = await dataDirectory.adminToken({ configured: config.adminToken, production });
  const catalog = opened.use(await openSqliteCatalog({ path: dataDirectory.catalogPath }));
  const vaultKeys = vaultKeyring(encryptionKey.value);
  await checkVault(catalog, vaultKeys);
  const pepper = await loadPepper(catalog, vaultKeys);
  progress("catalog open");

  const spool = opened.use(
    await openEventSpool({ directory: dataDirectory.spoolPath, maxBytes: config.limits.spoolBytes, clock, log }),
  );
  const analytics = opened.use(await composeAnalytics({ config, paths: dataDirectory, spool, clock, log }));
  const telemetry = opened.use(await openTelemetry(config, { clock, log, analytics, node: hostname() }));
  const shared = opened.use(await openSharedLimits(config, { clock, log }));
  const { context, encryption, gateway, identity, secrets, governance, alerts, deliver } = connectPlanes(config, {
    shared,
    analytics,
    catalog,
    vaultKeys,
    keyFile: encryptionKey.source === "configuration" ? undefined : keyFileIn(dataDirectory),
    pepper,
    log,
    sink: telemetry.sinkWith(spool),
    stalledMs: options.stalledMs ?? 60_000,
  });
  for (const part of [gateway, encryption, governance, alerts]) opened.use(part);
  opened.defer(() => context.denials?.[Symbol.asyncDispose]());

  await ensureDefaults(context);
  await secrets.load();
  opened.use(startIdentityUpkeep(context));
  if (options.forOneCommand !== true) opened.use(startCheckpoints(context, checkpointOptions(config)));
  if (production && options.forOneCommand !== true) {
    const { retireQuickstart } = await import("./quickstart/retire-quickstart.ts");
    await retireQuickstart({ context, quickstartPath: dataDirectory.quickstartPath, progress });
  }
  const messages = await currentMessages(context);
  for (const message of messages) deliver(message);
  if (gateway.dataPlane.ready) progress("snapshot loaded");
  else if (options.forOneCommand !== true) throw await nothingToServe(context, messages);

  opened.use(identity);
  const ports = await openPorts(config, context, { gateway, identity }, adminToken.value, analytics);
  opened.defer(async () => {
    gateway.drain();
    await Promise.all([ports.gateway.drain(config.limits.drainTimeoutMs), ports.control.drain(1_000)]);
  });
  await dataDirectory.announce(ports);
  progress("ports open");
  await analytics.start();
  if (options.forOneCommand !== true) {
    governance.wake();
    alerts.start();
  }

  const running = opened.move();
  return {
    gatewayUrl: ports.gatewayUrl,
    controlUrl: ports.controlUrl,
    prometheusUrl: telemetry.prometheusUrl,
    context,
    dataDirectory,
    adminToken: adminToken.value,
    get ready() {
      return gateway.dataPlane.ready;
    },
    gateway,
    spool,
    analytics,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function keyFileIn({ writeEncryptionKeys, keepDroppedKeys }: DataDirectory): KeyFile {
  return { write: writeEncryptionKeys, keepDropped: keepDroppedKeys };
}

interface PlaneParts extends Pick<CoreContext, "catalog" | "pepper" | "log"> {
  readonly vaultKeys: LiveKeyring;
  readonly keyFile: KeyFile | undefined;
  readonly analytics: Analytics;
  readonly sink: EventSink;
  readonly stalledMs: number;
  readonly shared: SharedLimits;
}

interface ConnectedPlanes {
  readonly context: CoreContext;
  readonly encryption: Encryption;
  readonly gateway: GatewayParts;
  readonly identity: IdentityParts;
  readonly secrets: SecretCache;
  readonly governance: Governance;
  readonly alerts: Alerts;
  /** What a message from the control plane does: the only way from there to the gateway. */
  deliver(message: PlaneMessage): void;
}

/** Wrong passwords that an address has free: a whole office may stand behind one. */
const failuresOfAddress = 30;

/** The control plane's domain and one gateway, joined by messages only. */
function connectPlanes(
  config: Config,
  { analytics, catalog, vaultKeys, keyFile, pepper, log, sink, stalledMs, shared }: PlaneParts,
): ConnectedPlanes {
  const clock = systemClock;
  const keylessReach = keylessReachOf(config);
  const secrets = createSecretCache(() => context);
  const governance = composeGovernance(() => context, { clock, log, sink });
  const alerts = composeAlerts(config, { context: () => context, secrets, reader: analytics.reader });
  const identity = composeIdentity(config, { context: () => context, network: networkPolicyOf(config), secrets });
  const gateway = composeGateway({
    clock,
    log,
    sink,
    secrets,
    pepper,
    sessionKey: mcpSessionKey(pepper),
    node: hostname(),
    network: networkPolicyOf(config),
    keylessReach,
    embedding: { ...config.embedding, vectorsPath: dataPaths(config.dataDir).vectorsPath },
    stalledMs,
    ...config.mcp,
    upstreamTokens: identity.upstreamTokens,
    httpsOnly: config.env === "production",
    limiter: shared.limiter,
    affinity: shared.affinity,
    rests: shared.rests,
    answers: shared.answers,
    limitsPath: dataPaths(config.dataDir).limitsPath,
    usesPath: dataPaths(config.dataDir).usesPath,
    ...reportsTo(() => context),
  });
  const deliver = (message: PlaneMessage): void => {
    void secrets.apply(message);
    identity.apply(message);
    analytics.apply(message);
    gateway.dataPlane.apply(message);
  };
  const encryption = createEncryption(() => context, vaultKeys, keyFile);
  const feed = createGatewayFeed({ context: () => context, secrets });
  feed.onChange(shared.publish);
  const context: CoreContext = {
    catalog,
    clock,
    log,
    vaultKeys,
    pepper,
    keylessReach,
    publish(message) {
      deliver(message);
      feed.note(message);
    },
    feed,
    upstreamTokens: identity.upstreamTokens,
    upstreams: createUpstreamBoard(),
    budgets: gateway.budgets,
    encryption,
    plugins: pluginSchemas,
    keyManagers: gateway.keyManagers,
    plainHttp: plainHttpOf(config),
    inspectMcp: gateway.inspectMcp,
    testRoute: gateway.testRoute,
    testToolFilter: gateway.testToolFilter,
    fetchDescription: gateway.fetchDescription,
    governance,
    ...alerts.inContext,
    legacyApplicationKeys: config.legacyApplicationKeys,
    residentIssuer: () => identity.issuer(),
    oauth: config.oauth,
    secretUses: createLastUses({ clock, onUsed: (used) => takeReport(context, { type: "credentials.used", used }) }),
    signIn: config.signIn,
    loginGate: createLoginGate(clock),
    addressGate: createLoginGate(clock, failuresOfAddress),
    denials: createDenialAudit(() => context),
    check: (set) => tryToCompile(set, gateway),
  };
  return { context, encryption, gateway, identity, secrets, governance, alerts, deliver };
}

/** Where a gateway asks and reports: the control plane beside it. */
function reportsTo(context: () => CoreContext): Pick<GatewayComposition, "approvals" | "report"> {
  return {
    approvals: {
      ask: (question) => askApproval(context(), question),
      answer: async (id, token, decision) => void (await answerApproval(context(), id, token, decision)),
    },
    report: (report) =>
      takeReport(context(), report).catch((error: unknown) => {
        context().log.warn({ err: error, report: report.type }, "what the gateway has seen could not be noted");
        throw error;
      }),
  };
}

function checkpointOptions({ audit: { checkpointMinutes, checkpointFile: path } }: Config): CheckpointOptions {
  return { everyMs: checkpointMinutes * 60_000, place: path === undefined ? undefined : checkpointFile(path) };
}
