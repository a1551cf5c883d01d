import { randomBytes } from "node:crypto";
import type { FieldIssue } from "../kernel/errors.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { Id } from "../kernel/ids.ts";
import { newId } from "../kernel/ids.ts";
import type { AuditAction } from "./audit-actions.ts";
import { auditChanges } from "./audit-changes.ts";
import type { CatalogTransaction } from "./catalog.ts";
import type { GeneratedClientSecret } from "./client-secrets.ts";
import { insertClientSecret } from "./client-secrets.ts";
import { requireClientTrust } from "./client-trust.ts";
import type { Actor, CoreContext } from "./core-context.ts";
import type { OauthClientRow } from "./identity-tables.ts";
import { keyManager } from "./key-manager.ts";
import type { RemoteClient } from "./key-manager-connector.ts";
import type { ClientAddress } from "./oauth-client-address.ts";
import { requireApplication, requireClient } from "./oauth-client-address.ts";
import { endClient, requireEverybody } from "./oauth-client-end.ts";
import type { NamedOauthClient } from "./oauth-client-names.ts";
import { nameOauthClient, nameOauthClients } from "./oauth-client-names.ts";
import { clientRecord } from "./oauth-client-record.ts";
import { createRemoteClient, deleteRemoteClient, isResident, updateRemoteClient } from "./oauth-client-remote.ts";
import type { OauthClientSpec } from "./oauth-client-spec.ts";
import { clientMetadata, oauthClientChangeDocumentSchema, oauthClientDocumentSchema } from "./oauth-client-spec.ts";
import type { Page, PageRequest } from "./page.ts";
import { invalid, parseDocument } from "./parse-document.ts";
import type { Resource } from "./resource.ts";
import { changedMeanwhile } from "./resource-changes.ts";
import type { Write } from "./write.ts";
import { audit, inWrite } from "./write.ts";

/** A client in the one moment in which the text of its first secret is known. A public client has none. */
export interface CreatedOauthClient {
  readonly row: NamedOauthClient;
  readonly secret: GeneratedClientSecret | undefined;
}

/**
 * Makes a client of an application: here, at the key manager elsewhere, or as the note of one that is there already.
 * Throws `resource.not_found` for the application, `resource.invalid` with the fields at fault, `resource.conflict` for
 * a name or client id that is taken, `auth.forbidden` without the right to a client that reaches beyond its team, and
 * `upstream.…` when the key manager elsewhere does not make it.
 */
export async function createOauthClient(
  context: CoreContext,
  actor: Actor,
  applicationName: string,
  input: unknown,
): Promise<CreatedOauthClient> {
  const { metadata, spec, secret } = parseDocument(oauthClientDocumentSchema, input);
  const owner = await requireApplication(context.catalog.read, applicationName);
  requireClientTrust(actor, spec);
  const issuer = await requireKeyManager(context, spec);
  await refuseTakenName(context.catalog.read, owner, metadata.name);
  const id = newId("oauthClient");
  const name = metadata.name ?? id.replace("_", "-");
  const isMadeThere = !isResident(issuer) && spec.clientId === undefined;
  const subject = { name, environment: spec.environment, metadata: clientMetadata(spec) };
  const remote = isMadeThere ? await createRemoteClient(context, issuer, subject) : undefined;
  const draft = {
    ...subject,
    id,
    clientId: remote?.clientId ?? spec.clientId ?? randomBytes(15).toString("hex"),
    keyManagerId: issuer.id as Id<"keyManager">, // found by kind
    applicationId: owner.id as Id<"application">, // found by kind
    teamId: owner.teamId,
    metadata: isMadeThere ? { ...subject.metadata, madeAtKeyManager: true } : subject.metadata,
    source: "admin",
    disabled: false,
    version: 1,
  } as const;
  try {
    return await inWrite(context, actor, async (write) => {
      const row: OauthClientRow = { ...draft, createdAtMs: write.nowMs, updatedAtMs: write.nowMs };
      await insertClient(write, row);
      const hasSecret = isResident(issuer) && row.metadata.tokenEndpointAuthMethod !== "none";
      const generated = hasSecret ? await insertClientSecret(write, row, secret ?? {}) : remoteSecret(remote);
      return { row: await nameOauthClient(write.transaction, row), secret: generated };
    });
  } catch (error) {
    // It is in nobody's list here, so nobody would ever delete it there.
    if (remote !== undefined) await deleteRemoteClient(context, issuer, { ...draft, createdAtMs: 0, updatedAtMs: 0 });
    throw error;
  }
}

