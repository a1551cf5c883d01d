import { createHash } from "node:crypto";
import { GatewayError } from "../kernel/errors.ts";
import { newId } from "../kernel/ids.ts";
import { auditChanges } from "./audit-changes.ts";
import type { Actor, CoreContext } from "./core-context.ts";
import type { TeamRoles, UserRow } from "./identity-tables.ts";
import { findTeam } from "./resource-changes.ts";
import type { Role } from "./roles.ts";
import type { SsoSettings } from "./sign-in-settings.ts";
import type { Write } from "./write.ts";
import { audit, inWrite } from "./write.ts";

/** Somebody whom a key manager has vouched for. */
export interface SsoPerson {
  readonly issuer: string;
  readonly subject: string;
  readonly name: string | undefined;
  readonly displayName: string | undefined;
  readonly email: string | undefined;
  /** Values of the claim that gives roles. */
  readonly values: readonly string[];
}

/**
 * The user who signs in with a key manager. Known by issuer and subject, never by name or e-mail address, which others
 * may give themselves; with the resident key manager the subject is the user's id. Where the settings give roles by
 * claims, the user has exactly those from then on. Throws `auth.forbidden` for who is not known and may not be made, is
 * disabled, or has no role left.
 */
export async function signInBySso(
  context: CoreContext,
  keyManager: string,
  settings: SsoSettings,
  person: SsoPerson,
): Promise<UserRow> {
  const actor: Actor = { type: "system", id: `sso:${keyManager}` };
  const user = await inWrite(context, actor, async (write) => {
    const { users } = write.transaction;
    const isResident = person.issuer === context.residentIssuer?.();
    const known = isResident
      ? await users.findById(person.subject)
      : await users.findSso(person.issuer, person.subject);
    if (known?.disabled === true) throw unknown();
    if (isResident || !givesRoles(settings)) return known ?? refuseUnknown();
    const given = await rolesOf(write, settings, person.values);
    if (known !== undefined) return withRoles(write, known, given);
    if (!settings.createUsers || (given.roles.length === 0 && given.teams.length === 0)) throw unknown();
    return makeUser(write, person, given);
  });
  const hasNoRole = user.roles.length === 0 && user.teams.length === 0;
  if (hasNoRole && givesRoles(settings) && user.ssoIssuer !== null) throw unknown();
  return user;
}

type GivenRoles = Pick<UserRow, "roles" | "teams">;

function givesRoles({ roles, teams }: SsoSettings): boolean {
  return Object.keys(roles).length + Object.keys(teams).length > 0;
}

async function rolesOf(write: Write, settings: SsoSettings, values: readonly string[]): Promise<GivenRoles> {
  const roles = new Set<Role>();
  const teams = new Map<string, Set<Role>>();
  for (const value of new Set(values)) {
    for (const role of ownMember(settings.roles, value) ?? []) roles.add(role);
    for (const { team, roles: ofTeam } of ownMember(settings.teams, value) ?? []) {
      const row = await findTeam(write.transaction, team);
      if (row === undefined) write.context.log.warn({ team }, "signIn.sso names a team that is not there");
      else teams.set(row.id, new Set([...(teams.get(row.id) ?? []), ...ofTeam]));
    }
  }
  const ofTeams: TeamRoles[] = [...teams].map(([teamId, held]) => ({ teamId, roles: [...held].toSorted() }));
  return { roles: [...roles].toSorted(), teams: ofTeams };
}

// The value comes from elsewhere, and may be the name of something that every object has.
function ownMember<Value>(members: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(members, name) ? members[name] : undefined;
}

async function withRoles(write: Write, before: UserRow, given: GivenRoles): Promise<UserRow> {
  const isSame = JSON.stringify([before.roles, before.teams]) === JSON.stringify([given.roles, given.teams]);
  if (isSame) return before;
  const after = { ...before, ...given, version: before.version + 1, updatedAtMs: write.nowMs };
  await write.transaction.users.update(after, before.version);
  const changes = auditChanges({ roles: before.roles, teams: before.teams }, given);
  await audit(write, "user.updated", subjectOf(after), { version: after.version, ...changes });
  return after;
}

async function makeUser(write: Write, person: SsoPerson, given: GivenRoles): Promise<UserRow> {
  const row: UserRow = {
    id: newId("user"),
    name: await freeName(write, person),
    displayName: person.displayName ?? null,
    email: person.email === undefined || person.email.length > 254 ? null : person.email,
    passwordHash: null,
    disabled: false,
    ...given,
    ssoIssuer: person.issuer,
    ssoSubject: person.subject,
    version: 1,
    createdAtMs: write.nowMs,
    updatedAtMs: write.nowMs,
  };
  await write.transaction.users.insert(row);
  await audit(write, "user.created", subjectOf(row), { version: 1, roles: given.roles, teams: given.teams });
  return row;
}

/** What the person is called elsewhere, in our letters; with something of their own behind it where that is taken. */
async function freeName(write: Write, { name, issuer, subject }: SsoPerson): Promise<string> {
  const plain = (name ?? "user")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 50)
    .replaceAll(/^-+|-+$/g, "");
  const wanted = plain === "" ? "user" : plain;
  if ((await write.transaction.users.find(wanted)) === undefined) return wanted;
  const own = createHash("sha256").update(`${issuer}\n${subject}`).digest("hex").slice(0, 10);
  return `${wanted}-${own}`;
}

function subjectOf({ id, name }: UserRow) {
  return { kind: "User", id, name, teamId: "" };
}

function refuseUnknown(): never {
  throw unknown();
}

function unknown(): GatewayError {
  return new GatewayError("auth.forbidden", "There is no user for you here. Ask an administrator for one.");
}
