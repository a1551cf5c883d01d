// long: all parts of a gateway in one place, in the order in which they need each other
import type { KeyObject } from "node:crypto";
import { readBuiltInModels } from "./built-in-models.ts";
import { readBuiltInPrices } from "./built-in-prices.ts";
import type { BudgetBoard } from "./core/budget-board.ts";
import type { NamedKey } from "./core/core-context.ts";
import type { KeyManagerConnectors } from "./core/key-manager-connector.ts";
import type { KeylessReach } from "./core/keyless-reach.ts";
import type { McpInspector } from "./core/mcp-inspection.ts";
import type { DescriptionFetcher } from "./core/mcp-openapi.ts";
import type { StdioCommands } from "./core/mcp-stdio.ts";
import type { GatewayReport } from "./core/plane-message.ts";
import type { RouteTester } from "./core/route-test.ts";
import type { ToolFilterTester } from "./core/tool-filter-test.ts";
import type { UpstreamTokens } from "./core/upstream-tokens.ts";
import type { EmbedderSet } from "./embedding/embedder-set.ts";
import { createEmbedderSet } from "./embedding/embedder-set.ts";
import { embedders } from "./embedding/index.ts";
import { createVectorCache } from "./embedding/vector-cache.ts";
import { createApprovalDesk } from "./gateway/approval-desk.ts";
import type { AuthRoutes } from "./gateway/auth-routes.ts";
import type { DataPlane } from "./gateway/data-plane.ts";
import { createDataPlane } from "./gateway/data-plane.ts";
import type { GatewayApp } from "./gateway/gateway-app.ts";
import { createGatewayApp } from "./gateway/gateway-app.ts";
import { createLlmAdapter } from "./gateway/llm/llm-adapter.ts";
import { createRouteTester } from "./gateway/llm/test-route.ts";
import { createCredentials } from "./gateway/mcp/credentials/compile-credential.ts";
import { createMcpInspector } from "./gateway/mcp/inspect-server.ts";
import { createMcpAdapter } from "./gateway/mcp/mcp-adapter.ts";
import type { RegistryMode } from "./gateway/registry/serve-registry.ts";
import { createRestAdapter } from "./gateway/rest/rest-adapter.ts";
import { createToolFilterTester } from "./gateway/test-tool-filter.ts";
import type { UpstreamClient } from "./gateway/upstream.ts";
import { createUpstreamClient } from "./gateway/upstream.ts";
import { guardrails } from "./guardrails/index.ts";
import { createJudgePool } from "./guardrails/judge-pool.ts";
import { createTextRedactor as makeRedact } from "./guardrails/redact-text.ts";
import { createCredentialIndex } from "./identity/credential-index.ts";
import { createKeyManagerConnectors } from "./identity/key-manager-connectors.ts";
import { createTokenVerifier } from "./identity/token-verifier.ts";
import { createAllowedHosts } from "./kernel/allowed-hosts.ts";
import { createCidrSet } from "./kernel/cidr-set.ts";
import type { Clock } from "./kernel/clock.ts";
import { createHostCheck } from "./kernel/host-check.ts";
import type { Log } from "./kernel/log.ts";
import type { NetworkPolicy } from "./kernel/network-policy.ts";
import { createGuardedLookup } from "./kernel/network-policy.ts";
import type { SafeFetch } from "./kernel/safe-fetch.ts";
import { createLazyFetch } from "./lazy-fetch.ts";
import { learnUses } from "./learn-uses.ts";
import { fetchDescription } from "./mcp/openapi/fetch-description.ts";
import { createPinBoard } from "./mcp/pins/pin-board.ts";
import { createSessionTokens } from "./mcp/session-token.ts";
import type { AffinityStore } from "./pipeline/affinity-store.ts";
import type { ApprovalDesk } from "./pipeline/approval-desk.ts";
import { createBreaker } from "./pipeline/breaker.ts";
import { createBudgetBoard } from "./pipeline/budget-board.ts";
import { createExchangeCaptures } from "./pipeline/capture-exchanges.ts";
import type { CompileSnapshotOptions } from "./pipeline/compile-snapshot.ts";
import type { EventSink } from "./pipeline/event.ts";
import type { Limiter } from "./pipeline/limiter.ts";
import type { PluginTools, SecretReader } from "./pipeline/plugin.ts";
import { createRegistry } from "./pipeline/registry.ts";
import type { RestBoard } from "./pipeline/rest-board.ts";
import { createLimitGate } from "./pipeline/run-limits.ts";
import type { NestedRunner } from "./pipeline/run-nested.ts";
import { createNestedRunner } from "./pipeline/run-nested.ts";
import { createRunner } from "./pipeline/runner.ts";
import type { Snapshot } from "./pipeline/snapshot.ts";
import { createTokenEstimates } from "./pipeline/token-estimates.ts";
import type { UpstreamWatch } from "./pipeline/upstream-watch.ts";
import { watchUpstreams } from "./pipeline/upstream-watch.ts";
import { createKeyBudgets } from "./policies/api-key/key-budgets.ts";
import { policies } from "./policies/index.ts";
import { providers } from "./routing/providers/index.ts";
import { strategies } from "./routing/strategies/index.ts";
import { createMemoryAffinity } from "./store/memory/affinity-store.ts";
import type { AnswerStores } from "./store/memory/answer-stores.ts";
import { createMemoryAnswers } from "./store/memory/answer-stores.ts";
import type { LimitJournal } from "./store/memory/limit-journal.ts";
import { openLimitJournal } from "./store/memory/limit-journal.ts";
import { createMemoryLimiter } from "./store/memory/limiter.ts";

