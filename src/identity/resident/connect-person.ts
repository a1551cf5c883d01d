import type { Actor, CoreContext } from "../../core/core-context.ts";
import type { UserRow } from "../../core/identity-tables.ts";
import { holds, rightsOfUser } from "../../core/rights.ts";
import type { CredentialHolder } from "../../core/upstream-tables.ts";

/** The person at the page, as far as the consent is theirs to give. */
export interface ConnectPerson {
  readonly actor: Actor;
  readonly name: string;
  /** The application for which they consent; undefined where it is for themselves. */
  readonly application: string | undefined;
}

/**
 * Whether a user may consent for a holder: only for themselves, and for applications that they may change. Undefined for
 * everybody else: a link that was made for one person must connect nobody else's account.
 */
export async function personFor(
  { catalog }: CoreContext,
  user: UserRow,
  holder: CredentialHolder,
  residentId: string,
): Promise<ConnectPerson | undefined> {
  const rights = rightsOfUser(user);
  const actor: Actor = { type: "user", id: user.id, rights };
  const name = user.displayName ?? user.name;
  if (holder.type === "user") {
    const isSelf = holder.keyManagerId === residentId && holder.subject === user.id;
    return isSelf ? { actor, name, application: undefined } : undefined;
  }
  const application = await catalog.read.resources.findById(holder.applicationId);
  if (application?.kind !== "Application" || !holds(rights, "applications:write", application.teamId)) return undefined;
  return { actor, name, application: application.name };
}
