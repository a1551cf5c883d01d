import { settleArtifacts } from "./artifact-set.ts";
import type { Page, PageRequest } from "./catalog.ts";
import { checkDocument } from "./check-document.ts";
import type { Actor, CoreContext } from "./core-context.ts";
import type { Resource, ResourceKind } from "./resource.ts";
import {
  changedMeanwhile,
  changeResource,
  insertResource,
  removeResource,
  requireResource,
} from "./resource-changes.ts";
import { parseResourceDocument } from "./resource-document.ts";
import type { Write } from "./write.ts";
import { inWrite } from "./write.ts";

/**
 * Creates a resource from a document. Live at once or as a draft, by its kind.
 *
 * Throws `resource.invalid` with the fields at fault (unknown references and what would not compile included) and
 * `resource.conflict` when the name is taken.
 */
export async function createResource(
  context: CoreContext,
  actor: Actor,
  kind: ResourceKind,
  input: unknown,
): Promise<Resource> {
  const document = parseResourceDocument(context, kind, input);
  await checkDocument(context, kind, document);
  return inWrite(context, actor, async (write) => {
    const resource = await insertResource(write, kind, document);
    await settle(write, resource);
    return resource;
  });
}

/**
 * Replaces a resource's spec and labels. Throws as `createResource` does, `resource.not_found`, and
 * `resource.changed` when its version is not `expectedVersion`.
 */
export async function replaceResource(
  context: CoreContext,
  actor: Actor,
  kind: ResourceKind,
  name: string,
  input: unknown,
  expectedVersion: number,
): Promise<Resource> {
  const document = parseResourceDocument(context, kind, input);
  await checkDocument(context, kind, document);
  return inWrite(context, actor, async (write) => {
    const before = await requireVersion(write, kind, name, expectedVersion);
    const after = await changeResource(write, kind, before, document);
    await settle(write, after);
    return after;
  });
}

/**
 * Deletes a resource that nothing refers to. Throws `resource.in_use` with the holders in message and issues,
 * `resource.not_found`, and `resource.changed` when its version is not `expectedVersion`.
 */
export async function deleteResource(
  context: CoreContext,
  actor: Actor,
  kind: ResourceKind,
  name: string,
  expectedVersion: number,
): Promise<void> {
  await inWrite(context, actor, async (write) => {
    const resource = await requireVersion(write, kind, name, expectedVersion);
    await removeResource(write, kind, resource);
    await settle(write, resource);
  });
}

/** The resource of that name. Throws `resource.not_found`. */
export async function getResource(context: CoreContext, kind: ResourceKind, name: string): Promise<Resource> {
  return requireResource(context.catalog.read, kind, name);
}

/** Resources of a kind in the order of creation, of one team or of all. */
export async function listResources(
  context: CoreContext,
  kind: ResourceKind,
  filter: { readonly teamId?: string },
  page: PageRequest,
): Promise<Page<Resource>> {
  return context.catalog.read.resources.list({ ...filter, kind: kind.kind }, page);
}

async function requireVersion(
  write: Write,
  kind: ResourceKind,
  name: string,
  expectedVersion: number,
): Promise<Resource> {
  const resource = await requireResource(write.transaction, kind, name);
  if (resource.version !== expectedVersion) throw changedMeanwhile(kind.kind, name);
  return resource;
}

async function settle(write: Write, subject: Resource): Promise<void> {
  if (write.artifactsChanged) await settleArtifacts(write, "resource.invalid", subject);
}
