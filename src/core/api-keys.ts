import { newId } from "../kernel/ids.ts";
import { bindApiKey, fixedBindingIssues, resolveApplication, resolveBinding, unbindApiKey } from "./api-key-binding.ts";
import type { NamedApiKey } from "./api-key-names.ts";
import { nameApiKey, nameApiKeys } from "./api-key-names.ts";
import { withoutEnded } from "./api-key-record.ts";
import type { ApiKeySpec } from "./api-key-spec.ts";
import { apiKeyChangeDocumentSchema, apiKeyDocumentSchema } from "./api-key-spec.ts";
import type { ApiKeyRow, Page, PageRequest } from "./catalog.ts";
import {
  auditKey,
  changeKey,
  newCredential,
  refuseLegacy,
  requireKey,
  reviewHolders,
  tellGateways,
} from "./change-api-key.ts";
import type { Actor, CoreContext } from "./core-context.ts";
import { invalid, parseDocument } from "./parse-document.ts";
import { changedMeanwhile, notFound } from "./resource-changes.ts";
import { inWrite } from "./write.ts";

/** A key in the one moment in which its text is known. `key` is to be shown once and kept nowhere. */
export interface GeneratedApiKey {
  readonly row: NamedApiKey;
  readonly key: string;
}

/** Which keys to list: by team id, by the API they are bound to, by the application they are associated with. */
export interface ApiKeyFilter {
  readonly teamId?: string | undefined;
  readonly api?: { readonly kind: string; readonly name: string } | undefined;
  readonly application?: string | undefined;
}

/**
 * Makes a key bound to one API and one environment. Throws `resource.invalid` with the fields at fault and
 * `resource.conflict` when the name is taken.
 */
export async function generateApiKey(context: CoreContext, actor: Actor, input: unknown): Promise<GeneratedApiKey> {
  const { metadata, spec } = parseDocument(apiKeyDocumentSchema, input);
  return inWrite(context, actor, async (write) => {
    refuseLegacy(context, spec.api, spec.application);
    const binding = await resolveBinding(write.transaction, metadata.team, spec);
    const { key, ...credential } = newCredential(context.pepper);
    const id = newId("apiKey");
    const row: ApiKeyRow = {
      id,
      name: metadata.name ?? id.replace("_", "-"),
      displayName: spec.displayName ?? null,
      ...binding,
      ...credential,
      environment: spec.environment,
      expiresAtMs: expiryOf(spec, write.nowMs) ?? null,
      permittedIps: spec.permittedIps,
      permittedReferrers: spec.permittedReferrers,
      allow: spec.allow ?? null,
      budgets: spec.budgets,
      labels: metadata.labels ?? {},
      version: 1,
      createdAtMs: write.nowMs,
      updatedAtMs: write.nowMs,
      revokedAtMs: null,
      lastUsedAtMs: null,
    };
    await write.transaction.apiKeys.insert(row);
    await bindApiKey(write.transaction, row);
    await auditKey(write, "apikey.generated", row);
    await reviewHolders(write, [row]);
    tellGateways(write, row);
    return { row: await nameApiKey(write.transaction, row), key };
  });
}

/**
 * Ends a key for ever; the row stays until it is deleted. A second time changes nothing. Throws `resource.not_found`,
 * and `resource.changed` when it is not at the version that was expected.
 */
export async function revokeApiKey(
  context: CoreContext,
  actor: Actor,
  name: string,
  expectedVersion?: number,
): Promise<NamedApiKey> {
  return inWrite(context, actor, async (write) => {
    const { apiKeys } = write.transaction;
    const before = await requireKey(write.transaction, name);
    if (before.version !== (expectedVersion ?? before.version)) throw changedMeanwhile("ApiKey", name);
    // Told again each time: asking again is what an operator does who doubts that a gateway heard it.
    write.messages.push({ type: "credential.removed", publicId: before.publicId });
    if (before.revokedAtMs !== null) return nameApiKey(write.transaction, before);
    const { previous: _, ...last } = before;
    const row = { ...last, revokedAtMs: write.nowMs, version: before.version + 1, updatedAtMs: write.nowMs };
    if (!(await apiKeys.update(row, before.version))) throw changedMeanwhile("ApiKey", name);
    await auditKey(write, "apikey.revoked", row);
    await reviewHolders(write, [row]);
    return nameApiKey(write.transaction, row);
  });
}

/**
 * Changes a key's bounds: display name, labels, expiry, addresses, referrers, operations, budgets. What is absent stays as it is; null
 * (or an empty list) lifts a bound. Throws as `generateApiKey` does, and `resource.changed`.
 */
