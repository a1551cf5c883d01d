import { createHash, randomBytes } from "node:crypto";
import { deriveKey, hmacSha256 } from "../kernel/crypto.ts";
import { newId } from "../kernel/ids.ts";
import type { SessionRow } from "./access-tables.ts";
import type { AuditAction } from "./audit-actions.ts";
import type { Actor, ActorOrigin, CoreContext } from "./core-context.ts";
import type { UserRow } from "./identity-tables.ts";
import { notFound } from "./resource-changes.ts";
import { holds, rightsOf } from "./rights.ts";
import { defaultSignIn } from "./sign-in-settings.ts";
import { requireCover } from "./user-rights.ts";
import type { Write } from "./write.ts";
import { audit, inWrite } from "./write.ts";

/** A session in the one moment in which what its browser presents is known; that is to be kept nowhere else. */
export interface StartedSession {
  readonly session: SessionRow;
  readonly secret: string;
}

/** How somebody has signed in. */
export interface SignIn {
  /** `password`, or the name of the key manager. */
  readonly method: string;
  readonly userAgent: string;
  readonly origin: ActorOrigin;
  /** What the browser presented before, if anything: that session ends. */
  readonly replaced?: string | undefined;
}

/** The latest use of a session is noted this exactly. */
const seenEveryMs = 60_000;
const maxUserAgent = 200;

/** Signs a user in. Always a new session with a new secret, so that one which was put there before is worth nothing. */
export async function startSession(context: CoreContext, user: UserRow, signIn: SignIn): Promise<StartedSession> {
  const secret = randomBytes(32).toString("base64url");
  const { sessionHours, idleMinutes } = context.signIn ?? defaultSignIn;
  const actor: Actor = { type: "user", id: user.id, origin: signIn.origin };
  return inWrite(context, actor, async (write) => {
    const { sessions } = write.transaction;
    await sessions.deleteExpired(write.nowMs, write.nowMs - idleMinutes * 60_000);
    const before = signIn.replaced === undefined ? undefined : await sessions.find(hashOf(signIn.replaced));
    if (before !== undefined) await sessions.delete(before.id);
    const session: SessionRow = {
      id: newId("session"),
      idHash: hashOf(secret),
      userId: user.id,
      method: signIn.method,
      clientAddress: signIn.origin.clientAddress,
      userAgent: signIn.userAgent.slice(0, maxUserAgent),
      createdAtMs: write.nowMs,
      lastSeenAtMs: write.nowMs,
      expiresAtMs: write.nowMs + sessionHours * 3_600_000,
    };
    await sessions.insert(session);
    await auditSession(write, "session.started", session);
    return { session, secret };
  });
}

/** The session and user of what a browser presents; undefined where it is none, is over, or its user is disabled. */
export async function findSession(
  context: CoreContext,
  secret: string,
): Promise<{ readonly session: SessionRow; readonly user: UserRow } | undefined> {
  const { catalog, clock } = context;
  const session = await catalog.read.sessions.find(hashOf(secret));
  const nowMs = clock.now();
  if (session === undefined || isOver(context, session, nowMs)) return undefined;
  const user = await catalog.read.users.findById(session.userId);
  if (user === undefined || user.disabled) return undefined;
  if (nowMs - session.lastSeenAtMs >= seenEveryMs) {
    await catalog.transaction((transaction) => transaction.sessions.touch(session.id, nowMs));
  }
  return { session, user };
}

/** Whether a session has ended by itself. */
export function isOver({ signIn = defaultSignIn }: CoreContext, session: SessionRow, nowMs: number): boolean {
  return nowMs >= session.expiresAtMs || nowMs - session.lastSeenAtMs >= signIn.idleMinutes * 60_000;
}

/**
 * Ends a session, at once and for good. Throws `resource.not_found` where it is not there, or another's and not the
 * actor's to end.
 * @param ownUserId the user who acts; undefined for the admin token
 */
export async function endSession(
  context: CoreContext,
  actor: Actor,
  id: string,
  ownUserId: string | undefined,
): Promise<void> {
  await inWrite(context, actor, async (write) => {
    const session = await write.transaction.sessions.findById(id);
    if (session === undefined) throw notFound("Session", id);
    if (session.userId !== ownUserId) {
      if (!holds(rightsOf(actor), "users:write")) throw notFound("Session", id);
      const user = await write.transaction.users.findById(session.userId);
      if (user !== undefined) requireCover(actor, [user]);
    }
    await write.transaction.sessions.delete(id);
    await auditSession(write, "session.ended", session);
  });
}

/**
 * What a page of ours has to send with every request that changes something, beside the cookie: another site's page can
 * make a browser send the cookie, but cannot know this. Bound to the session, and worth nothing without it.
 */
export function csrfToken({ pepper }: Pick<CoreContext, "pepper">, { idHash }: SessionRow): string {
  return hmacSha256(deriveKey(pepper.key, "gatehouse/csrf"), idHash).toString("base64url");
}

function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

// Sessions belong to users, so to no team.
async function auditSession(write: Write, action: AuditAction, { id, userId, method }: SessionRow): Promise<void> {
  await audit(write, action, { kind: "Session", id, name: id, teamId: "" }, { user: userId, method });
}
