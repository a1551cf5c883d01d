import { createHash } from "node:crypto";
import type { AccessTokenRow, SessionRow } from "../core/access-tables.ts";
import { findAccessToken } from "../core/access-tokens.ts";
import type { Actor, ActorOrigin, CoreContext } from "../core/core-context.ts";
import type { UserRow } from "../core/identity-tables.ts";
import { everyRight, narrow, rightsOfUser } from "../core/rights.ts";
import { findSession } from "../core/sessions.ts";
import { equalInConstantTime } from "../kernel/crypto.ts";
import { GatewayError } from "../kernel/errors.ts";
import { bearerToken } from "./bearer-token.ts";

/** Who calls, and by what. Without a user it is the admin token. */
export interface Caller {
  readonly actor: Actor;
  readonly user: UserRow | undefined;
  /** The session of a browser; nothing but a page of ours may change anything with it. */
  readonly session: SessionRow | undefined;
  readonly token: AccessTokenRow | undefined;
}

/** What of a request says who calls. */
export interface Credentials {
  readonly authorization: string | undefined;
  /** What the session cookie holds. */
  readonly sessionSecret: string | undefined;
  readonly origin: ActorOrigin;
}

/**
 * Who calls: by the admin token, an access token or a session, in this order; a header that is there counts and the
 * cookie does not. Throws `auth.missing_credentials` where there are none, `auth.invalid_credentials` for what is not or
 * no longer valid, and says no more than that.
 */
export async function findCaller(
  context: CoreContext,
  adminTokenHash: Uint8Array,
  { authorization, sessionSecret, origin }: Credentials,
): Promise<Caller> {
  if (authorization !== undefined) return byToken(context, adminTokenHash, authorization, origin);
  if (sessionSecret === undefined) {
    throw new GatewayError("auth.missing_credentials", "Sign in, or send a token as `Authorization: Bearer …`.");
  }
  const found = await findSession(context, sessionSecret);
  if (found === undefined) throw new GatewayError("auth.missing_credentials", "The session has ended. Sign in again.");
  const { session, user } = found;
  return {
    actor: { type: "user", id: user.id, rights: rightsOfUser(user), origin },
    user,
    session,
    token: undefined,
  };
}

async function byToken(
  context: CoreContext,
  adminTokenHash: Uint8Array,
  authorization: string,
  origin: ActorOrigin,
): Promise<Caller> {
  const text = bearerToken(authorization);
  if (text === undefined) {
    throw new GatewayError("auth.invalid_credentials", "The Authorization header is not of the form `Bearer …`.");
  }
  if (equalInConstantTime(createHash("sha256").update(text).digest(), adminTokenHash)) {
    const actor: Actor = { type: "admin", id: "admin", rights: everyRight, origin };
    return { actor, user: undefined, session: undefined, token: undefined };
  }
  const found = await findAccessToken(context, text);
  if (found === undefined) {
    throw new GatewayError("auth.invalid_credentials", "The token is none of this installation, or has ended.");
  }
  const { token, user } = found;
  const rights = narrow(rightsOfUser(user), token);
  return { actor: { type: "token", id: token.id, rights, origin }, user, session: undefined, token };
}
