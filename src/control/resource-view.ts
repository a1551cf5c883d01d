import { z } from "zod";
import type { CoreContext } from "../core/core-context.ts";
import { maskInline } from "../core/inline-secrets.ts";
import type { Resource, ResourceKind } from "../core/resource.ts";
import { apiVersion } from "../core/resource.ts";
import { getResource } from "../core/resources.ts";
import { team } from "../core/team.ts";
import type { ControlOptions } from "./control-options.ts";

/** Whether and where an API is live. */
export const deploymentStatusSchema = z.strictObject({
  deployed: z
    .strictObject({
      revision: z.int(),
      context: z.string(),
      urls: z
        .array(z.url())
        .meta({ description: "Where clients call it; none when the gateway does not serve its kind." }),
      deployedAt: z.iso.datetime(),
    })
    .nullable()
    .meta({ description: "The live revision; null when none is." }),
  served: z.boolean().meta({ description: "Whether this installation's gateway serves APIs of this kind." }),
});

export type DeploymentStatus = z.output<typeof deploymentStatusSchema>;

/** The resources as a reader gets them: the file form, with what the control plane knows of each in `metadata`. */
export async function resourceViews(context: CoreContext, resources: readonly Resource[]): Promise<readonly object[]> {
  const names = await teamNames(
    context,
    resources.map((resource) => resource.teamId),
  );
  return resources.map((resource) => ({
    apiVersion,
    kind: resource.kind,
    metadata: {
      name: resource.name,
      team: names.get(resource.teamId) ?? resource.teamId,
      labels: resource.labels,
      id: resource.id,
      version: resource.version,
      createdAt: new Date(resource.createdAtMs).toISOString(),
      updatedAt: new Date(resource.updatedAtMs).toISOString(),
    },
    spec: maskInline(resource.spec),
  }));
}

interface TeamedView {
  readonly metadata: { readonly teamId: string };
}

/** Views of keys and secrets in the file form: with their `apiVersion`, and the owning team by its name. */
export async function viewsWithTeams(context: CoreContext, views: readonly TeamedView[]): Promise<readonly object[]> {
  const names = await teamNames(
    context,
    views.map((view) => view.metadata.teamId),
  );
  return views.map(({ metadata: { teamId, ...metadata }, ...view }) => ({
    apiVersion,
    ...view,
    metadata: { ...metadata, team: names.get(teamId) ?? teamId },
  }));
}

/** The filter of a list by team name; none when no team is asked for. Throws `resource.not_found` for an unknown one. */
export async function teamFilter(
  context: CoreContext,
  name: string | undefined,
): Promise<{ readonly teamId?: string }> {
  return name === undefined ? {} : { teamId: (await getResource(context, team, name)).id };
}

/** The names of teams by id; a team that is gone is left out. */
export async function teamNames(
  context: CoreContext,
  teamIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  for (const id of new Set(teamIds)) {
    const found = await context.catalog.read.resources.findById(id);
    if (found !== undefined) names.set(id, found.name);
  }
  return names;
}

/** Undefined for kinds that are live at once. */
export async function deploymentStatus(
  options: ControlOptions,
  kind: ResourceKind,
  resource: Resource,
): Promise<DeploymentStatus | undefined> {
  if (kind.live !== "revision") return undefined;
  const served = options.servedKinds.includes(kind.kind);
  const deployment = await options.context.catalog.read.deployments.find(resource.id);
  if (deployment === undefined) return { deployed: null, served };
  return {
    deployed: {
      revision: deployment.revision,
      context: deployment.context,
      urls: served
        ? [`${options.gatewayUrl.replace(/\/+$/, "")}${deployment.context}${suffixes[kind.kind] ?? ""}`]
        : [],
      deployedAt: new Date(deployment.deployedAtMs).toISOString(),
    },
    served,
  };
}

/** What follows the context in the address that a client is configured with. */
const suffixes: Readonly<Record<string, string>> = { LlmApi: "/v1", McpServer: "/mcp" };