/**
 * Stores a client within a write, tells the gateways and audits it. For clients that come by another way than an
 * administrator's (registration, metadata documents) too. Throws `resource.conflict`.
 */
export async function insertClient(write: Write, row: OauthClientRow): Promise<void> {
  const { transaction } = write;
  if (row.applicationId !== null) {
    if ((await transaction.resources.findById(row.applicationId)) === undefined) {
      throw new GatewayError("resource.not_found", "The application was deleted meanwhile.");
    }
    if ((await transaction.oauthClients.findOf(row.applicationId, row.clientId)) !== undefined) {
      throw new GatewayError("resource.conflict", `The application has a client with the id ${row.clientId} already.`);
    }
  }
  await transaction.oauthClients.insert(row);
  await bindClient(write, row);
  await auditClient(write, "oauthclient.created", row);
  write.messages.push({ type: "client.put", record: clientRecord(row) });
}

/** The client. Throws `resource.not_found`. */
export async function getOauthClient(context: CoreContext, address: ClientAddress): Promise<NamedOauthClient> {
  const { read } = context.catalog;
  return nameOauthClient(read, await requireClient(read, address));
}

/** The clients of an application in the order of creation. Throws `resource.not_found` for the application. */
export async function listOauthClients(
  context: CoreContext,
  applicationName: string,
  page: PageRequest,
): Promise<Page<NamedOauthClient>> {
  const { read } = context.catalog;
  const { id } = await requireApplication(read, applicationName);
  const { rows, next } = await read.oauthClients.list({ applicationId: id }, page);
  return { rows: await nameOauthClients(read, rows), next };
}

/**
 * Replaces what may be changed of a client; its id, key manager and environment are fixed. At a key manager elsewhere it
 * is changed first. Throws `resource.not_found`, `resource.invalid`, `resource.changed` and `upstream.…`.
 */
export async function replaceOauthClient(
  context: CoreContext,
  actor: Actor,
  address: ClientAddress,
  input: unknown,
  expectedVersion: number,
): Promise<NamedOauthClient> {
  const { metadata, spec } = parseDocument(oauthClientChangeDocumentSchema, input);
  const { read } = context.catalog;
  const before = await getOauthClient(context, address);
  if (before.version !== expectedVersion) throw changedMeanwhile("OauthClient", before.name);
  const issues = fixedIssues(before, spec, metadata?.application);
  if (issues.length > 0) throw invalid(issues);
  requireClientTrust(actor, spec, before.metadata.grantTypes);
  const { madeAtKeyManager } = before.metadata;
  const { keyManager: _, application: __, team: ___, ...stored } = before;
  const after: OauthClientRow = {
    ...stored,
    name: metadata?.name ?? before.name,
    metadata: { ...clientMetadata(spec), ...(madeAtKeyManager === undefined ? {} : { madeAtKeyManager }) },
    version: before.version + 1,
  };
  const issuer = await read.resources.findById(before.keyManagerId);
  if (issuer !== undefined) await updateRemoteClient(context, issuer, after);
  return inWrite(context, actor, async (write) => {
    const row = { ...after, updatedAtMs: write.nowMs };
    if (!(await write.transaction.oauthClients.update(row, expectedVersion))) {
      throw changedMeanwhile("OauthClient", before.name);
    }
    await bindClient(write, row);
    await auditClient(write, "oauthclient.updated", row, before);
    write.messages.push({ type: "client.put", record: clientRecord(row) });
    return nameOauthClient(write.transaction, row);
  });
}

/**
 * Deletes a client with its secrets; gateways refuse its tokens from then on. At a key manager elsewhere it is deleted
 * after. Throws `resource.not_found`, `resource.changed`, and `upstream.…` when it is gone here only.
 */
