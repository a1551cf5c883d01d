import type { Environment } from "../../core/environment.ts";
import type { McpPinSettings } from "../../core/mcp-pin-settings.ts";
import type { McpServerSpec } from "../../core/mcp-server.ts";
import type { StdioCommands } from "../../core/mcp-stdio.ts";
import type { McpVirtualSpec } from "../../core/mcp-virtual.ts";
import { canonicalJson } from "../../kernel/canonical-json.ts";
import type { Clock } from "../../kernel/clock.ts";
import { GatewayError } from "../../kernel/errors.ts";
import type { McpAuthorization } from "../../mcp/authorization/compile-authorization.ts";
import { compileAuthorization } from "../../mcp/authorization/compile-authorization.ts";
import type { McpBackend } from "../../mcp/backend.ts";
import type { PinBoard } from "../../mcp/pins/pin-board.ts";
import type { McpEra } from "../../mcp/wire/legacy.ts";
import type { CompiledProtocol, CompiledUpstream, ProtocolCompileInput } from "../../pipeline/adapter.ts";
import type { CompiledApi } from "../../pipeline/snapshot.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";
import type { UpstreamWatch } from "../../pipeline/upstream-watch.ts";
import { targetKey } from "../../pipeline/upstream-watch.ts";
import type { UpstreamClient } from "../upstream.ts";
import { holdSse, holdStdio } from "./channel/hold-channel.ts";
import type { CompileCredential } from "./credentials/compile-credential.ts";
import { withConsent } from "./credentials/consent-backend.ts";
import type { UpstreamCredential } from "./credentials/upstream-credential.ts";
import type { ParkLimits } from "./face/parking.ts";
import type { HeldBackends } from "./held-backends.ts";
import type { ProbeTimes } from "./probe-times.ts";
import { startProbe } from "./probe-upstream.ts";
import { startPinRefresh } from "./refresh-pins.ts";
import type { ToolHintMemory } from "./tool-hints.ts";
import type { UpstreamServer } from "./upstream-server/upstream-server.ts";
import { createUpstreamServer } from "./upstream-server/upstream-server.ts";

/** Where an upstream MCP server is and what the gateway shows to it. */
export interface McpEndpoint {
  readonly origin: string;
  readonly path: string;
  readonly credential: UpstreamCredential;
}

/** The header in which clients send their key to this API; never forwarded. */
export function mcpKeyHeader(api: CompiledApi): string {
  return (api.protocol.own as { keyHeader: string }).keyHeader; // made below
}

/** Who may see and use what at this API; undefined where everybody may everything. */
export function mcpAuthorization(api: CompiledApi): McpAuthorization | undefined {
  return (api.protocol.own as { authorization?: McpAuthorization } | undefined)?.authorization; // made below
}

/** What the server has said of its tools, by lists that have passed through. */
export function mcpToolHints(api: CompiledApi): ToolHintMemory | undefined {
  return (api.protocol.own as { hints?: ToolHintMemory } | undefined)?.hints; // made below
}

/** How drift of this API's definitions is met; undefined where it is not looked for. */
export function mcpPins(api: CompiledApi): McpPins | undefined {
  return (api.protocol.own as { pins?: McpPins } | undefined)?.pins; // made below
}

interface McpPins {
  readonly board: PinBoard;
  readonly settings: McpPinSettings;
}

/** What is behind a target of this adapter's APIs. */
export interface McpBehind {
  /** The server as the gateway's face sees it, for clients who cannot be relayed. */
  readonly backend: McpBackend;
  readonly parking: ParkLimits;
  /** The one upstream to which messages of its own era go as they are; undefined where there is no such one. */
  readonly relay: McpRelay | undefined;
}

export interface McpRelay {
  readonly endpoint: McpEndpoint;
  readonly server: UpstreamServer;
  readonly era: "auto" | McpEra;
  /** `always`: nothing is relayed, also where the eras are the same. */
  readonly mode: "auto" | "always";
}

/** What is behind a target. */
export function behindOf(target: CompiledTarget): McpBehind {
  return target.endpoint as McpBehind; // made below
}

/** The endpoint behind a target that can be relayed to. */
export function endpointOf(target: CompiledTarget): McpEndpoint {
  const { relay } = behindOf(target);
  if (relay !== undefined) return relay.endpoint;
  throw new GatewayError("internal", "There is no upstream to relay to.", { detail: target.id });
}

