import { z } from "zod";
import { equalInConstantTime } from "../kernel/crypto.ts";
import { GatewayError } from "../kernel/errors.ts";
import { newId } from "../kernel/ids.ts";
import type { AccessTokenRow } from "./access-tables.ts";
import { hashAccessToken, makeAccessToken, parseAccessToken } from "./access-token-format.ts";
import type { AuditAction } from "./audit-actions.ts";
import type { Actor, CoreContext } from "./core-context.ts";
import type { UserRow } from "./identity-tables.ts";
import { invalid, parseDocument } from "./parse-document.ts";
import { nameSchema } from "./resource.ts";
import { findTeam, notFound } from "./resource-changes.ts";
import { holds, holdsAnywhere, narrow, rightsOf, rightsOfUser } from "./rights.ts";
import type { Permission } from "./roles.ts";
import { allPermissions } from "./roles.ts";
import { defaultSignIn } from "./sign-in-settings.ts";
import { requireCover, requireHeld } from "./user-rights.ts";
import type { Write } from "./write.ts";
import { audit, inWrite } from "./write.ts";

/** What a writer says of a new access token. */
export const accessTokenInputSchema = z
  .strictObject({
    name: z.string().min(1).max(200).meta({ title: "Name", description: "What it is for." }),
    user: nameSchema.optional().meta({
      title: "User",
      description:
        "Whose rights it has at most. Absent: you. Others only where they cannot sign in, as for automation.",
    }),
    permissions: z
      .array(z.enum(allPermissions))
      .min(1)
      .max(100)
      .optional()
      .meta({ title: "Permissions", description: "What it may do of what its user may. Absent: all of it." }),
    teams: z
      .array(nameSchema)
      .min(1)
      .max(200)
      .optional()
      .meta({ title: "Teams", description: "Only for these teams, and nothing of the whole installation." }),
    expiresInDays: z
      .int()
      .min(1)
      .max(3_650)
      .meta({ title: "Days", description: "How long it lasts; at most `signIn.maxTokenDays`." }),
  })
  .meta({ examples: [{ name: "deploy", permissions: ["resources:apply", "apis:write"], expiresInDays: 90 }] });

/** A token in the one moment in which its text is known. `token` is to be shown once and kept nowhere. */
export interface MadeAccessToken {
  readonly row: AccessTokenRow;
  readonly token: string;
}

/** Who makes a token: with a token of their own, theirs is the latest end that a new one can have. */
export interface TokenMaker {
  readonly user: UserRow | undefined;
  readonly token: AccessTokenRow | undefined;
}

const maxTokensOfUser = 100;

/**
 * Makes an access token, which never may more than its maker, nor lasts longer than the one it was made with. Throws
 * `resource.invalid`, and `auth.forbidden` for more than the maker has.
 */
export async function createAccessToken(
  context: CoreContext,
  actor: Actor,
  maker: TokenMaker,
  input: unknown,
): Promise<MadeAccessToken> {
  const {
    name,
    user: userName,
    permissions = null,
    teams,
    expiresInDays,
  } = parseDocument(accessTokenInputSchema, input);
  return inWrite(context, actor, async (write) => {
    const user = await ownerOf(write, maker, userName);
    const expiresAtMs = write.nowMs + expiresInDays * 86_400_000;
    refuseTooLong(context, maker, expiresInDays, expiresAtMs);
    const only = { permissions, teamIds: teams === undefined ? null : await teamIdsOf(write, teams) };
    refuseTooMuch(actor, user, only);
    if ((await write.transaction.accessTokens.count(user.id, write.nowMs)) >= maxTokensOfUser) {
      throw invalid([{ path: "user", message: `has ${maxTokensOfUser} tokens already; revoke some first` }]);
    }
    const { token, publicId } = makeAccessToken();
    const row: AccessTokenRow = {
      id: newId("accessToken"),
      userId: user.id,
      name,
      publicId,
      hash: hashAccessToken(context.pepper, token).toString("hex"),
      pepperId: context.pepper.id,
      ...only,
      createdBy: actor.id,
      createdAtMs: write.nowMs,
      expiresAtMs,
      revokedAtMs: null,
      lastUsedAtMs: null,
    };
    await write.transaction.accessTokens.insert(row);
    await auditToken(write, "accesstoken.created", row);
    return { row, token };
  });
}

/**
 * The token and its user, for a text that somebody presents; undefined for whatever is none of ours, has ended, was
 * revoked, or is of a user who is disabled, each after the same work but for reading the user.
 */