export async function deleteOauthClient(
  context: CoreContext,
  actor: Actor,
  address: ClientAddress,
  expectedVersion: number,
): Promise<void> {
  const row = await inWrite(context, actor, async (write) => {
    const found = await requireClient(write.transaction, address);
    requireEverybody(actor, found);
    if (!(await write.transaction.oauthClients.delete(found.id, expectedVersion))) {
      throw changedMeanwhile("OauthClient", found.name);
    }
    await auditClient(write, "oauthclient.deleted", found);
    const { keyManagerId, clientId } = found;
    write.messages.push({ type: "client.removed", keyManagerId, clientId });
    await endClient(write, found);
    return found;
  });
  const issuer = await context.catalog.read.resources.findById(row.keyManagerId);
  if (issuer !== undefined) await deleteRemoteClient(context, issuer, row);
}

/** Remembers what the client belongs to, so that none of it can be deleted under it. */
export async function bindClient(write: Write, row: OauthClientRow): Promise<void> {
  await write.transaction.references.replace(
    { holderType: "oauthClient", holderId: row.id, holderKind: "OauthClient", holderName: row.name },
    [
      ...(row.applicationId === null ? [] : [{ toId: row.applicationId, path: "metadata.application" }]),
      { toId: row.keyManagerId, path: "spec.keyManager" },
      { toId: row.teamId, path: "metadata.team" },
    ],
  );
}

async function requireKeyManager({ catalog }: CoreContext, spec: OauthClientSpec): Promise<Resource> {
  const found = await catalog.read.resources.find(keyManager.kind, spec.keyManager);
  if (found === undefined) {
    throw invalid([{ path: "spec.keyManager", message: `there is no KeyManager named ${spec.keyManager}` }]);
  }
  if (!keyManager.spec.parse(found.spec).enabled) {
    throw invalid([{ path: "spec.keyManager", message: `KeyManager/${spec.keyManager} is not enabled` }]);
  }
  if (isResident(found) && spec.clientId !== undefined) {
    throw invalid([{ path: "spec.clientId", message: "the resident key manager makes the ids of its clients" }]);
  }
  return found;
}

// Before anything is made elsewhere; the database refuses what slips through between here and there.
async function refuseTakenName(read: CatalogTransaction, owner: Resource, name: string | undefined): Promise<void> {
  if (name === undefined) return;
  let cursor: string | undefined;
  do {
    const page = await read.oauthClients.list({ applicationId: owner.id }, { limit: 200, cursor });
    if (page.rows.some((row) => row.name === name)) {
      throw new GatewayError(
        "resource.conflict",
        `Application/${owner.name} has an OAuth client called ${name} already.`,
      );
    }
    cursor = page.next;
  } while (cursor !== undefined);
}

function fixedIssues(
  before: NamedOauthClient,
  spec: {
    readonly environment?: string | undefined;
    readonly keyManager?: string | undefined;
    readonly clientId?: string | undefined;
  },
  applicationName: string | undefined,
): readonly FieldIssue[] {
  const fixed = [
    ["spec.environment", spec.environment, before.environment],
    ["spec.keyManager", spec.keyManager, before.keyManager],
    ["spec.clientId", spec.clientId, before.clientId],
    ["metadata.application", applicationName, before.application],
  ] as const;
  return fixed.flatMap(([path, said, is]) =>
    said === undefined || said === is ? [] : [{ path, message: "fixed at creation: make another client" }],
  );
}

function remoteSecret(remote: RemoteClient | undefined): GeneratedClientSecret | undefined {
  if (remote?.clientSecret === undefined) return undefined;
  return { row: undefined, secretValue: remote.clientSecret };
}

/** Audits a write to a client, with what has changed where it was there before. */
export async function auditClient(
  write: Write,
  action: AuditAction,
  row: OauthClientRow,
  before?: OauthClientRow,
): Promise<void> {
  const { id, name, teamId, version, clientId, applicationId, keyManagerId, environment, source } = row;
  await audit(
    write,
    action,
    { kind: "OauthClient", id, name, teamId },
    {
      version,
      clientId,
      applicationId,
      keyManagerId,
      environment,
      source,
      ...(before && auditChanges(changeable(before), changeable(row))),
    },
  );
}

function changeable({ name, applicationId, teamId, disabled, metadata }: OauthClientRow): object {
  return { name, applicationId, teamId, disabled, ...metadata };
}
