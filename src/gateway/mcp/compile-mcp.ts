import type { Environment } from "../../core/environment.ts";
import { environmentSchema } from "../../core/environment.ts";
import type { McpLimits } from "../../core/mcp-limits.ts";
import type { McpOpenApiSpec } from "../../core/mcp-openapi.ts";
import type { McpPinSettings } from "../../core/mcp-pin-settings.ts";
import type { McpServerSpec } from "../../core/mcp-server.ts";
import type { StdioCommands } from "../../core/mcp-stdio.ts";
import type { McpToolSearchSpec } from "../../core/mcp-tool-search.ts";
import type { McpVirtualSpec } from "../../core/mcp-virtual.ts";
import type { Clock } from "../../kernel/clock.ts";
import { GatewayError } from "../../kernel/errors.ts";
import type { McpAuthorization } from "../../mcp/authorization/compile-authorization.ts";
import { compileAuthorization } from "../../mcp/authorization/compile-authorization.ts";
import type { McpBackend } from "../../mcp/backend.ts";
import { compileOffer } from "../../mcp/offer/compile-offer.ts";
import { createOfferedServer } from "../../mcp/offer/offered-server.ts";
import type { PinBoard } from "../../mcp/pins/pin-board.ts";
import type { McpEra } from "../../mcp/wire/legacy.ts";
import type {
  BreakerSettings,
  CompiledProtocol,
  CompiledUpstream,
  ProtocolCompileInput,
} from "../../pipeline/adapter.ts";
import type { CompiledApi } from "../../pipeline/snapshot.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";
import type { UpstreamWatch } from "../../pipeline/upstream-watch.ts";
import type { Listing } from "../registry/server-document.ts";
import { listingOf } from "../registry/server-document.ts";
import type { UpstreamClient } from "../upstream.ts";
import { compileUpstream } from "./compile-upstream.ts";
import type { CompileCredential } from "./credentials/compile-credential.ts";
import type { UpstreamCredential } from "./credentials/upstream-credential.ts";
import type { ParkLimits } from "./face/parking.ts";
import type { HeldBackends } from "./held-backends.ts";
import type { ProbeTimes } from "./probe-times.ts";
import { keepLooking } from "./refresh-pins.ts";
import type { SearchLearner } from "./search/learn-searches.ts";
import type { ToolHintMemory } from "./tool-hints.ts";
import type { UpstreamServer } from "./upstream-server/upstream-server.ts";

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

/** What the server has said of what it offers, by lists that have passed through. */
export function mcpToolHints(api: CompiledApi): ToolHintMemory | undefined {
  return (api.protocol.own as { hints?: ToolHintMemory } | undefined)?.hints; // made below
}

/** How drift of this API's definitions is met; undefined where it is not looked for. */
export function mcpPins(api: CompiledApi): McpPins | undefined {
  return (api.protocol.own as { pins?: McpPins } | undefined)?.pins; // made below
}

/** What messages, lists, streams and sessions of this API may take. */
export function mcpLimits(api: CompiledApi): McpLimits {
  return (api.protocol.own as { limits: McpLimits }).limits; // made below
}

/** What a registry tells of the server. */
export function mcpListing(api: CompiledApi): Listing {
  return (api.protocol.own as { listing: Listing }).listing; // made below
}

interface McpPins {
  readonly board: PinBoard;
  readonly settings: McpPinSettings;
}

/** What is behind a target of this adapter's APIs. */
export interface McpBehind {
  /** The server as the gateway's face sees it, for clients who cannot be relayed. */
  readonly backend: McpBackend;
  /** The same without the tools that the gateway puts in front of the server's; `backend` where there are none. */
  readonly plain?: McpBackend;
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
  /** Hears what servers say of what they offer. */
  readonly hints: ToolHintMemory;
  /** Servers on their standard streams that may be started, by name. */
  readonly stdio: StdioCommands;
  /** The backend of servers that are made of others. */
  virtual(input: ProtocolCompileInput, spec: McpVirtualSpec): McpBackend;
  /** A server whose tools are found by searching. Throws `config.invalid` for an embedder that cannot be used. */
  search(
    server: McpBackend,
    spec: McpToolSearchSpec,
    tools: ProtocolCompileInput["tools"],
    learner?: SearchLearner,
  ): McpBackend;
  /** Who learns from searches at a place, where that can be. */
  learnSearches(tools: ProtocolCompileInput["tools"], place: string): SearchLearner | undefined;
  /** The backends of servers that are made of a description; undefined where it has reported a fault. */
  openapi(input: ProtocolCompileInput, spec: McpOpenApiSpec): Readonly<Record<Environment, McpBackend>> | undefined;
}