export async function findAccessToken(
  context: CoreContext,
  text: string,
): Promise<{ readonly token: AccessTokenRow; readonly user: UserRow } | undefined> {
  const publicId = parseAccessToken(text);
  const { read } = context.catalog;
  const token = publicId === undefined ? undefined : await read.accessTokens.findByPublicId(publicId);
  const hash = hashAccessToken(context.pepper, text);
  if (!equalInConstantTime(hash, token === undefined ? noHash : Buffer.from(token.hash, "hex"))) return undefined;
  const nowMs = context.clock.now();
  if (token === undefined || token.revokedAtMs !== null || nowMs >= token.expiresAtMs) return undefined;
  const user = await read.users.findById(token.userId);
  if (user === undefined || user.disabled) return undefined;
  context.secretUses?.note(token.id, nowMs);
  return { token, user };
}

/**
 * Ends a token for good. Throws `resource.not_found` where it is not there, or another's and not the actor's to end.
 * @param ownUserId the user who acts; undefined for the admin token
 */
export async function revokeAccessToken(
  context: CoreContext,
  actor: Actor,
  id: string,
  ownUserId: string | undefined,
): Promise<void> {
  await inWrite(context, actor, async (write) => {
    const row = await write.transaction.accessTokens.findById(id);
    if (row === undefined) throw notFound("AccessToken", id);
    if (row.userId !== ownUserId) {
      if (!holds(rightsOf(actor), "users:write")) throw notFound("AccessToken", id);
      const user = await write.transaction.users.findById(row.userId);
      if (user !== undefined) requireCover(actor, [user]);
    }
    if (await write.transaction.accessTokens.revoke(id, write.nowMs))
      await auditToken(write, "accesstoken.revoked", row);
  });
}

const noHash = Buffer.alloc(32);

async function ownerOf(write: Write, { user }: TokenMaker, name: string | undefined): Promise<UserRow> {
  if (name === undefined || name === user?.name) {
    if (user !== undefined) return user;
    throw invalid([{ path: "user", message: "the admin token is nobody's: name the user whose token it is" }]);
  }
  if (!holds(rightsOf(write.actor), "users:write")) throw notFound("User", name);
  const other = await write.transaction.users.find(name);
  if (other === undefined) throw notFound("User", name);
  requireCover(write.actor, [other]);
  if (other.passwordHash !== null || other.ssoIssuer !== null) {
    throw invalid([{ path: "user", message: `${name} can sign in, and makes tokens without others` }]);
  }
  if (other.disabled) throw invalid([{ path: "user", message: `${name} is disabled` }]);
  return other;
}

function refuseTooLong(context: CoreContext, { token }: TokenMaker, days: number, expiresAtMs: number): void {
  const { maxTokenDays } = context.signIn ?? defaultSignIn;
  if (days > maxTokenDays) throw invalid([{ path: "expiresInDays", message: `at most ${maxTokenDays} days here` }]);
  if (token !== undefined && expiresAtMs > token.expiresAtMs) {
    throw new GatewayError("auth.forbidden", "A token that is made with a token cannot last longer than that.");
  }
}

type Narrowing = Parameters<typeof narrow>[1];

function refuseTooMuch(actor: Actor, user: UserRow, only: Narrowing): void {
  const rights = narrow(rightsOfUser(user), only);
  const missing = (only.permissions ?? []).filter((permission: Permission) => !holdsAnywhere(rights, permission));
  if (missing.length > 0) {
    throw new GatewayError("auth.forbidden", `${user.name} does not have ${missing.join(", ")}, so a token cannot.`);
  }
  requireHeld(actor, rights);
}

async function teamIdsOf(write: Write, names: readonly string[]): Promise<readonly string[]> {
  const ids = new Set<string>();
  for (const [at, name] of names.entries()) {
    const team = await findTeam(write.transaction, name);
    if (team === undefined) throw invalid([{ path: `teams[${at}]`, message: `there is no Team named ${name}` }]);
    ids.add(team.id);
  }
  return [...ids];
}

// Tokens belong to users, so to no team.
async function auditToken(write: Write, action: AuditAction, row: AccessTokenRow): Promise<void> {
  const { id, name, userId, permissions, teamIds, expiresAtMs } = row;
  const detail = { user: userId, permissions, teamIds, expiresAt: new Date(expiresAtMs).toISOString() };
  await audit(write, action, { kind: "AccessToken", id, name, teamId: "" }, detail);
}
