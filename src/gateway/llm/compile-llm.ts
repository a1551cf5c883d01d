import type { LlmApiSpec, LlmUpstreamSpec } from "../../core/llm-api.ts";
import { llmProvider } from "../../core/llm-provider.ts";
import { toGatewayError } from "../../kernel/errors.ts";
import { globMatcher } from "../../kernel/glob.ts";
import type { CompiledProtocol, CompiledUpstream, ProtocolCompileInput } from "../../pipeline/adapter.ts";
import type { CompiledProvider } from "../../pipeline/define-provider.ts";
import { compileFailover } from "../../pipeline/failover-rules.ts";
import type { FactsOf, ModelTable } from "../../pipeline/model-table.ts";
import { accountFacts } from "../../pipeline/model-table.ts";
import type { PriceOf, PriceTable } from "../../pipeline/price-table.ts";
import { accountPrices } from "../../pipeline/price-table.ts";
import { createRetryBudget } from "../../pipeline/retry-budget.ts";
import { createShadow } from "../../pipeline/shadow-route.ts";
import type { CompiledApi } from "../../pipeline/snapshot.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";
import type { TargetPeer } from "../../pipeline/target-peer.ts";
import { peerAt } from "../../pipeline/target-peer.ts";
import type { TokenEstimates } from "../../pipeline/token-estimates.ts";
import { compileGates, isElsewhere } from "./compile-gates.ts";
import { compileStrategy } from "./compile-strategy.ts";
import type { PassThroughTables } from "./pass-through/compile-pass-through.ts";
import { compilePassThrough } from "./pass-through/compile-pass-through.ts";
import { passThroughRoutes } from "./pass-through/endpoints.ts";

/** What the adapter knows of an API beside its upstreams. */
export interface LlmTables {
  /** Models that have a name of their own here: those are listed without asking anybody. */
  readonly namedModels: readonly string[];
  /** Some offered models are globs, so that the upstreams' own lists matter. */
  readonly hasGlobs: boolean;
  readonly offers: (model: string) => boolean;
  /** Tokens that one answer may have; undefined where nothing bounds it. */
  readonly maxOutputTokens: number | undefined;
  /** What a prompt of that model is expected to take. */
  readonly promptTokens: TokenEstimates["promptTokens"];
  /** The header in which clients send their key; never forwarded. */
  readonly keyHeader: string;
  /** What is opened beside chats and embeddings; undefined where nothing is. */
  readonly passThrough?: PassThroughTables | undefined;
}

/** The adapter's tables of a compiled API. */
export function llmTables(api: CompiledApi): LlmTables {
  return api.protocol.own as LlmTables; // `compileLlm` below is the only one that makes them for this adapter
}

/** A provider and where it is. Targets of one provider share one. */
export interface LlmEndpoint {
  readonly provider: CompiledProvider;
  readonly origin: string;
  /** Without a slash at its end. */
  readonly basePath: string;
  readonly priceOf: PriceOf;
  /** What its models can take. */
  readonly factsOf: FactsOf;
  /** Where it runs, in the operator's words. */
  readonly region: string | undefined;
  readonly peer: TargetPeer;
}

/** What is behind a target of this adapter's APIs. */
export function endpointOf(target: CompiledTarget): LlmEndpoint {
  return target.endpoint as LlmEndpoint; // as `llmTables`: made below and nowhere else
}

export interface LlmCompileInput extends ProtocolCompileInput {
  /** The built-in prices. */
  readonly prices: PriceTable;
  /** What is known of models. */
  readonly models: ModelTable;
}

/** Targets, strategies and tables of an `LlmApi`; faults are reported with their path. */
export function compileLlm(input: LlmCompileInput): CompiledProtocol | undefined {
  const spec = input.artifact.spec as LlmApiSpec; // the snapshot compiler has just parsed it by the kind's schema
  const providers = new Map<string, LlmEndpoint>();
  const production = compileBlock(spec.upstream.production, "production", providers, input);
  const { sandbox: block } = spec.upstream;
  const sandbox = "sameAs" in block ? production : compileBlock(block, "sandbox", providers, input);
  if (production === undefined || sandbox === undefined) return undefined;
  const names = spec.models.map(({ name }) => name);
  const providersOf = ({ targets }: CompiledUpstream) => targets.map((target) => endpointOf(target).provider);
  const own = production === sandbox ? {} : { sandbox: providersOf(sandbox) };
  const passThrough = compilePassThrough(spec, { production: providersOf(production), ...own }, input);
  const tables: LlmTables = {
    passThrough,
    namedModels: names.filter((name) => !/[*?]/.test(name)),
    hasGlobs: names.some((name) => /[*?]/.test(name)),
    offers: globMatcher(names),
    maxOutputTokens: spec.maxOutputTokens,
    promptTokens: input.tools.estimates.promptTokens.bind(input.tools.estimates),
    keyHeader: spec.security.apiKey === false ? "apikey" : spec.security.apiKey.header.toLowerCase(),
  };
  const routes = passThrough && { routes: passThroughRoutes(spec.passThrough) };
  return { upstreams: { production, sandbox }, ...routes, own: tables };
}

/** What names no model, a file for one, any target may take. */
function servesAmong(globs: readonly string[]): CompiledTarget["serves"] {
  const matches = globMatcher(globs);
  return (model) => model === "" || matches(model);
}

