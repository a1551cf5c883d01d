import { equalInConstantTime } from "../kernel/crypto.ts";
import { hashClientSecret, parseClientSecret } from "./client-secret-format.ts";
import type { CoreContext } from "./core-context.ts";
import type { OauthClientRow, OauthClientSecretRow } from "./identity-tables.ts";
import { keyManager, residentName } from "./key-manager.ts";

/** A client that has shown one of its secrets. The id goes into the token, so that it can be told which one was used. */
export interface AuthenticatedClient {
  readonly client: OauthClientRow;
  readonly secretId: OauthClientSecretRow["id"];
}

/**
 * The resident key manager's client whose live secret this is, whichever of its secrets; undefined in every other
 * case. Takes the same time whether the client is unknown, the secret is another client's, wrong, expired or revoked.
 * Notes the secret's use.
 */
export async function authenticateClient(
  context: CoreContext,
  clientId: string,
  secretValue: string,
): Promise<AuthenticatedClient | undefined> {
  const { read } = context.catalog;
  const nowMs = context.clock.now();
  const client = await findResidentClient(context, clientId);
  const secret = await read.oauthClients.secrets.findByPublicId(parseClientSecret(secretValue) ?? "");
  const hash = hashClientSecret(context.pepper, secretValue);
  const isRight = equalInConstantTime(hash, Buffer.from(secret?.hash ?? noHash, "hex"));
  if (client === undefined || client.disabled || secret === undefined || !isRight) return undefined;
  if (client.metadata.tokenEndpointAuthMethod === "none") return undefined; // public now, whatever it had before
  if (secret.clientRowId !== client.id || secret.pepperId !== context.pepper.id) return undefined;
  if (!isLiveSecret(secret, nowMs)) return undefined;
  context.secretUses?.note(secret.id, nowMs);
  return { client, secretId: secret.id };
}

/** The resident key manager's client of that `client_id`, or undefined. */
export async function findResidentClient(context: CoreContext, clientId: string): Promise<OauthClientRow | undefined> {
  const { read } = context.catalog;
  const resident = await read.resources.find(keyManager.kind, residentName);
  return resident && read.oauthClients.find(resident.id, clientId);
}

/** True when a secret is neither revoked nor expired. */
export function isLiveSecret(
  { revokedAtMs, expiresAtMs }: Pick<OauthClientSecretRow, "revokedAtMs" | "expiresAtMs">,
  nowMs: number,
): boolean {
  return revokedAtMs === null && (expiresAtMs === null || expiresAtMs > nowMs);
}

const noHash = "00".repeat(32);