/** One target for each environment of an `McpServer`; its probes run until the snapshot is replaced. */
export function compileMcp(input: ProtocolCompileInput, probing: ProbeTools): CompiledProtocol | undefined {
  const { artifact } = input;
  const spec = artifact.spec as McpServerSpec; // the snapshot compiler has just parsed it by the kind's schema
  const behind = compileUpstreams(input, spec, probing);
  if (behind === undefined) return undefined;
  const offer = spec.offer && compileOffer(spec.offer, input.fault);
  const plain =
    offer === undefined ? behind : inFront(behind, (server) => ({ backend: createOfferedServer(server, offer) }));
  const searches = spec.toolSearch?.learn === true ? learnerOf(input, probing) : undefined;
  const upstreams = searched(plain, spec, input, { ...probing, searches });
  const pins = pinsFor(spec, probing);
  if (pins !== undefined && spec.upstream !== undefined) lookAtPins(input, pins, plain, probing);
  const authorization = compileRules(spec, input);
  const keyHeader = spec.security.apiKey === false ? "apikey" : spec.security.apiKey.header.toLowerCase();
  return {
    upstreams,
    own: {
      keyHeader,
      limits: spec.limits,
      authorization,
      hints: probing.hints,
      pins,
      listing: listingOf(spec),
      hasToolSearch: spec.toolSearch !== undefined,
      searches,
    },
    ...(authorization && { scopes: authorization.scopes }),
  };
}

/** The same servers with another backend in front of each: by the face alone, which can tell of them in other words. */
function inFront(
  upstreams: CompiledProtocol["upstreams"],
  put: (server: McpBackend) => Pick<McpBehind, "backend" | "plain">,
): CompiledProtocol["upstreams"] {
  const made = ({ targets, ...rest }: CompiledUpstream): CompiledUpstream => ({
    ...rest,
    targets: targets.map((target) => {
      const { backend, parking, relay } = behindOf(target);
      const endpoint: McpBehind = { ...put(backend), parking, relay: relay && { ...relay, mode: "always" } };
      return { ...target, endpoint };
    }),
  });
  const { production, sandbox } = upstreams;
  const first = made(production);
  return { production: first, sandbox: sandbox === production ? first : made(sandbox) };
}

/** Undefined for an embedder that cannot be used: where its server is made, that is reported. */
function learnerOf(
  { tools, artifact }: ProtocolCompileInput,
  { learnSearches }: ProbeTools,
): SearchLearner | undefined {
  try {
    return learnSearches(tools, `${artifact.id}/toolSearch`);
  } catch (error) {
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}

/** With the tools that find others in front, where the spec has them. */
function searched(
  upstreams: CompiledProtocol["upstreams"],
  { toolSearch }: McpServerSpec,
  { tools, fault }: ProtocolCompileInput,
  { search, searches }: ProbeTools & { readonly searches: SearchLearner | undefined },
): CompiledProtocol["upstreams"] {
  if (toolSearch === undefined) return upstreams;
  try {
    return inFront(upstreams, (plain) => ({ backend: search(plain, toolSearch, tools, searches), plain }));
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    fault({ path: "spec.toolSearch", message: error.message });
    return upstreams; // the fault refuses the whole snapshot
  }
}

function compileUpstreams(
  input: ProtocolCompileInput,
  { upstream, openapi, virtual }: McpServerSpec,
  probing: ProbeTools,
): CompiledProtocol["upstreams"] | undefined {
  if (virtual !== undefined) {
    const own = compileTarget(input, probing.virtual(input, virtual));
    return { production: own, sandbox: own }; // its servers are reached in the caller's environment
  }
  if (openapi !== undefined) {
    const made = probing.openapi(input, openapi);
    if (made === undefined) return undefined;
    const { production, sandbox } = openapi;
    const [breaker, inSandbox] = [production?.breaker, sandbox && "breaker" in sandbox ? sandbox.breaker : undefined];
    return {
      production: compileTarget(input, made.production, breaker),
      sandbox: compileTarget(input, made.sandbox, inSandbox ?? breaker),
    };
  }
  if (upstream === undefined) return undefined; // the kind's schema has refused it
  return compileUpstream(input, upstream, probing);
}

/**
 * A backend that is reached by the face alone. Where no breaker is given, its failures are those of other APIs, which have
 * breakers of their own.
 */
function compileTarget(
  { artifact: { name } }: ProtocolCompileInput,
  backend: McpBackend,
  breaker: BreakerSettings = { failures: 0, openMs: 0 },
): CompiledUpstream {
  const endpoint: McpBehind = { backend, parking: asTheirServerSays, relay: undefined };
  const target = { id: name, providerName: name, endpoint, weight: 1, model: undefined, serves: () => true };
  return {
    targets: [target],
    strategy: { choose: (targets) => targets },
    maxAttempts: 1,
    timeouts: { connectMs: 0, firstByteMs: 0, idleMs: 0 }, // it opens no connection of its own
    breaker,
  };
}

/** Whether a call may wait for its client is said by the server that it is at; this bounds what all of them keep. */
const asTheirServerSays: ParkLimits = { park: true, parkMs: 300_000, maxParked: 100 };

/** Not where every caller has credentials of their own: nobody stands behind the gateway's own looks. */
function lookAtPins(
  input: ProtocolCompileInput,
  pins: McpPins,
  upstreams: CompiledProtocol["upstreams"],
  probing: ProbeTools,
): void {
  for (const environment of environmentSchema.options) {
    const [target] = upstreams[environment].targets;
    const behind = target && behindOf(target);
    if (behind === undefined || behind.relay?.endpoint.credential.isGranted !== undefined) continue;
    keepLooking(input, pins, environment, behind.backend, probing);
  }
}

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