export interface GatewayComposition {
  readonly clock: Clock;
  readonly log: Log;
  readonly sink: EventSink;
  readonly secrets: SecretReader;
  readonly pepper: NamedKey;
  /** Seals MCP session ids; the same for all gateways of an installation. */
  readonly sessionKey: KeyObject;
  readonly node: string;
  readonly network: NetworkPolicy;
  readonly keylessReach: KeylessReach;
  /** The deployment's embedder, and what is kept of vectors; on disk where there is a path. */
  readonly embedding: {
    readonly use: string;
    readonly with: Readonly<Record<string, unknown>>;
    readonly cacheBytes: number;
    readonly vectorsPath: string | undefined;
  };
  readonly stalledMs: number;
  /** MCP servers on their standard streams that may be started, by name; none when absent. */
  readonly stdio?: StdioCommands;
  /** Whom the registry of MCP servers tells of what; there is none when absent. */
  readonly registry?: RegistryMode | undefined;
  /** Tokens for upstreams that people have consented to. */
  readonly upstreamTokens?: UpstreamTokens;
  /** Tokens for upstreams are asked for over https only, unless this is false. */
  readonly httpsOnly?: boolean;
  /** A directory where counts of more than a minute are kept over a restart; absent, they are not. */
  readonly limitsPath?: string | undefined;
  /** A directory for what is learnt from use; absent, it is learnt anew after a restart. */
  readonly usesPath?: string | undefined;
  /** Counts for several gateways together; absent, this one counts for itself. */
  readonly limiter?: Limiter | undefined;
  /** Who made what providers keep, for several gateways together; absent, this one remembers for itself. */
  readonly affinity?: AffinityStore | undefined;
  /** Which upstreams rest, for several gateways together; absent, this one finds out for itself. */
  readonly rests?: RestBoard | undefined;
  /** Answers that caches keep, for several gateways together, sealed by that key; absent, this one keeps its own. */
  readonly answers?: ((key: KeyObject) => AnswerStores) | undefined;
  /** Asks the control plane about calls that wait for a person; nobody approves any where it is absent. */
  readonly approvals?: Pick<ApprovalDesk, "ask" | "answer">;
  /** Takes what the gateway has seen. When it rejects, the same is reported again later. */
  /** What the control plane told before this moment is known here; everything is when absent. */
  readonly heardAtMs?: () => number;
  report(report: GatewayReport): Promise<void>;
}

/** One gateway: its state and its HTTP face. Several may stand in one process; they share nothing. */
export interface GatewayParts extends AsyncDisposable {
  readonly dataPlane: DataPlane;
  readonly compileOptions: CompileSnapshotOptions;
  /** Kinds of API that have an adapter. */
  readonly servedKinds: readonly string[];
  /** Makes the face; the URL it is reached by is known only when the port is open. */
  app(options: {
    allowedHosts: readonly string[];
    gatewayUrl: string;
    trustedProxies: readonly string[];
    /** The resident authorization server's endpoints. */
    auth?: AuthRoutes;
    /** False of a control plane alone. */
    servesApis?: boolean;
  }): GatewayApp;
  /** How the limits of keys, applications and teams stand. */
  readonly budgets: BudgetBoard;
  /** Looks at MCP servers by the way that calls go. */
  readonly inspectMcp: McpInspector;
  readonly testRoute: RouteTester;
  readonly testToolFilter: ToolFilterTester;
  /** Fetches descriptions that MCP servers are made of. */
  readonly fetchDescription: DescriptionFetcher;
  /** Management of key managers, by the plug-ins of this build. */
  readonly keyManagers: KeyManagerConnectors;
  /** From here on `/readyz` says no and new requests are asked to come back. */
  drain(): void;
}

