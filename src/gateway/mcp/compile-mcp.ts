import { secretName } from "../../core/api-spec.ts";
import type { McpServerSpec } from "../../core/mcp-server.ts";
import type { CompiledProtocol, CompiledUpstream, ProtocolCompileInput } from "../../pipeline/adapter.ts";
import type { SecretReader } from "../../pipeline/plugin.ts";
import type { CompiledApi } from "../../pipeline/snapshot.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";

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

/** One target for each environment of an `McpServer`. */
export function compileMcp({ artifact, tools }: ProtocolCompileInput): CompiledProtocol {
  const spec = artifact.spec as McpServerSpec; // the snapshot compiler has just parsed it by the kind's schema
  const production = compileBlock(artifact.name, spec.upstream.production, tools.secrets);
  const { sandbox: block } = spec.upstream;
  const sandbox = "sameAs" in block ? production : compileBlock(artifact.name, block, tools.secrets);
  const keyHeader = spec.security.apiKey === false ? "apikey" : spec.security.apiKey.header.toLowerCase();
  return { upstreams: { production, sandbox }, own: { keyHeader } };
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
