import type { Environment } from "../../../core/environment.ts";
import type { McpServerSpec } from "../../../core/mcp-server.ts";
import { canonicalJson } from "../../../kernel/canonical-json.ts";
import { GatewayError } from "../../../kernel/errors.ts";
import { didYouMean } from "../../../kernel/nearest-name.ts";
import type { McpBackend } from "../../../mcp/backend.ts";
import type { ProtocolCompileInput } from "../../../pipeline/adapter.ts";
import type { McpEndpoint, ProbeTools } from "../compile-mcp.ts";
import { eventBound } from "../event-bound.ts";
import type { HeldBackends } from "../held-backends.ts";
import { createLegacyUpstream } from "../upstream-server/legacy-upstream.ts";
import { createSseUpstream } from "./sse-upstream.ts";
import { createStdioUpstream } from "./stdio-upstream.ts";

type UpstreamBlock = NonNullable<McpServerSpec["upstream"]>["production"];

/** The server that a block's command starts. A name that the configuration does not allow is a fault of the revision. */
export function holdStdio(
  input: ProtocolCompileInput,
  environment: Environment,
  { stdio = "", timeouts }: UpstreamBlock,
  { stdio: commands, clock, backends }: ProbeTools,
): McpBackend {
  const { artifact, tools, fault } = input;
  const allowed = Object.hasOwn(commands, stdio) ? commands[stdio] : undefined;
  if (allowed === undefined) {
    const known = Object.keys(commands);
    const message = `this gateway's configuration has no command ${stdio} in \`mcp.stdio\`${didYouMean(stdio, known)}`;
    fault({ path: `spec.upstream.${environment}.stdio`, message });
    return createLegacyUpstream({
      clock,
      open: () => Promise.reject(new GatewayError("upstream.unavailable", message)),
    });
  }
  const { maxEventBytes: maxBytes } = eventBound((artifact.spec as McpServerSpec).limits); // the snapshot compiler has just parsed it
  const parts = { allowed, secrets: tools.secrets, clock, log: tools.log, server: artifact.name, timeouts, maxBytes };
  return hold(input, environment, backends, ["stdio", stdio, timeouts, maxBytes], () => createStdioUpstream(parts));
}

/** The server of 2024-11-05's HTTP+SSE that a block names. */
export function holdSse(
  input: ProtocolCompileInput,
  environment: Environment,
  { url = "", auth, timeouts }: UpstreamBlock,
  endpoint: McpEndpoint,
  { upstream, clock, backends }: ProbeTools,
): McpBackend {
  const { maxEventBytes: maxBytes } = eventBound((input.artifact.spec as McpServerSpec).limits); // as above
  const make = (): McpBackend => createSseUpstream({ endpoint, upstream, clock, timeouts, maxBytes });
  return hold(input, environment, backends, ["http+sse", url, auth ?? null, timeouts, maxBytes], make);
}

/** Lives on over publishes that change nothing of it. */
function hold(
  { artifact, onDispose }: ProtocolCompileInput,
  environment: Environment,
  backends: HeldBackends,
  madeOf: readonly unknown[],
  make: () => McpBackend,
): McpBackend {
  const { server, release } = backends.hold(canonicalJson([artifact.id, environment, ...madeOf]), make);
  onDispose(`${artifact.id}/upstream/${environment}/sessions`, release);
  return server;
}
