import { GatewayError } from "../kernel/errors.ts";
import { sendArtifacts, settleArtifacts } from "./artifact-set.ts";
import type { Page, PageRequest, RevisionRow } from "./catalog.ts";
import type { Actor, CoreContext } from "./core-context.ts";
import type { DeployOutcome } from "./deployment.ts";
import { deploy, publishDraft, undeploy } from "./deployment.ts";
import { fetchDescriptions } from "./fetched-descriptions.ts";
import { clearForDeployment } from "./governance-gate.ts";
import type { Resource, ResourceKind } from "./resource.ts";
import { changedMeanwhile, notFound, requireResource } from "./resource-changes.ts";
import type { Write } from "./write.ts";
import { inWrite } from "./write.ts";

/** What a publication came to. */
export interface Publication extends DeployOutcome {
  /** The hash of all that the gateways now serve; analytics rows carry it. */
  readonly configHash: string;
}

/**
 * Makes a revision of the draft, unless the latest is equal, and deploys it.
 *
 * Throws `publish.refused` with issues when the context is taken, something referred to is gone, the API is keyless in
 * production, or the gateways' configuration would not compile; `resource.not_found`; and `resource.changed` when the
 * draft is not at the version that was expected, and `governance.blocked` with the findings of rules.
 */
export async function publishApi(
  context: CoreContext,
  actor: Actor,
  kind: ResourceKind,
  name: string,
  expectedVersion?: number,
): Promise<Publication> {
  const draft = await context.catalog.read.resources.find(kind.kind, name);
  const descriptions = await fetchDescriptions(context, [draft?.spec]);
  const subjects = draft === undefined ? [] : [{ ...draft, spec: descriptions.settle(draft.spec) }];
  const clearance = await clearForDeployment(context, subjects, ["deploy", "publish"]);
  return publication(context, actor, { kind, name, expectedVersion }, async (write, resource) => {
    await clearance.confirmRules(write.transaction);
    clearance.confirm({ ...resource, spec: descriptions.settle(resource.spec) });
    return publishDraft(write, kind, resource, descriptions);
  });
}

/** Deploys a revision that exists, an older one too. Throws as `publishApi` does. */
export async function deployRevision(
  context: CoreContext,
  actor: Actor,
  kind: ResourceKind,
  name: string,
  revision: number,
  expectedVersion?: number,
): Promise<Publication> {
  const { resources, revisions } = context.catalog.read;
  const found = await resources.find(kind.kind, name);
  const chosen = found && (await revisions.find(found.id, revision));
  const subjects = found === undefined || chosen === undefined ? [] : [{ ...found, spec: chosen.spec }];
  const clearance = await clearForDeployment(context, subjects, ["deploy"]);
  return publication(context, actor, { kind, name, expectedVersion }, async (write, resource) => {
    await clearance.confirmRules(write.transaction);
    const row = await write.transaction.revisions.find(resource.id, revision);
    if (row === undefined) {
      throw new GatewayError("resource.not_found", `${kind.kind}/${name} has no revision ${revision}.`);
    }
    clearance.confirm({ ...resource, spec: row.spec });
    return deploy(write, kind, resource, row, "api.deployed");
  });
}

/**
 * Takes an API off the gateways; its revisions, keys and subscriptions stay. Nothing happens when it is not deployed.
 * Never refused for what is wrong with an API, this one or another.
 */
export async function undeployApi(
  context: CoreContext,
  actor: Actor,
  kind: ResourceKind,
  name: string,
  expectedVersion?: number,
): Promise<void> {
  await inWrite(context, actor, async (write) => {
    const resource = await requirePublishable(write, { kind, name, expectedVersion });
    if (await undeploy(write, resource)) await sendArtifacts(write);
  });
}

/** The revisions of an API in the order in which they were made. Throws `resource.not_found`. */
export async function listRevisions(
  context: CoreContext,
  kind: ResourceKind,
  name: string,
  page: PageRequest,
): Promise<Page<RevisionRow>> {
  const resource = await context.catalog.read.resources.find(kind.kind, name);
  if (resource === undefined) throw notFound(kind.kind, name);
  return context.catalog.read.revisions.list(resource.id, page);
}

async function publication(
  context: CoreContext,
  actor: Actor,
  api: PublishableApi,
  work: (write: Write, resource: Resource) => Promise<DeployOutcome>,
): Promise<Publication> {
  return inWrite(context, actor, async (write) => {
    const resource = await requirePublishable(write, api);
    const outcome = await work(write, resource);
    const set = await settleArtifacts(write, "publish.refused", resource);
    return { ...outcome, configHash: set.hash };
  });
}

interface PublishableApi {
  readonly kind: ResourceKind;
  readonly name: string;
  /** Of the draft, as the caller has seen it; any when undefined. */
  readonly expectedVersion: number | undefined;
}

async function requirePublishable(write: Write, { kind, name, expectedVersion }: PublishableApi): Promise<Resource> {
  if (kind.live !== "revision") {
    throw new GatewayError("request.invalid", `A ${kind.title} is live at once; it has no revisions.`);
  }
  const resource = await requireResource(write.transaction, kind, name);
  if (resource.version !== (expectedVersion ?? resource.version)) throw changedMeanwhile(kind.kind, name);
  return resource;
}
