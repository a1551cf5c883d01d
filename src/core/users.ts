import { addressBlock } from "../kernel/address-block.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { Id } from "../kernel/ids.ts";
import { newId } from "../kernel/ids.ts";
import { hashPassword, verifyPasswordHash } from "../kernel/password-hash.ts";
import type { AuditAction } from "./audit-actions.ts";
import { auditChanges } from "./audit-changes.ts";
import type { CatalogTransaction } from "./catalog.ts";
import type { Actor, ActorOrigin, CoreContext } from "./core-context.ts";
import type { UserRow } from "./identity-tables.ts";
import { keyManager, residentName } from "./key-manager.ts";
import { endOauthState } from "./oauth-accounts.ts";
import type { Page, PageRequest } from "./page.ts";
import { invalid, parseDocument } from "./parse-document.ts";
import { changedMeanwhile, notFound } from "./resource-changes.ts";
import { revoke } from "./revocations.ts";
import { keepAnAdmin, requireCover, resolveTeamRoles } from "./user-rights.ts";
import {
  ownPasswordInputSchema,
  passwordInputSchema,
  userChangeDocumentSchema,
  userDocumentSchema,
} from "./user-spec.ts";
import type { Write } from "./write.ts";
import { audit, inWrite } from "./write.ts";

/**
 * Makes a user, with a password or without. Throws `resource.invalid`, `resource.conflict`, and `auth.forbidden` for
 * roles that allow more than the actor may.
 */
export async function createUser(context: CoreContext, actor: Actor, input: unknown): Promise<UserRow> {
  const { metadata, spec, password } = parseDocument(userDocumentSchema, input);
  const passwordHash = password === undefined ? null : await hashPassword(password); // before the transaction: it is slow
  return inWrite(context, actor, async (write) => {
    const row: UserRow = {
      id: newId("user"),
      name: metadata.name,
      displayName: spec.displayName ?? null,
      email: spec.email ?? null,
      passwordHash,
      disabled: spec.disabled,
      roles: [...new Set(spec.roles)],
      teams: await resolveTeamRoles(write.transaction, spec.teams ?? []),
      ssoIssuer: spec.sso?.issuer ?? null,
      ssoSubject: spec.sso?.subject ?? null,
      version: 1,
      createdAtMs: write.nowMs,
      updatedAtMs: write.nowMs,
    };
    requireCover(actor, [row]);
    await write.transaction.users.insert(row);
    await auditUser(write, "user.created", row);
    return row;
  });
}

/**
 * Replaces what is known of a user; the password stays, and so do roles and sign-in elsewhere that the document does
 * not name. A user who gets disabled loses sessions and tokens too. Throws `resource.not_found`, `resource.invalid`,
 * `resource.changed`, `auth.forbidden` when the user may do more than the actor before or after, and `resource.in_use`
 * for the last admin.
 */
export async function replaceUser(
  context: CoreContext,
  actor: Actor,
  name: string,
  input: unknown,
  expectedVersion: number,
): Promise<UserRow> {
  const { metadata, spec } = parseDocument(userChangeDocumentSchema, input);
  if (metadata?.name !== undefined && metadata.name !== name) {
    throw invalid([{ path: "metadata.name", message: `this is ${name}; a user cannot be renamed` }]);
  }
  return changeUser(context, actor, { name, expectedVersion, action: "user.updated" }, async (write, before) => {
    const after: UserRow = {
      ...before,
      displayName: spec.displayName ?? null,
      email: spec.email ?? null,
      disabled: spec.disabled,
      roles: spec.roles === undefined ? before.roles : [...new Set(spec.roles)],
      teams: spec.teams === undefined ? before.teams : await resolveTeamRoles(write.transaction, spec.teams),
      ...(spec.sso !== undefined && { ssoIssuer: spec.sso.issuer, ssoSubject: spec.sso.subject }),
    };
    requireCover(actor, [before, after]);
    await keepAnAdmin(write, before, after);
    if (after.disabled && !before.disabled) await endAccess(write, before);
    return after;
  });
}

/**
 * Gives a user a password, in place of any before; sessions end, at the resident key manager with all of its tokens.
 * Throws `resource.not_found`, `resource.invalid`,
 * `resource.changed`, and `auth.forbidden` when the user may do more than the actor.
 */
export async function setPassword(
  context: CoreContext,
  actor: Actor,
  name: string,
  input: unknown,
  expectedVersion?: number,
): Promise<UserRow> {
  const { password } = parseDocument(passwordInputSchema, input);
  requireCover(actor, [await requireUser(context.catalog.read, name)]);
  const passwordHash = await hashPassword(password);
  return changeUser(context, actor, { name, expectedVersion, action: "user.password-set" }, async (write, before) => {
    requireCover(actor, [before]);
    await write.transaction.sessions.deleteOf(before.id);
    await endResidentAccess(write, before);
    return { ...before, passwordHash };
  });
}

/**
 * Lets users change their own password, who must know the present one; what they are signed in with elsewhere ends. Throws
 * `auth.forbidden` for a wrong one, `limit.exceeded` after too many, and `resource.invalid`.
 * @param keptSession the id of the session in which it is done
 */
export async function changeOwnPassword(
  context: CoreContext,
  actor: Actor,
  user: UserRow,
  input: unknown,
  keptSession: string,
): Promise<void> {
  const { current, password } = parseDocument(ownPasswordInputSchema, input);
  if ((await verifyPassword(context, user.name, current, actor.origin)) === undefined) {
    throw new GatewayError("auth.forbidden", "The current password is not right.");
  }
  const passwordHash = await hashPassword(password);
  await changeUser(context, actor, { name: user.name, action: "user.password-set" }, async (write, before) => {
    await write.transaction.sessions.deleteOf(before.id, keptSession);
    await endResidentAccess(write, before);
    return { ...before, passwordHash };
  });
}

