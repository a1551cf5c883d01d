import type { FieldIssue } from "../kernel/errors.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { CatalogTransaction } from "./catalog.ts";
import type { Actor } from "./core-context.ts";
import type { TeamRoles, UserRow } from "./identity-tables.ts";
import { invalid } from "./parse-document.ts";
import { findTeam } from "./resource-changes.ts";
import type { Rights } from "./rights.ts";
import { covers, rightsOf, rightsOfRoles } from "./rights.ts";
import type { Role } from "./roles.ts";
import type { Write } from "./write.ts";

/** Roles as a document has them: the team of each by its name. */
export interface NamedTeamRoles {
  readonly team: string;
  readonly roles: readonly Role[];
}

/** Roles for teams, their teams by id. Throws `resource.invalid` for a team that is not there or comes twice. */
export async function resolveTeamRoles(
  transaction: CatalogTransaction,
  named: readonly NamedTeamRoles[],
): Promise<readonly TeamRoles[]> {
  const issues: FieldIssue[] = [];
  const found: TeamRoles[] = [];
  for (const [at, { team, roles }] of named.entries()) {
    const path = `spec.teams[${at}].team`;
    const row = await findTeam(transaction, team);
    if (row === undefined) issues.push({ path, message: `there is no Team named ${team}` });
    else if (found.some(({ teamId }) => teamId === row.id)) issues.push({ path, message: `${team} is here twice` });
    else found.push({ teamId: row.id, roles: [...new Set(roles)] });
  }
  if (issues.length > 0) throw invalid(issues);
  return found;
}

/**
 * Refuses to touch a user, or to make one of them, who may do more than the actor: whoever could would be that user
 * next. Throws `auth.forbidden`.
 */
export function requireCover(actor: Actor, users: readonly Pick<UserRow, "roles" | "teams">[]): void {
  const held = rightsOf(actor);
  if (users.every((user) => covers(held, rightsOfRoles(user)))) return;
  throw new GatewayError("auth.forbidden", "This would be more than you may do yourself: nobody gives what they lack.");
}

/** Throws `auth.forbidden` when an actor does not have what they are about to pass on. */
export function requireHeld(actor: Actor, wanted: Rights): void {
  if (covers(rightsOf(actor), wanted)) return;
  throw new GatewayError("auth.forbidden", "These permissions are more than you have yourself.");
}

/** Throws `resource.in_use` when the change would leave no user who is an admin and can be one. */
export async function keepAnAdmin(write: Write, before: UserRow, after: UserRow | undefined): Promise<void> {
  if (!isAdmin(before) || (after !== undefined && isAdmin(after))) return;
  const admins = await write.transaction.users.admins(2);
  if (admins.some(({ id }) => id !== before.id)) return;
  throw new GatewayError("resource.in_use", `User/${before.name} is the last admin. Make another user an admin first.`);
}

function isAdmin({ disabled, roles }: UserRow): boolean {
  return !disabled && roles.includes("admin");
}
