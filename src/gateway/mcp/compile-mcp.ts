import { secretName } from "../../core/api-spec.ts";
import type { Environment } from "../../core/environment.ts";
import type { McpServerSpec } from "../../core/mcp-server.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { CompiledProtocol, CompiledUpstream, ProtocolCompileInput } from "../../pipeline/adapter.ts";
import type { SecretReader } from "../../pipeline/plugin.ts";
import type { CompiledApi } from "../../pipeline/snapshot.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";
import type { UpstreamWatch } from "../../pipeline/upstream-watch.ts";
import { targetKey } from "../../pipeline/upstream-watch.ts";
import type { UpstreamClient } from "../upstream.ts";
import type { ProbeTimes } from "./probe-times.ts";
import { startProbe } from "./probe-upstream.ts";

/** Where an upstream MCP server is and what the gateway shows to it. */
export interface McpEndpoint {
  readonly origin: string;
  readonly path: string;
  readonly auth: { readonly header: string; readonly scheme: string; readonly secret: string } | undefined;
  readonly secrets: SecretReader;
}

/** The header in which clients send their key to this API; never forwarded. */
export function mcpKeyHeader(api: CompiledApi): string {
  return (api.protocol.own as { keyHeader: string }).keyHeader; // made below
}

/** The endpoint behind a target of this adapter's APIs. */
export function endpointOf(target: CompiledTarget): McpEndpoint {
  return target.endpoint as McpEndpoint; // made below
}

/** What probes of the upstreams work with. */
export interface ProbeTools {
  readonly upstream: UpstreamClient;
  readonly clock: Clock;
  readonly watch: Pick<UpstreamWatch, "probed">;
  readonly times: ProbeTimes;
}

/** One target for each environment of an `McpServer`; its probes run until the snapshot is replaced. */
export function compileMcp(input: ProtocolCompileInput, probing: ProbeTools): CompiledProtocol {
  const { artifact, tools } = input;
  const spec = artifact.spec as McpServerSpec; // the snapshot compiler has just parsed it by the kind's schema
  const production = compileBlock(artifact.name, spec.upstream.production, tools.secrets);
  const { sandbox: block } = spec.upstream;
  const sandbox = "sameAs" in block ? production : compileBlock(artifact.name, block, tools.secrets);
  probe(input, production, spec.upstream.production, probing, "sameAs" in block ? environments : ["production"]);
  if (!("sameAs" in block)) probe(input, sandbox, block, probing, ["sandbox"]);
  const keyHeader = spec.security.apiKey === false ? "apikey" : spec.security.apiKey.header.toLowerCase();
  return { upstreams: { production, sandbox }, own: { keyHeader } };
}

const environments: readonly Environment[] = ["production", "sandbox"];

/** One probe for one server, also when both environments are served by it. */
function probe(
  { artifact, onRetire }: ProtocolCompileInput,
  { targets, timeouts, breaker }: CompiledUpstream,
  { health }: McpServerSpec["upstream"]["production"],
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

function compileBlock(
  name: string,
  block: McpServerSpec["upstream"]["production"],
  secrets: SecretReader,
): CompiledUpstream {
  const url = new URL(block.url);
  const endpoint: McpEndpoint = {
    origin: url.origin,
    path: url.pathname,
    auth: block.auth && {
      header: block.auth.header.toLowerCase(),
      scheme: block.auth.scheme,
      secret: secretName(block.auth.secret),
    },
    secrets,
  };
  const target: CompiledTarget = {
    id: name,
    providerName: name,
    endpoint,
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