/** What probes of the upstreams work with. */
export interface ProbeTools {
  /** What is known of definitions that were approved; absent, pins are not looked at. */
  readonly pins?: PinBoard | undefined;
  readonly upstream: UpstreamClient;
  readonly clock: Clock;
  readonly credentials: CompileCredential;
  /** Backends live on over publishes that do not change them, with their sessions. */
  readonly backends: HeldBackends;
  readonly watch: Pick<UpstreamWatch, "probed">;
  readonly times: ProbeTimes;
  /** Hears what servers say of their tools. */
  readonly hints: ToolHintMemory;
  /** Servers on their standard streams that may be started, by name. */
  readonly stdio: StdioCommands;
  /** The backend of servers that are made of others. */
  virtual(input: ProtocolCompileInput, spec: McpVirtualSpec): McpBackend;
}

/** One target for each environment of an `McpServer`; its probes run until the snapshot is replaced. */
export function compileMcp(input: ProtocolCompileInput, probing: ProbeTools): CompiledProtocol | undefined {
  const { artifact } = input;
  const spec = artifact.spec as McpServerSpec; // the snapshot compiler has just parsed it by the kind's schema
  const upstreams = compileUpstreams(input, spec, probing);
  if (upstreams === undefined) return undefined;
  const authorization = compileRules(spec, input);
  const keyHeader = spec.security.apiKey === false ? "apikey" : spec.security.apiKey.header.toLowerCase();
  return {
    upstreams,
    own: { keyHeader, authorization, hints: probing.hints, pins: pinsFor(spec, probing) },
    ...(authorization && { scopes: authorization.scopes }),
  };
}

function compileUpstreams(
  input: ProtocolCompileInput,
  { upstream, virtual }: McpServerSpec,
  probing: ProbeTools,
): CompiledProtocol["upstreams"] | undefined {
  if (virtual !== undefined) {
    const own = compileTarget(input, probing.virtual(input, virtual));
    return { production: own, sandbox: own }; // its servers are reached in the caller's environment
  }
  if (upstream === undefined) return undefined; // the kind's schema has refused it
  const production = compileBlock(input, "production", upstream.production, probing);
  const { sandbox: block } = upstream;
  const sandbox = "sameAs" in block ? production : compileBlock(input, "sandbox", block, probing);
  probe(input, production, upstream.production, probing, "sameAs" in block ? environments : ["production"]);
  if (!("sameAs" in block)) probe(input, sandbox, block, probing, ["sandbox"]);
  refreshPins(input, { production, sandbox }, probing);
  return { production, sandbox };
}

/** A backend that is reached by the face alone. Its own failures are told by what is behind it, and open no breaker. */
function compileTarget({ artifact: { name } }: ProtocolCompileInput, backend: McpBackend): CompiledUpstream {
  const endpoint: McpBehind = { backend, parking: asTheirServerSays, relay: undefined };
  const target = { id: name, providerName: name, endpoint, weight: 1, model: undefined, serves: () => true };
  return {
    targets: [target],
    strategy: { choose: (targets) => targets },
    maxAttempts: 1,
    timeouts: { connectMs: 0, firstByteMs: 0, idleMs: 0 }, // it opens no connection of its own
    breaker: { failures: 0, openMs: 0 },
  };
}

/** Whether a call may wait for its client is said by the server that it is at; this bounds what all of them keep. */
const asTheirServerSays: ParkLimits = { park: true, parkMs: 300_000, maxParked: 100 };

function pinsFor({ pins: settings }: McpServerSpec, { pins: board }: ProbeTools): McpPins | undefined {
  return board === undefined || settings === undefined || settings.mode === "off" ? undefined : { board, settings };
}

function compileRules(spec: McpServerSpec, { fault }: ProtocolCompileInput): McpAuthorization | undefined {
  try {
    return spec.authorization && compileAuthorization(spec.authorization);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    fault({ path: "spec.authorization", message: error.message });
    return undefined; // the fault refuses the whole snapshot
  }
}

const environments: readonly Environment[] = ["production", "sandbox"];

