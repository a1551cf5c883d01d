import { z } from "zod";
import type { FieldIssue } from "../kernel/errors.ts";
import { contextSchema } from "./api-spec.ts";
import { askGovernance } from "./ask-governance.ts";
import type { RevisionRow } from "./catalog.ts";
import { contentHash } from "./content-hash.ts";
import type { FetchedDescriptions } from "./fetched-descriptions.ts";
import { fieldIssues, refusal } from "./parse-document.ts";
import { resolveReferences } from "./references.ts";
import type { Resource, ResourceKind } from "./resource.ts";
import type { ReachedApi } from "./resource-identifier.ts";
import { resourcePath } from "./resource-identifier.ts";
import type { Write } from "./write.ts";
import { audit } from "./write.ts";

/** Which revision is live now, and whether this call made it so. */
export interface DeployOutcome {
  readonly revision: number;
  readonly changed: boolean;
}

/** Makes a revision of the draft, unless the latest one is equal, and deploys it within a write. Throws `publish.refused`. */
export async function publishDraft(
  write: Write,
  kind: ResourceKind,
  resource: Resource,
  descriptions: FetchedDescriptions,
): Promise<DeployOutcome> {
  const { revisions } = write.transaction;
  const spec = descriptions.settle(resource.spec);
  const specHash = contentHash(spec);
  const latest = await revisions.latest(resource.id);
  if (latest?.specHash === specHash) return deploy(write, kind, resource, latest, "api.published");
  const revision: RevisionRow = {
    resourceId: resource.id,
    number: (latest?.number ?? 0) + 1,
    spec,
    specHash,
    createdAtMs: write.nowMs,
    createdBy: write.actor.id,
  };
  await revisions.insert(revision);
  return deploy(write, kind, resource, revision, "api.published");
}

/**
 * Makes a revision live within a write; no change when it is already. Throws `publish.refused` for a spec that this
 * build does not take, names that are gone, a context that another API has, and `keyless` where
 * nobody would be answered.
 */
export async function deploy(
  write: Write,
  kind: ResourceKind,
  resource: Resource,
  revision: RevisionRow,
  action: "api.published" | "api.deployed",
): Promise<DeployOutcome> {
  const { transaction } = write;
  const current = await transaction.deployments.find(resource.id);
  if (current?.revision === revision.number) return { revision: revision.number, changed: false };
  const { context, found } = await checkRevision(write, kind, resource, revision);
  await transaction.deployments.put({
    resourceId: resource.id,
    kind: resource.kind,
    name: resource.name,
    teamId: resource.teamId,
    context,
    revision: revision.number,
    deployedAtMs: write.nowMs,
  });
  await transaction.references.replace(deploymentHolder(resource), found);
  write.artifactsChanged = true;
  await askGovernance(write, resource);
  await audit(write, action, resource, { revision: revision.number, replaced: current?.revision ?? null, context });
  return { revision: revision.number, changed: true };
}

/** Takes an API off the gateways within a write; false when it was not deployed. */
export async function undeploy(write: Write, resource: Resource): Promise<boolean> {
  const { transaction } = write;
  const current = await transaction.deployments.find(resource.id);
  if (current === undefined) return false;
  await transaction.deployments.delete(resource.id);
  await transaction.references.replace(deploymentHolder(resource), []);
  write.artifactsChanged = true;
  await askGovernance(write, resource);
  await audit(write, "api.undeployed", resource, { revision: current.revision, context: current.context });
  return true;
}

/** What every API's spec has that deploying it depends on. */
const deployableSchema = z.looseObject({
  context: contextSchema,
  security: z.looseObject({ keyless: z.boolean() }),
});

async function checkRevision(write: Write, kind: ResourceKind, resource: Resource, revision: RevisionRow) {
  const parsed = kind.spec.safeParse(revision.spec);
  if (!parsed.success) throw refused(resource, fieldIssues(parsed.error.issues, ["spec"]));
  const { context, security } = deployableSchema.parse(parsed.data);
  const { found, issues } = await resolveReferences(write.transaction, kind, parsed.data);
  const all: FieldIssue[] = [...issues];
  if (security.keyless && write.context.keylessReach === "nobody") {
    const message = "an API that asks for no key is refused in production, unless network.allowKeyless is set";
    all.push({ path: "spec.security.keyless", message });
  }
  const deployments = await write.transaction.deployments.all();
  for (const other of deployments) {
    if (other.resourceId === resource.id) continue;
    const message = contextFault({ kind: resource.kind, teamId: resource.teamId, context }, other);
    if (message !== undefined) all.push({ path: "spec.context", message });
  }
  if (all.length > 0) throw refused(resource, all);
  return { context, found };
}

/**
 * Why two APIs cannot be deployed beside each other: one would answer, or have tokens, for addresses of the other. A team
 * may nest its own, the inner one taking its part of the outer's; but no API stands where another's protocol answers, nor
 * within an address that another team's API has.
 */
function contextFault(api: PlacedApi, other: PlacedApi & { readonly name: string }): string | undefined {
  const owner = `${other.kind}/${other.name}`;
  if (api.context === other.context) return `${api.context} belongs to ${owner} already`;
  const isOwn = api.teamId === other.teamId;
  const [taken, path] = [other, api].map((each) => (isOwn ? answeredPath(each) : resourcePath(each)));
  if (isWithin(isOwn ? api.context : resourcePath(api), taken))
    return `${taken} and what is below it belong to ${owner}`;
  if (isWithin(isOwn ? other.context : resourcePath(other), path)) {
    return `${owner} is at ${other.context} already, which would be below ${path}`;
  }
  return undefined;
}

interface PlacedApi extends ReachedApi {
  readonly teamId: string;
}

/** Below its context, where an API of that kind is called. */
function answeredPath(api: ReachedApi): string {
  return api.kind === "LlmApi" ? `${api.context}/v1` : resourcePath(api);
}

function isWithin(path: string, outer = ""): boolean {
  return path === outer || path.startsWith(`${outer}/`);
}

function refused(resource: Resource, issues: readonly FieldIssue[]) {
  return refusal("publish.refused", `${resource.kind}/${resource.name} cannot be published`, issues);
}

function deploymentHolder(resource: Resource) {
  return {
    holderType: "deployment",
    holderId: resource.id,
    holderKind: resource.kind,
    holderName: resource.name,
  } as const;
}