function compileBlock(
  block: LlmUpstreamSpec,
  environment: "production" | "sandbox",
  providers: Map<string, LlmEndpoint>,
  input: LlmCompileInput,
): CompiledUpstream | undefined {
  const at = `spec.upstream.${environment}`;
  const targets = block.targets.flatMap((target, index): CompiledTarget[] => {
    const endpoint = compileProvider(target.provider, `${at}.targets[${index}].provider`, providers, input);
    if (endpoint === undefined) return [];
    return [
      {
        id: target.model === undefined ? target.provider : `${target.provider}/${target.model}`,
        providerName: target.provider,
        endpoint,
        peer: endpoint.peer,
        weight: target.weight,
        model: target.model,
        priceOf: endpoint.priceOf,
        serves: servesAmong(target.models),
        ...gatesOf(target, block, endpoint),
      },
    ];
  });
  if (block.regions !== undefined && targets.length > 0 && targets.every(({ closedBy }) => isElsewhere(closedBy)))
    input.fault({ path: `${at}.regions`, message: "no target is in any of these regions" });
  const strategy = compileStrategy(block, targets, at, input);
  if (strategy === undefined) return undefined;
  refuseUnknownTargets(block, targets, at, input);
  const { maxAttempts, timeouts, breaker } = block;
  const failover = compileFailover(block.failover);
  const retries = createRetryBudget(block.retryBudget);
  const strategyId = block.strategy.use;
  const shadow = compileShadow(block.shadow, targets, `${at}.shadow`, input);
  return { targets, strategy, strategyId, ...shadow, maxAttempts, timeouts, breaker, failover, retries };
}

function compileShadow(
  spec: LlmUpstreamSpec["shadow"],
  targets: readonly CompiledTarget[],
  at: string,
  input: LlmCompileInput,
): Pick<CompiledUpstream, "shadow"> {
  if (spec === undefined) return {};
  const { sample, timeoutMs } = spec;
  const strategy = compileStrategy(spec, targets, at, input);
  return strategy === undefined
    ? {}
    : { shadow: createShadow(strategy, { strategyId: spec.strategy.use, sample, timeoutMs }) };
}

function gatesOf(
  { model, facts, region, whileBudgetLeft: budgetLeft }: LlmUpstreamSpec["targets"][number],
  { regions }: LlmUpstreamSpec,
  endpoint: LlmEndpoint,
): Pick<CompiledTarget, "closedBy"> {
  const { factsOf } = endpoint;
  const closedBy = compileGates({ model, factsOf, facts, region: region ?? endpoint.region, regions, budgetLeft });
  return closedBy === undefined ? {} : { closedBy };
}

/** A rule that leads nowhere would be found out on the day when it is needed. */
function refuseUnknownTargets(
  { failover: { on, to } }: LlmUpstreamSpec,
  targets: readonly CompiledTarget[],
  at: string,
  { fault }: LlmCompileInput,
): void {
  for (const [failure, globs] of Object.entries(to)) {
    if (!on.some((each) => each === failure))
      fault({ path: `${at}.failover.to.${failure}`, message: `"${failure}" is not among \`on\`` });
    for (const [index, glob] of globs.entries()) {
      if (targets.some(({ id }) => globMatcher([glob])(id))) continue;
      fault({ path: `${at}.failover.to.${failure}[${index}]`, message: `no target is called "${glob}"` });
    }
  }
}

function compileProvider(
  name: string,
  path: string,
  compiled: Map<string, LlmEndpoint>,
  input: LlmCompileInput,
): LlmEndpoint | undefined {
  const known = compiled.get(name);
  if (known !== undefined) return known;
  const artifact = input.supporting.find((each) => each.kind === "LlmProvider" && each.name === name);
  const spec = artifact && llmProvider.spec.parse(artifact.spec);
  const plugin = spec && input.registry.providers.get(spec.use);
  if (spec === undefined) {
    input.fault({ path, message: `there is no LlmProvider "${name}"` });
    return undefined;
  }
  if (plugin === undefined) {
    const there = [...input.registry.providers.keys()].join(", ");
    input.fault({ path, message: `LlmProvider "${name}" uses "${spec.use}", which is unknown; there are: ${there}` });
    return undefined;
  }
  const config = plugin.config.safeParse(spec.with);
  if (!config.success) {
    for (const issue of config.error.issues) {
      input.fault({ path, message: `LlmProvider "${name}": with.${issue.path.join(".")}: ${issue.message}` });
    }
    return undefined;
  }
  try {
    const provider = plugin.compile(config.data, input.tools);
    if (provider.dispose !== undefined) input.onDispose(`LlmProvider/${name}`, provider.dispose.bind(provider));
    const url = new URL(provider.baseUrl);
    const priceOf = accountPrices(spec.prices, input.prices.provider(spec.use));
    const factsOf = accountFacts(spec.facts, input.models.provider(spec.use));
    const basePath = url.pathname.replace(/\/$/, "");
    const peer = peerAt(provider.baseUrl, spec.use);
    const endpoint = { provider, origin: url.origin, basePath, priceOf, factsOf, region: spec.region, peer };
    compiled.set(name, endpoint);
    return endpoint;
  } catch (error) {
    input.fault({ path, message: `LlmProvider "${name}": ${toGatewayError(error).message}` });
    return undefined;
  }
}