/** The gateway's own looks at what the servers offer; not where every caller has credentials of their own there. */
function refreshPins(
  { artifact, onRetire }: ProtocolCompileInput,
  upstreams: CompiledProtocol["upstreams"],
  probing: ProbeTools,
): void {
  const pins = pinsFor(artifact.spec as McpServerSpec, probing); // the snapshot compiler has just parsed it
  if (pins === undefined) return;
  for (const environment of environments) {
    const [target] = upstreams[environment].targets;
    if (target === undefined || behindOf(target).relay?.endpoint.credential.isGranted !== undefined) continue;
    const { backend } = behindOf(target);
    const { clock, times } = probing;
    const { settings, board } = pins;
    const place = { apiId: artifact.id, environment, settings };
    const time = times.hold(`${artifact.id}/pins/${environment}`);
    const stop = startPinRefresh({ place, backend, board, clock, time });
    onRetire(`${artifact.id}/pins/${environment}`, stop);
  }
}

/** One probe for one server, also when both environments are served by it. */
function probe(
  { artifact, onRetire }: ProtocolCompileInput,
  { targets, timeouts, breaker }: CompiledUpstream,
  { health }: UpstreamBlock,
  { upstream, clock, watch, times }: ProbeTools,
  served: readonly Environment[],
): void {
  const [target] = targets;
  if (health.probe === "off" || target === undefined) return;
  const keys = served.map((environment) => targetKey(artifact.id, environment, target.id));
  const stop = startProbe({
    endpoint: endpointOf(target),
    everyMs: health.everyMs,
    timeouts,
    upstream,
    clock,
    time: times.hold(`${artifact.id}/${served[0] ?? ""}`),
    found(failure) {
      for (const key of keys) watch.probed(key, failure, breaker);
    },
  });
  onRetire(`${artifact.id}/upstream/${served[0] ?? ""}/health`, stop);
}

type UpstreamBlock = NonNullable<McpServerSpec["upstream"]>["production"];

function compileBlock(
  input: ProtocolCompileInput,
  environment: Environment,
  block: UpstreamBlock,
  probing: ProbeTools,
): CompiledUpstream {
  const { name } = input.artifact;
  const behind = compileBehind(input, environment, block, probing);
  const target: CompiledTarget = {
    id: name,
    providerName: name,
    endpoint: behind,
    weight: 1,
    model: undefined,
    serves: () => true,
  };
  return {
    targets: [target],
    strategy: { choose: (targets) => targets },
    maxAttempts: 1, // a call that may have run is never repeated: tools act
    timeouts: block.timeouts,
    breaker: block.breaker,
  };
}

function compileBehind(
  input: ProtocolCompileInput,
  environment: Environment,
  block: UpstreamBlock,
  probing: ProbeTools,
): McpBehind {
  const { mode, ...parking } = block.bridge;
  const { url } = block;
  if (url === undefined) return { backend: holdStdio(input, environment, block, probing), parking, relay: undefined };
  const endpoint = compileEndpoint(input, environment, { ...block, url }, probing);
  // Where people consent, the gateway itself tells clients of it, in the words of their era: nothing is relayed.
  const isPersonal = endpoint.credential.isGranted !== undefined;
  if (block.transport === "http+sse") {
    const server = holdSse(input, environment, block, endpoint, probing);
    const backend = isPersonal ? withConsent(server, endpoint.credential, probing) : server;
    return { backend, parking, relay: undefined };
  }
  const server = holdServer(input, environment, block, endpoint, probing);
  return {
    backend: isPersonal ? withConsent(server, endpoint.credential, probing) : server,
    parking,
    relay: { endpoint, server, era: block.era, mode: isPersonal ? "always" : mode },
  };
}

function compileEndpoint(
  { artifact, tools }: ProtocolCompileInput,
  environment: Environment,
  { url: text, auth }: UpstreamBlock & { readonly url: string },
  { credentials }: ProbeTools,
): McpEndpoint {
  const url = new URL(text);
  const credential = credentials(auth, { apiId: artifact.id, environment, url: text, secrets: tools.secrets });
  return { origin: url.origin, path: url.pathname, credential };
}

function holdServer(
  { artifact, onDispose }: ProtocolCompileInput,
  environment: Environment,
  block: UpstreamBlock,
  endpoint: McpEndpoint,
  { backends, upstream, clock }: ProbeTools,
): UpstreamServer {
  const { limits } = artifact.spec as McpServerSpec; // the snapshot compiler has just parsed it by the kind's schema
  const { url = "", auth = null, timeouts, era } = block;
  const key = canonicalJson([artifact.id, environment, url, auth, timeouts, era, limits.responseBytes]);
  const { server, release } = backends.hold(key, () =>
    createUpstreamServer({ endpoint, upstream, clock, timeouts, maxBytes: limits.responseBytes, era }),
  );
  onDispose(`${artifact.id}/upstream/${environment}/sessions`, release);
  return server;
}