/**
 * Deletes a user, whose sessions and tokens are refused from then on. Throws `resource.not_found`, `resource.changed`,
 * `auth.forbidden` when the user may do more than the actor, and `resource.in_use` for the last admin.
 */
export async function deleteUser(
  context: CoreContext,
  actor: Actor,
  name: string,
  expectedVersion: number,
): Promise<void> {
  await inWrite(context, actor, async (write) => {
    const row = await requireUser(write.transaction, name);
    requireCover(actor, [row]);
    await keepAnAdmin(write, row, undefined);
    if (!(await write.transaction.users.delete(row.id, expectedVersion))) throw changedMeanwhile("User", name);
    await endAccess(write, row);
    await write.transaction.accessTokens.deleteOf(row.id);
    await write.transaction.upstreamCredentials.deleteOf(row.id);
    await auditUser(write, "user.deleted", row);
  });
}

/** The user of that name. Throws `resource.not_found`. Show it only through `userView`. */
export async function getUser(context: CoreContext, name: string): Promise<UserRow> {
  return requireUser(context.catalog.read, name);
}

/** Users in the order of creation. */
export async function listUsers(context: CoreContext, page: PageRequest): Promise<Page<UserRow>> {
  return context.catalog.read.users.list(page);
}

/**
 * The user who has shown the right password; undefined for a wrong one, an unknown name, a user without a password and
 * one who is disabled, each after the same work. Throws `limit.exceeded` with the time to wait for a name that has
 * failed too often. A failure is put into the audit, from `origin` where it is known.
 */
export async function verifyPassword(
  context: CoreContext,
  name: string,
  password: string,
  origin?: ActorOrigin,
): Promise<UserRow | undefined> {
  const maxCharacters = 512; // as many as a password may have: the rest would only cost
  const shown = password.slice(0, maxCharacters + 1);
  const user = await context.catalog.read.users.find(name);
  const verify = () => verifyPasswordHash(user?.passwordHash ?? undefined, shown);
  const isRight =
    context.loginGate === undefined
      ? await verify()
      : await context.loginGate.check(name.slice(0, 64), verify, addressOf(origin));
  if (isRight && user?.disabled === false) return user;
  const who = user === undefined ? anonymous : ({ actor: user.id, actorType: "user" } as const);
  context.denials?.note({ action: "login.failed", ...who, target: "password", code: wrongPassword, origin });
  return undefined;
}

function addressOf(origin: ActorOrigin | undefined): string | undefined {
  return origin === undefined || origin.clientAddress === "" ? undefined : addressBlock(origin.clientAddress);
}

// What was typed for a name that nobody has may be a password, so it is told to nobody.
const anonymous = { actor: "anonymous", actorType: "anonymous" } as const;
const wrongPassword = "auth.invalid_credentials";

interface UserChange {
  readonly name: string;
  readonly expectedVersion?: number | undefined;
  readonly action: AuditAction;
}

async function changeUser(
  context: CoreContext,
  actor: Actor,
  { name, expectedVersion, action }: UserChange,
  change: (write: Write, before: UserRow) => Promise<UserRow>,
): Promise<UserRow> {
  return inWrite(context, actor, async (write) => {
    const before = await requireUser(write.transaction, name);
    if (before.version !== (expectedVersion ?? before.version)) throw changedMeanwhile("User", name);
    const row = { ...(await change(write, before)), version: before.version + 1, updatedAtMs: write.nowMs };
    if (!(await write.transaction.users.update(row, before.version))) throw changedMeanwhile("User", name);
    await auditUser(write, action, row, before);
    return row;
  });
}

async function requireUser(transaction: CatalogTransaction, name: string): Promise<UserRow> {
  const row = await transaction.users.find(name);
  if (row === undefined) throw notFound("User", name);
  return row;
}

/** Ends what a user is signed in with: sessions, access tokens, and what the resident key manager has given out. */
async function endAccess(write: Write, user: UserRow): Promise<void> {
  await write.transaction.sessions.deleteOf(user.id);
  await write.transaction.accessTokens.revokeOf(user.id, write.nowMs);
  await endResidentAccess(write, user);
}

// A user's id is the subject of every token that the resident key manager gives out for them.
async function endResidentAccess(write: Write, user: UserRow): Promise<void> {
  await endOauthState(write.transaction, user);
  // Among all: whoever may change users need not be able to see key managers.
  const managers = await write.transaction.resources.all(keyManager.kind);
  const resident = managers.find(({ name }) => name === residentName);
  if (resident === undefined) {
    throw new GatewayError("internal", "The catalog is not consistent.", {
      detail: "there is no resident key manager",
    });
  }
  const keyManagerId = resident.id as Id<"keyManager">; // found by kind
  await revoke(write, { type: "subject", id: user.id, keyManagerId });
}

// Users belong to the installation, so to no team.
async function auditUser(write: Write, action: AuditAction, row: UserRow, before?: UserRow): Promise<void> {
  await audit(
    write,
    action,
    { kind: "User", id: row.id, name: row.name, teamId: "" },
    { version: row.version, disabled: row.disabled, ...(before && auditChanges(shownOf(before), shownOf(row))) },
  );
}

function shownOf({ passwordHash: _p, version: _v, updatedAtMs: _u, ...shown }: UserRow): object {
  return shown;
}