/** All plug-ins of this build but the adapters, which need parts of their own. */
export const pluginLists = { policies, guardrails, providers, strategies };

const maxLimiterKeys = 1_000_000;
const maxAffinityEntries = 100_000;

function embeddersOf({ embedding, clock, log, secrets }: GatewayComposition, fetch: SafeFetch): EmbedderSet {
  const { cacheBytes, vectorsPath, ...own } = embedding;
  return createEmbedderSet({
    plugins: embedders,
    own,
    tools: { clock, log, fetch, secrets },
    cache: createVectorCache({ maxBytes: cacheBytes, path: vectorsPath, log }),
  });
}

/** How limits stand, of keys by their records and of teams and applications by the snapshot that serves. */
function budgetsOf(
  dataPlane: DataPlane,
  tools: Pick<PluginTools, "clock" | "estimates"> & { readonly limiter: Limiter },
): BudgetBoard {
  let holders: Snapshot["holders"];
  dataPlane.onSnapshot((snapshot) => ({ holders } = snapshot));
  return createBudgetBoard({ ...tools, holders: () => holders, budgetsOf: createKeyBudgets(tools) });
}

/** The limiter of several gateways, or one of its own with what it keeps on disk. */
function limiterOf({ clock, log, limiter, limitsPath }: GatewayComposition): {
  readonly limiter: Limiter;
  readonly journal?: LimitJournal | undefined;
} {
  if (limiter !== undefined) return { limiter };
  const journal = limitsPath === undefined ? undefined : openLimitJournal({ path: limitsPath, log });
  return { limiter: createMemoryLimiter({ clock, maxKeys: maxLimiterKeys, journal }), journal };
}

const noApprovals: Pick<ApprovalDesk, "ask" | "answer"> = {
  ask: async () => ({ type: "gone" }),
  answer: async () => {},
};

const nobodysTokens: UpstreamTokens = { ask: async () => ({ type: "none" }) };

function eachOf(...hearers: readonly Pick<DataPlane, "apply">[]): Pick<DataPlane, "apply"> {
  return {
    apply(message) {
      for (const hearer of hearers) hearer.apply(message);
    },
  };
}

/** Clears counters when the control plane says so. */
function clearing({ limiter }: GatewayComposition, board: () => BudgetBoard): Pick<DataPlane, "apply"> {
  return {
    apply(message) {
      // In a store that all share it was cleared before this was said: what was used since would be forgotten too.
      if (message.type === "limits.cleared" && limiter === undefined) void board().clear(message.holder);
    },
  };
}

/** The adapters of all kinds of API, and what of them hears of changes. */
function adaptersOf(
  parts: GatewayComposition,
  {
    upstream,
    watch,
    fetch,
    nested,
  }: { upstream: UpstreamClient; watch: UpstreamWatch; fetch: SafeFetch; nested: NestedRunner },
) {
  const { clock, stalledMs, sessionKey, stdio = {}, httpsOnly = true, upstreamTokens = nobodysTokens } = parts;
  const [prices, models] = [readBuiltInPrices(), readBuiltInModels()];
  const { affinity = createMemoryAffinity({ clock, maxEntries: maxAffinityEntries }) } = parts;
  const llm = createLlmAdapter({ upstream, clock, stalledMs, prices, models, affinity });
  const shown = createCredentials({ fetch, clock, tokens: upstreamTokens, httpsOnly });
  const pins = createPinBoard(parts.report);
  const sessions = createSessionTokens(sessionKey);
  const credentials = shown.compile;
  const shared = { pins, stdio, upstream, clock, sessions, sessionKey, watch, credentials, stalledMs, nested };
  const mcp = createMcpAdapter(shared);
  const rest = createRestAdapter({ upstream, credentials });
  return { adapters: [llm, mcp, rest], pins, shown };
}

/** The way to upstreams, and what is known of how they do. */
function upstreamsOf({ clock, network, node, report, rests }: GatewayComposition) {
  const upstream = createUpstreamClient({
    lookup: createGuardedLookup(network, "operator"),
    assertHost: (host) => network.assertHost(host, "operator"),
    clock,
  });
  const watch = watchUpstreams({
    clock,
    breaker: createBreaker(clock, rests?.tell),
    report: (upstreams) => report({ type: "upstreams", node, upstreams }),
    rests,
  });
  return { upstream, watch };
}

