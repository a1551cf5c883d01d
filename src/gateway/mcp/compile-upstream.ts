import type { Environment } from "../../core/environment.ts";
import type { McpServerSpec } from "../../core/mcp-server.ts";
import { canonicalJson } from "../../kernel/canonical-json.ts";
import type { CompiledUpstream, ProtocolCompileInput } from "../../pipeline/adapter.ts";
import type { TargetPeer } from "../../pipeline/target-peer.ts";
import { peerAt } from "../../pipeline/target-peer.ts";
import { targetKey } from "../../pipeline/upstream-watch.ts";
import { holdSse, holdStdio } from "./channel/hold-channel.ts";
import type { McpBehind, McpEndpoint, ProbeTools } from "./compile-mcp.ts";
import { withConsent } from "./credentials/consent-backend.ts";
import { eventBound } from "./event-bound.ts";
import { startProbe } from "./probe-upstream.ts";
import type { UpstreamServer } from "./upstream-server/upstream-server.ts";
import { createUpstreamServer } from "./upstream-server/upstream-server.ts";

/** `spec.upstream`: one target for each environment; its probes run until the snapshot is replaced. */
export function compileUpstream(
  input: ProtocolCompileInput,
  upstream: NonNullable<McpServerSpec["upstream"]>,
  probing: ProbeTools,
): Readonly<Record<Environment, CompiledUpstream>> {
  const { production: first, sandbox: block } = upstream;
  const behind = compileBehind(input, "production", first, probing);
  const production = compileBlock(input, first, behind);
  probe(input, behind, first, probing, "sameAs" in block ? environments : ["production"]);
  if ("sameAs" in block) return { production, sandbox: production };
  const other = compileBehind(input, "sandbox", block, probing);
  probe(input, other, block, probing, ["sandbox"]);
  return { production, sandbox: compileBlock(input, block, other) };
}

const environments: readonly Environment[] = ["production", "sandbox"];

/** One probe for one server, also when both environments are served by it. */
function probe(
  { artifact, onRetire }: ProtocolCompileInput,
  { relay }: McpBehind,
  { health, timeouts, breaker }: UpstreamBlock,
  { upstream, clock, watch, times }: ProbeTools,
  served: readonly Environment[],
): void {
  if (health.probe === "off" || relay === undefined) return;
  const keys = served.map((environment) => targetKey(artifact.id, environment, artifact.name));
  const stop = startProbe({
    endpoint: relay.endpoint,
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
  { artifact: { name } }: ProtocolCompileInput,
  { timeouts, breaker, url }: UpstreamBlock,
  endpoint: McpBehind,
): CompiledUpstream {
  const peer: TargetPeer = url === undefined ? { transport: "pipe" } : peerAt(url);
  const target = { id: name, providerName: name, endpoint, peer, weight: 1, model: undefined, serves: () => true };
  return {
    targets: [target],
    strategy: { choose: (targets) => targets },
    maxAttempts: 1, // a call that may have run is never repeated: tools act
    timeouts,
    breaker,
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
  const key = canonicalJson([
    artifact.id,
    environment,
    url,
    auth,
    timeouts,
    era,
    limits.responseBytes,
    limits.eventBytes,
  ]);
  const { server, release } = backends.hold(key, () =>
    createUpstreamServer({
      endpoint,
      upstream,
      clock,
      timeouts,
      maxBytes: limits.responseBytes,
      events: eventBound(limits),
      era,
    }),
  );
  onDispose(`${artifact.id}/upstream/${environment}/sessions`, release);
  return server;
}
