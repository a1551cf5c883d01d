import type { CoreContext } from "../../core/core-context.ts";
import type { Environment } from "../../core/environment.ts";
import { mcpServer } from "../../core/mcp-server.ts";
import type { AuthorizationCodeAuth } from "../../core/upstream-auth.ts";

/** The upstream of a deployed MCP server whose callers consent for themselves. */
export interface DeployedUpstream {
  readonly apiId: string;
  readonly name: string;
  readonly title: string;
  readonly teamId: string;
  readonly url: string;
  readonly auth: AuthorizationCodeAuth;
}

/** Undefined where there is none: not deployed, not of that kind, or with another kind of credential. */
export async function deployedUpstream(
  { catalog }: CoreContext,
  apiId: string,
  environment: Environment,
): Promise<DeployedUpstream | undefined> {
  const deployment = await catalog.read.deployments.find(apiId);
  if (deployment?.kind !== mcpServer.kind) return undefined;
  const revision = await catalog.read.revisions.find(apiId, deployment.revision);
  const parsed = mcpServer.spec.safeParse(revision?.spec);
  if (!parsed.success) return undefined;
  const { displayName } = parsed.data;
  const upstream = parsed.data.upstream ?? parsed.data.openapi;
  if (upstream === undefined) return undefined;
  const { production, sandbox } = upstream;
  const hasOwn = environment === "sandbox" && sandbox !== undefined && !("sameAs" in sandbox);
  const block = hasOwn ? sandbox : production;
  if (block?.auth?.type !== "authorization-code" || block.url === undefined) return undefined;
  const { name, teamId } = deployment;
  return { apiId, name, title: displayName ?? name, teamId, url: block.url, auth: block.auth };
}