/** The last of these is the first to go. */
function stackOf(...parts: readonly (AsyncDisposable | Disposable | undefined)[]): AsyncDisposableStack {
  const stack = new AsyncDisposableStack();
  for (const part of parts) stack.use(part);
  return stack;
}

/** Builds a gateway of the data plane's parts. Disposing closes its upstream connections and its snapshot. */
export function composeGateway(parts: GatewayComposition): GatewayParts {
  const { clock, log, network, pepper } = parts;
  const { upstream, watch } = upstreamsOf(parts);
  const fetch = createLazyFetch(network);
  const { limiter, journal } = limiterOf(parts);
  const limits = createLimitGate({ limiter, clock, log });
  const captures = createExchangeCaptures({ sink: parts.sink.captures, log });
  const running = { clock, breaker: watch, log, limits, sink: parts.sink, node: parts.node, captures };
  const nested = createNestedRunner(running);
  const { adapters, pins, shown } = adaptersOf(parts, { upstream, watch, fetch, nested });
  const longTexts = createJudgePool({ clock });
  const registry = createRegistry({ ...pluginLists, adapters, longTexts });
  let publicUrl = "http://localhost"; // until the port is open, and no request comes before
  const keyManagerTools = { clock, log, secrets: parts.secrets, fetch };
  const tokens = createTokenVerifier({ ...keyManagerTools, heardAtMs: parts.heardAtMs, publicUrl: () => publicUrl });
  const meaning = embeddersOf(parts, fetch);
  const approvals = createApprovalDesk({ clock, ...(parts.approvals ?? noApprovals) });
  const own = { clock, log, limiter, secrets: parts.secrets, fetch, resolves: createHostCheck(network) };
  const answers = parts.answers?.(parts.sessionKey) ?? createMemoryAnswers({ clock });
  const learnt = learnUses({ log, directory: parts.usesPath });
  const kept = { learnt: learnt.at, answers: answers.at, estimates: createTokenEstimates() };
  const tools = { ...own, ...kept, approvals, tokens, embed: meaning.use, prices: readBuiltInPrices(), makeRedact };
  const compileOptions = { registry, tools, keylessReach: parts.keylessReach };
  const credentials = createCredentialIndex({
    pepper: pepper.key,
    pepperId: pepper.id,
    clock,
    onUsed: (used) => parts.report({ type: "credentials.used", used }),
  });
  const hearers = [tokens, pins, shown.held, approvals, learnt, answers, clearing(parts, () => budgets)];
  const dataPlane = createDataPlane({ ...compileOptions, credentials, identity: eachOf(...hearers), log });
  const budgets = budgetsOf(dataPlane, tools);
  dataPlane.onSnapshot((snapshot) => watch.follow(snapshot));
  const runner = createRunner(running);
  let draining = false;
  const owned = stackOf(upstream, fetch, tokens, meaning, journal, longTexts, learnt, captures, dataPlane);
  return {
    dataPlane,
    compileOptions,
    budgets,
    inspectMcp: createMcpInspector({ upstream, clock }),
    testRoute: createRouteTester({ dataPlane, breaker: watch, clock }),
    testToolFilter: createToolFilterTester({ dataPlane, clock }),
    fetchDescription: (url, follow) => fetchDescription(url, follow, fetch),
    keyManagers: createKeyManagerConnectors(keyManagerTools),
    servedKinds: adapters.filter(({ routes }) => routes.length > 0).map(({ kind }) => kind),
    app({ allowedHosts, gatewayUrl, trustedProxies, auth, servesApis = true }) {
      publicUrl = gatewayUrl;
      return createGatewayApp({
        dataPlane,
        runner,
        tokens,
        auth,
        servesApis,
        registry: parts.registry,
        clock,
        log,
        allowedHosts: createAllowedHosts(allowedHosts, gatewayUrl),
        trustedProxies: createCidrSet(trustedProxies),
        draining: () => draining,
      });
    },
    drain() {
      draining = true;
    },
    async [Symbol.asyncDispose]() {
      draining = true;
      watch[Symbol.dispose]();
      const used = credentials.flush();
      if (used.length > 0) {
        // The last chance: what cannot be noted now is lost, and closing goes on.
        await parts.report({ type: "credentials.used", used }).catch(() => {});
      }
      await owned.disposeAsync();
    },
  };
}
