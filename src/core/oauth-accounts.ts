import type { CatalogTransaction } from "./catalog.ts";
import type { UserRow } from "./identity-tables.ts";
import { keyManager, residentName } from "./key-manager.ts";

/**
 * Ends what somebody is logged in with at the resident key manager: sessions, consents, codes and refresh tokens. Access
 * tokens that are out already are for `revoke` to end.
 */
export async function endOauthState(transaction: CatalogTransaction, { id }: Pick<UserRow, "id">): Promise<void> {
  await transaction.oauthState.deleteByAccount(id);
}

/**
 * Whether something of an account that began at `sinceSeconds` may not be stored any more: the account is gone or
 * disabled, or everything of it was revoked since. A request that was under way at that moment would bring it back.
 */
export async function isEndedState(
  transaction: CatalogTransaction,
  accountId: string,
  sinceSeconds: number,
): Promise<boolean> {
  const user = await transaction.users.findById(accountId);
  if (user === undefined || user.disabled) return true;
  const managers = await transaction.resources.all(keyManager.kind);
  const resident = managers.find(({ name }) => name === residentName);
  const revoked = resident && (await transaction.revocations.find("subject", resident.id, accountId));
  // Moments of state are whole seconds: what began in the very second of the revocation may be the log-in after it.
  return revoked !== undefined && sinceSeconds < Math.floor(revoked.beforeMs / 1_000);
}
