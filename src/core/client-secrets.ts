import { GatewayError } from "../kernel/errors.ts";
import { newId } from "../kernel/ids.ts";
import type { AuditAction } from "./audit-actions.ts";
import { isLiveSecret } from "./authenticate-client.ts";
import { hashClientSecret, makeClientSecret, maskClientSecret } from "./client-secret-format.ts";
import type { Actor, CoreContext } from "./core-context.ts";
import type { OauthClientRow, OauthClientSecretRow } from "./identity-tables.ts";
import type { ClientAddress } from "./oauth-client-address.ts";
import { requireClient } from "./oauth-client-address.ts";
import { isResident, rotateRemoteSecret } from "./oauth-client-remote.ts";
import type { ClientSecretInput } from "./oauth-client-spec.ts";
import { clientSecretSchema } from "./oauth-client-spec.ts";
import { defaultOauthSettings } from "./oauth-settings.ts";
import { parseDocument } from "./parse-document.ts";
import { revoke } from "./revocations.ts";
import type { Write } from "./write.ts";
import { audit, inWrite } from "./write.ts";

/** A secret in the one moment in which its text is known. A key manager elsewhere keeps its own: no row then. */
export interface GeneratedClientSecret {
  readonly row: OauthClientSecretRow | undefined;
  /** To be shown once and kept nowhere. */
  readonly secretValue: string;
}

/** Secrets that are over and that a client's list still shows. */
const endedShown = 20;

/**
 * Gives a client another secret. The ones before go on, unless `overlapSeconds` says until when or the installation has
 * one secret a client. Throws `resource.not_found`, `resource.invalid` (also for a public client), and
 * `resource.conflict` when the client has as many as it may have.
 */
export async function generateClientSecret(
  context: CoreContext,
  actor: Actor,
  address: ClientAddress,
  input: unknown,
): Promise<GeneratedClientSecret> {
  const wanted = parseDocument(clientSecretSchema, input);
  const client = await requireClient(context.catalog.read, address);
  const issuer = await context.catalog.read.resources.findById(client.keyManagerId);
  if (issuer !== undefined && !isResident(issuer)) {
    const { clientSecret } = await rotateRemoteSecret(context, issuer, client);
    await inWrite(context, actor, (write) => auditSecret(write, "oauthclient.secret-generated", client, undefined));
    if (clientSecret !== undefined) return { row: undefined, secretValue: clientSecret };
    throw new GatewayError("upstream.invalid", `KeyManager/${issuer.name} gave the client no secret.`);
  }
  return inWrite(context, actor, async (write) =>
    insertClientSecret(write, await requireClient(write.transaction, address), wanted),
  );
}

/** Gives a client a secret within a write; as `generateClientSecret`. */
export async function insertClientSecret(
  write: Write,
  client: OauthClientRow,
  wanted: ClientSecretInput,
): Promise<GeneratedClientSecret> {
  if (client.metadata.tokenEndpointAuthMethod === "none") {
    throw new GatewayError("resource.invalid", `The client ${client.name} is public: it has no secrets.`);
  }
  const { context, transaction, nowMs } = write;
  await makeRoom(write, client, wanted);
  const { secretValue, publicId } = makeClientSecret();
  const row: OauthClientSecretRow = {
    id: newId("oauthClientSecret"),
    clientRowId: client.id,
    publicId,
    description: wanted.description ?? null,
    hash: hashClientSecret(context.pepper, secretValue).toString("hex"),
    pepperId: context.pepper.id,
    createdAtMs: nowMs,
    expiresAtMs: wanted.expiresInSeconds === undefined ? null : nowMs + wanted.expiresInSeconds * 1_000,
    revokedAtMs: null,
    lastUsedAtMs: null,
  };
  await transaction.oauthClients.secrets.insert(row);
  await auditSecret(write, "oauthclient.secret-generated", client, row.id);
  return { row, secretValue };
}

/** A client's secrets, oldest first, with those that ended last. Show them only through `clientSecretView`. */
export async function listClientSecrets(
  context: CoreContext,
  address: ClientAddress,
): Promise<readonly OauthClientSecretRow[]> {
  const { read } = context.catalog;
  return read.oauthClients.secrets.of((await requireClient(read, address)).id);
}

export interface RevokeSecretOptions {
  /** Also of the newest secret that works, without which the client gets no more tokens. */
  readonly force?: boolean | undefined;
  /** Also the tokens that were got with it; they live on otherwise, until they expire. */
  readonly revokeTokens?: boolean | undefined;
}

