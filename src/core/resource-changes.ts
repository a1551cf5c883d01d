import type { FieldIssue } from "../kernel/errors.ts";
import { GatewayError } from "../kernel/errors.ts";
import { newId } from "../kernel/ids.ts";
import { isSupporting } from "./artifact-set.ts";
import { askGovernance } from "./ask-governance.ts";
import { resourceAction } from "./audit-actions.ts";
import { auditChanges } from "./audit-changes.ts";
import type { CatalogTransaction } from "./catalog.ts";
import { isGoverned, isGoverning } from "./governed-kinds.ts";
import { settleInline, storeInline } from "./inline-secrets.ts";
import { keyManager, residentName } from "./key-manager.ts";
import { keyManagerWritten } from "./key-managers.ts";
import { invalid } from "./parse-document.ts";
import type { ResolvedReference } from "./references.ts";
import { refuseWhileInUse, resolveReferences } from "./references.ts";
import type { Resource, ResourceKind } from "./resource.ts";
import type { ResourceDocument } from "./resource-document.ts";
import { subscription } from "./subscription.ts";
import { subscriptionWritten } from "./subscriptions.ts";
import { team } from "./team.ts";
import { tellForgotten } from "./tell-forgotten.ts";
import type { Write } from "./write.ts";
import { audit } from "./write.ts";

/** The team and the gateway that are there from the beginning and stay. */
export const defaultName = "default";

