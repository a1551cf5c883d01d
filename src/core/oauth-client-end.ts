import type { Actor } from "./core-context.ts";
import type { OauthClientRow } from "./identity-tables.ts";
import { isResident } from "./oauth-client-remote.ts";
import { revoke } from "./revocations.ts";
import { holds, lacks, rightsOf } from "./rights.ts";
import type { Write } from "./write.ts";

/**
 * Ends what a client has: its access tokens at every gateway and, at the resident key manager, consents, codes and refresh
 * tokens.
 */
export async function endClient(write: Write, { clientId, keyManagerId }: OauthClientRow): Promise<void> {
  const { resources, oauthState } = write.transaction;
  await revoke(write, { type: "client", id: clientId, keyManagerId });
  const issuer = await resources.findById(keyManagerId);
  if (issuer !== undefined && isResident(issuer)) await oauthState.deleteByClient(clientId);
}

/**
 * A client that registered itself and was given to nobody is everybody's: what becomes of it decides who may do so in the
 * whole installation, and not a member of the team under which it is listed. Throws `auth.forbidden`.
 */
export function requireEverybody(actor: Actor, { source, applicationId }: OauthClientRow): void {
  if (source === "admin" || applicationId !== null) return;
  if (!holds(rightsOf(actor), "oauth-clients:write")) throw lacks("oauth-clients:write");
}
