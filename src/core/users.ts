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
import type { Page, PageRequest } from "./page.ts";
import { invalid, parseDocument } from "./parse-document.ts";
import { changedMeanwhile, notFound } from "./resource-changes.ts";
import { revoke } from "./revocations.ts";
import { passwordInputSchema, userChangeDocumentSchema, userDocumentSchema } from "./user-spec.ts";
import type { Write } from "./write.ts";
import { audit, inWrite } from "./write.ts";

/** Makes a user, with a password or without. Throws `resource.invalid` and `resource.conflict`. */
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
      version: 1,
      createdAtMs: write.nowMs,
      updatedAtMs: write.nowMs,
    };
    await write.transaction.users.insert(row);
    await auditUser(write, "user.created", row);
    return row;
  });
}

/**
 * Replaces what is known of a user; the password stays. A user who gets disabled loses the tokens too. Throws
 * `resource.not_found`, `resource.invalid`, `resource.changed`.
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
    if (spec.disabled && !before.disabled) await revokeTokensOf(write, before);
    const { disabled } = spec;
    return { ...before, displayName: spec.displayName ?? null, email: spec.email ?? null, disabled };
  });
}

/** Gives a user a password, in place of any before. Throws `resource.not_found`, `resource.invalid`, `resource.changed`. */
export async function setPassword(
  context: CoreContext,
  actor: Actor,
  name: string,
  input: unknown,
  expectedVersion?: number,
): Promise<UserRow> {
  const { password } = parseDocument(passwordInputSchema, input);
  await requireUser(context.catalog.read, name);
  const passwordHash = await hashPassword(password);
  return changeUser(context, actor, { name, expectedVersion, action: "user.password-set" }, async (_write, before) => ({
    ...before,
    passwordHash,
  }));
}

/** Deletes a user, whose tokens are refused from then on. Throws `resource.not_found` and `resource.changed`. */
export async function deleteUser(
  context: CoreContext,
  actor: Actor,
  name: string,
  expectedVersion: number,
): Promise<void> {
  await inWrite(context, actor, async (write) => {
    const row = await requireUser(write.transaction, name);
    if (!(await write.transaction.users.delete(row.id, expectedVersion))) throw changedMeanwhile("User", name);
    await revokeTokensOf(write, row);
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
    context.loginGate === undefined ? await verify() : await context.loginGate.check(name.slice(0, 64), verify);
  if (isRight && user?.disabled === false) return user;
  const who = user === undefined ? anonymous : ({ actor: user.id, actorType: "user" } as const);
  context.denials?.note({ action: "login.failed", ...who, target: "password", code: wrongPassword, origin });
  return undefined;
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

// A user's id is the subject of every token that the resident key manager gives out for them.
async function revokeTokensOf(write: Write, user: UserRow): Promise<void> {
  const resident = await write.transaction.resources.find(keyManager.kind, residentName);
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