export async function updateApiKey(
  context: CoreContext,
  actor: Actor,
  name: string,
  input: unknown,
  expectedVersion: number,
): Promise<NamedApiKey> {
  const { metadata, spec } = parseDocument(apiKeyChangeDocumentSchema, input);
  if (metadata?.name !== undefined && metadata.name !== name) {
    throw invalid([{ path: "metadata.name", message: `this is ${name}; a key cannot be renamed` }]);
  }
  return changeKey(context, actor, { name, expectedVersion, action: "apikey.updated" }, async (write, before) => {
    const issues = [...(await fixedBindingIssues(write.transaction, before, spec))];
    const team =
      metadata?.team === undefined ? undefined : await write.transaction.resources.find("Team", metadata.team);
    if (metadata?.team !== undefined && team?.id !== before.teamId) {
      issues.push({ path: "metadata.team", message: "the team is fixed at creation" });
    }
    if (issues.length > 0) throw invalid(issues);
    // The moment that a reader was shown may come back with another change, also after it has passed.
    const sameExpiry = typeof spec.expiresAt === "string" && Date.parse(spec.expiresAt) === before.expiresAtMs;
    const expiresAtMs = sameExpiry ? before.expiresAtMs : expiryOf(spec, write.nowMs);
    return {
      ...before,
      displayName: spec.displayName === undefined ? before.displayName : spec.displayName,
      expiresAtMs: expiresAtMs === undefined ? before.expiresAtMs : expiresAtMs,
      permittedIps: spec.permittedIps ?? before.permittedIps,
      permittedReferrers: spec.permittedReferrers ?? before.permittedReferrers,
      allow: spec.allow === undefined ? before.allow : spec.allow,
      budgets: spec.budgets ?? before.budgets,
      labels: metadata?.labels ?? before.labels,
    };
  });
}

/** Makes a key count for an application of its team, in place of another. Throws `resource.invalid` for an unknown one. */
export async function associateApiKey(
  context: CoreContext,
  actor: Actor,
  name: string,
  application: string,
  expectedVersion?: number,
): Promise<NamedApiKey> {
  return changeKey(context, actor, { name, expectedVersion, action: "apikey.associated" }, async (write, before) => ({
    ...before,
    applicationId: await resolveApplication(write.transaction, before, application),
  }));
}

/** Ends a key's association with its application. */
export async function dissociateApiKey(
  context: CoreContext,
  actor: Actor,
  name: string,
  expectedVersion?: number,
): Promise<NamedApiKey> {
  return changeKey(context, actor, { name, expectedVersion, action: "apikey.dissociated" }, (_write, before) => {
    if (before.apiId !== null) return { ...before, applicationId: null };
    throw invalid([{ path: "spec.application", message: "the key is the application's: revoke it instead" }]);
  });
}

/** Deletes a key, revoked or not; it is dead at once. Throws `resource.not_found` and `resource.changed`. */
export async function deleteApiKey(
  context: CoreContext,
  actor: Actor,
  name: string,
  expectedVersion: number,
): Promise<void> {
  await inWrite(context, actor, async (write) => {
    const row = await requireKey(write.transaction, name);
    await unbindApiKey(write.transaction, row);
    if (!(await write.transaction.apiKeys.delete(row.id, expectedVersion))) throw changedMeanwhile("ApiKey", name);
    await auditKey(write, "apikey.deleted", row);
    await reviewHolders(write, [row]);
    write.messages.push({ type: "credential.removed", publicId: row.publicId });
  });
}

/** The key of that name. Throws `resource.not_found`. Show it only through `apiKeyView`. */
export async function getApiKey(context: CoreContext, name: string): Promise<NamedApiKey> {
  const row = await requireKey(context.catalog.read, name);
  return nameApiKey(context.catalog.read, withoutEnded(row, context.clock.now()));
}

/** Keys in the order of creation. Throws `resource.not_found` for an API or application that does not exist. */
export async function listApiKeys(
  context: CoreContext,
  filter: ApiKeyFilter,
  page: PageRequest,
): Promise<Page<NamedApiKey>> {
  const { read } = context.catalog;
  const idOf = async (kind: string, name: string): Promise<string> => {
    const resource = await read.resources.find(kind, name);
    if (resource === undefined) throw notFound(kind, name);
    return resource.id;
  };
  const { teamId, api, application } = filter;
  const { rows, next } = await read.apiKeys.list(
    {
      ...(teamId === undefined ? {} : { teamId }),
      ...(api === undefined ? {} : { apiId: await idOf(api.kind, api.name) }),
      ...(application === undefined ? {} : { applicationId: await idOf("Application", application) }),
    },
    page,
  );
  const nowMs = context.clock.now();
  const shown = rows.map((row) => withoutEnded(row, nowMs));
  return { rows: await nameApiKeys(read, shown), next };
}

/** Null is never; undefined is that nothing was said. Throws `resource.invalid` for a moment that has passed. */
function expiryOf(spec: Pick<ApiKeySpec, "validitySeconds" | "expiresAt">, nowMs: number): number | null | undefined {
  if (spec.validitySeconds !== undefined) {
    return spec.validitySeconds === -1 ? null : nowMs + spec.validitySeconds * 1_000;
  }
  if (spec.expiresAt === undefined || spec.expiresAt === null) return spec.expiresAt;
  const expiresAtMs = Date.parse(spec.expiresAt);
  if (expiresAtMs <= nowMs) throw invalid([{ path: "spec.expiresAt", message: "this moment has passed" }]);
  return expiresAtMs;
}