/** Adds a resource within a write. Throws `resource.invalid` (fields, unknown references) or `resource.conflict`. */
export async function insertResource(write: Write, kind: ResourceKind, document: ResourceDocument): Promise<Resource> {
  const { transaction, nowMs } = write;
  const owner = await findTeam(transaction, document.team ?? defaultName);
  const { found, issues } = await resolveReferences(transaction, kind, document.spec);
  if (owner === undefined || issues.length > 0) {
    throw invalid([...(owner === undefined ? [noTeam(document.team ?? defaultName)] : []), ...issues]);
  }
  const id = newId(kind.idKind);
  const settled = await settleInline(write, id, undefined, document);
  const resource: Resource = {
    id,
    kind: kind.kind,
    name: document.name,
    teamId: owner.id,
    labels: document.labels,
    version: 1,
    spec: settled.spec,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
  await transaction.resources.insert(resource);
  await storeInline(write, kind, id, settled);
  await written(write, kind, { after: resource, before: undefined, found });
  await audit(write, resourceAction(kind, "created"), resource, { version: resource.version });
  return resource;
}

/**
 * Replaces a stored resource's spec and labels within a write. Throws `resource.invalid`, also for another name or
 * team than it has, and `resource.changed` when `before` is not its present state.
 */
export async function changeResource(
  write: Write,
  kind: ResourceKind,
  before: Resource,
  document: ResourceDocument,
): Promise<Resource> {
  const { transaction } = write;
  const { found, issues } = await resolveReferences(transaction, kind, document.spec);
  const all = [...(await fixedFieldIssues(transaction, before, document)), ...issues];
  if (all.length > 0) throw invalid(all);
  const settled = await settleInline(write, before.id, before, document);
  const after: Resource = {
    ...before,
    labels: document.labels,
    spec: settled.spec,
    version: before.version + 1,
    updatedAtMs: write.nowMs,
  };
  if (!(await transaction.resources.update(after, before.version))) throw changedMeanwhile(kind.kind, before.name);
  await storeInline(write, kind, before.id, settled);
  await written(write, kind, { after, before, found });
  await audit(write, resourceAction(kind, "updated"), after, {
    version: after.version,
    ...auditChanges({ labels: before.labels, spec: before.spec }, { labels: after.labels, spec: after.spec }),
  });
  return after;
}

/** Deletes a stored resource within a write. Throws `resource.in_use`, which says by whom. */
export async function removeResource(write: Write, kind: ResourceKind, resource: Resource): Promise<void> {
  const { transaction } = write;
  if (resource.name === defaultName && (kind.kind === "Team" || kind.kind === "Gateway")) {
    throw new GatewayError(
      "resource.in_use",
      `${kind.kind}/${defaultName} belongs to the installation and cannot be deleted.`,
    );
  }
  if (resource.name === residentName && kind.kind === keyManager.kind) {
    throw new GatewayError(
      "resource.in_use",
      `${kind.kind}/${residentName} belongs to the installation and cannot be deleted; \`enabled: false\` turns it off.`,
    );
  }
  const deployment = await transaction.deployments.find(resource.id);
  if (deployment !== undefined) {
    throw new GatewayError(
      "resource.in_use",
      `${kind.kind}/${resource.name} is deployed at ${deployment.context}. Undeploy it first.`,
      { issues: [{ path: `${kind.kind}/${resource.name}`, message: `revision ${deployment.revision} is deployed` }] },
    );
  }
  await refuseWhileInUse(transaction, resource);
  if (!(await transaction.resources.delete(resource.id, resource.version))) {
    throw changedMeanwhile(kind.kind, resource.name);
  }
  if (isSupporting(resource)) write.artifactsChanged = true;
  if (kind.kind === subscription.kind) write.messages.push({ type: "subscription.removed", id: resource.id });
  if (kind.kind === keyManager.kind) write.messages.push({ type: "key-manager.removed", id: resource.id });
  if (isGoverning(kind.kind)) await askGovernance(write, resource);
  else if (isGoverned(kind.kind)) write.gone.push(resource);
  if (kind.kind === "Application") await tellForgotten(write, { apiId: null, applicationId: resource.id, entry: null });
  if (kind.live === "revision") await tellForgotten(write, { apiId: resource.id, applicationId: null, entry: null });
  await audit(write, resourceAction(kind, "deleted"), resource, { version: resource.version });
}

/** The resource of that name. Throws `resource.not_found`. */
export async function requireResource(
  transaction: CatalogTransaction,
  kind: ResourceKind,
  name: string,
): Promise<Resource> {
  const resource = await transaction.resources.find(kind.kind, name);
  if (resource === undefined) throw notFound(kind.kind, name);
  return resource;
}

/** The `resource.not_found` error of a kind and name. */
export function notFound(kind: string, name: string): GatewayError {
  return new GatewayError("resource.not_found", `There is no ${kind} named ${name}.`);
}

/** The `resource.changed` error of a kind and name. */
export function changedMeanwhile(kind: string, name: string): GatewayError {
  return new GatewayError(
    "resource.changed",
    `${kind}/${name} was changed meanwhile. Read it again and apply your change to that.`,
  );
}

/** The team of that name, or undefined. */
export async function findTeam(transaction: CatalogTransaction, name: string): Promise<Resource | undefined> {
  return transaction.resources.find(team.kind, name);
}

/** The issue of a team that does not exist. */
export function noTeam(name: string): FieldIssue {
  return { path: "metadata.team", message: `there is no Team named ${name}` };
}

interface WrittenResource {
  readonly after: Resource;
  readonly before: Resource | undefined;
  readonly found: readonly ResolvedReference[];
}

async function written(write: Write, kind: ResourceKind, { after, before, found }: WrittenResource): Promise<void> {
  const holder = {
    holderType: "resource",
    holderId: after.id,
    holderKind: after.kind,
    holderName: after.name,
  } as const;
  await write.transaction.references.replace(holder, [...found, { toId: after.teamId, path: "metadata.team" }]);
  if (isSupporting(after) || isSupporting(before)) write.artifactsChanged = true;
  if (kind.kind === subscription.kind) await subscriptionWritten(write, after, before);
  if (kind.kind === keyManager.kind) await keyManagerWritten(write, after);
  await askGovernance(write, after);
}

async function fixedFieldIssues(
  transaction: CatalogTransaction,
  before: Resource,
  document: ResourceDocument,
): Promise<readonly FieldIssue[]> {
  const issues: FieldIssue[] = [];
  if (document.name !== before.name) {
    issues.push({ path: "metadata.name", message: `this is ${before.name}; a resource cannot be renamed` });
  }
  if (document.team !== undefined && (await findTeam(transaction, document.team))?.id !== before.teamId) {
    issues.push({ path: "metadata.team", message: "the team is fixed at creation" });
  }
  return issues;
}