/**
 * Ends a secret at once; a second time changes nothing. Throws `resource.not_found`, and `resource.in_use` for the
 * newest one that works, unless forced.
 */
export async function revokeClientSecret(
  context: CoreContext,
  actor: Actor,
  address: ClientAddress,
  secretId: string,
  { force = false, revokeTokens = false }: RevokeSecretOptions = {},
): Promise<void> {
  await inWrite(context, actor, async (write) => {
    const client = await requireClient(write.transaction, address);
    const all = await write.transaction.oauthClients.secrets.of(client.id);
    const secret = all.find(({ id }) => id === secretId);
    if (secret === undefined) {
      throw new GatewayError("resource.not_found", `The client ${client.name} has no secret with this id.`);
    }
    const newest = all.findLast((row) => isLiveSecret(row, write.nowMs));
    if (newest?.id === secret.id && !force) {
      throw new GatewayError(
        "resource.in_use",
        "This is the newest secret that works: without it the client may get no more tokens. Generate another first, or say force=true.",
      );
    }
    if (secret.revokedAtMs === null) await endSecret(write, client, { ...secret, revokedAtMs: write.nowMs });
    if (!revokeTokens) return;
    await revoke(write, { type: "secret", id: secret.id, keyManagerId: client.keyManagerId });
    await auditSecret(write, "oauthclient.secret-tokens-revoked", client, secret.id);
  });
}

/** A secret as it may be shown: masked. */
export function clientSecretView(row: OauthClientSecretRow, nowMs: number) {
  return {
    secretId: row.id as string,
    masked: maskClientSecret(row.publicId),
    description: row.description,
    state: stateOf(row, nowMs),
    createdAt: isoTime(row.createdAtMs),
    expiresAt: row.expiresAtMs === null ? null : isoTime(row.expiresAtMs),
    revokedAt: row.revokedAtMs === null ? null : isoTime(row.revokedAtMs),
    lastUsedAt: row.lastUsedAtMs === null ? null : isoTime(row.lastUsedAtMs),
  };
}

/** Ends what the new secret takes the place of, refuses one too many, and forgets what ended long ago. */
async function makeRoom(write: Write, client: OauthClientRow, { overlapSeconds }: ClientSecretInput): Promise<void> {
  const { context, transaction, nowMs } = write;
  const { secretCount, multipleSecrets } = context.oauth ?? defaultOauthSettings;
  const all = await transaction.oauthClients.secrets.of(client.id);
  const live = all.filter((row) => isLiveSecret(row, nowMs));
  const overlapMs = overlapSeconds === undefined ? undefined : overlapSeconds * 1_000;
  if (overlapMs === undefined && multipleSecrets) {
    if (secretCount !== undefined && live.length >= secretCount) {
      const message = `The client ${client.name} has ${live.length} secrets, as many as it may have. Delete one first, or rotate with overlapSeconds.`;
      throw new GatewayError("resource.conflict", message);
    }
  } else {
    const endsAtMs = nowMs + (overlapMs ?? 0);
    // However often it is rotated within the window, no more old ones go on than a client may have.
    const going = overlapMs === undefined || overlapMs === 0 ? [] : live.slice(-(secretCount ?? live.length));
    for (const row of live) {
      if (!going.includes(row)) await endSecret(write, client, { ...row, revokedAtMs: nowMs });
      else if (row.expiresAtMs === null || row.expiresAtMs > endsAtMs) {
        await endSecret(write, client, { ...row, expiresAtMs: endsAtMs });
      }
    }
  }
  const ended = all.filter((row) => !live.includes(row));
  for (const { id } of ended.slice(0, -endedShown)) await transaction.oauthClients.secrets.delete(id);
}

async function endSecret(write: Write, client: OauthClientRow, row: OauthClientSecretRow): Promise<void> {
  await write.transaction.oauthClients.secrets.update(row);
  const action = row.revokedAtMs === null ? "oauthclient.secret-ending" : "oauthclient.secret-revoked";
  await auditSecret(write, action, client, row.id);
}

async function auditSecret(
  write: Write,
  action: AuditAction,
  client: OauthClientRow,
  secretId: string | undefined,
): Promise<void> {
  const { id, name, teamId, clientId } = client;
  const detail = { clientId, ...(secretId === undefined ? { at: "the key manager" } : { secretId }) };
  await audit(write, action, { kind: "OauthClient", id, name, teamId }, detail);
}

function stateOf(row: OauthClientSecretRow, nowMs: number): "active" | "expired" | "revoked" {
  if (row.revokedAtMs !== null) return "revoked";
  return isLiveSecret(row, nowMs) ? "active" : "expired";
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
