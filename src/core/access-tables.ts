import type { Id } from "../kernel/ids.ts";
import type { Page, PageRequest } from "./page.ts";
import type { Permission } from "./roles.ts";

/** The part of the catalog that says who is let into the control plane. */
export interface AccessTables {
  readonly sessions: SessionTable;
  readonly accessTokens: AccessTokenTable;
}

/** A person who is signed in at one browser. What the browser presents is stored only as its SHA-256. */
export interface SessionRow {
  readonly id: Id<"session">;
  /** SHA-256 of what the cookie holds, hex. */
  readonly idHash: string;
  readonly userId: Id<"user">;
  /** How they signed in: `password`, or the name of the key manager. */
  readonly method: string;
  readonly clientAddress: string;
  readonly userAgent: string;
  readonly createdAtMs: number;
  readonly lastSeenAtMs: number;
  /** When it ends at the latest. */
  readonly expiresAtMs: number;
}

/** Sessions that were not ended; also those whose time is over, which is the caller's to judge. */
export interface SessionTable {
  insert(session: SessionRow): Promise<void>;
  find(idHash: string): Promise<SessionRow | undefined>;
  findById(id: string): Promise<SessionRow | undefined>;
  /** Of one user or of all, in the order of creation. */
  list(filter: { readonly userId?: string | undefined }, page: PageRequest): Promise<Page<SessionRow>>;
  /** Sets `lastSeenAtMs`, where it is later than what is stored. */
  touch(id: string, atMs: number): Promise<void>;
  delete(id: string): Promise<boolean>;
  /** Every session of a user but `except`; says how many. */
  deleteOf(userId: string, except?: string): Promise<number>;
  /** Those whose time is over, or that were seen last before `idleSinceMs`; says how many. */
  deleteExpired(nowMs: number, idleSinceMs: number): Promise<number>;
}

/** A token for the control API that somebody has made: its hash, never the token. */
export interface AccessTokenRow {
  readonly id: Id<"accessToken">;
  /** Whose rights it has, at most. */
  readonly userId: Id<"user">;
  readonly name: string;
  /** The part of the token that may be shown. */
  readonly publicId: string;
  /** HMAC-SHA-256 of the whole token under a key that is derived from the one that `pepperId` names, hex. */
  readonly hash: string;
  readonly pepperId: string;
  /** What it may do of what its user may; all of it where it is null. */
  readonly permissions: readonly Permission[] | null;
  /** The teams that it is for, by id; all where it is null. */
  readonly teamIds: readonly string[] | null;
  /** The id of the actor who made it. */
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly revokedAtMs: number | null;
  readonly lastUsedAtMs: number | null;
}

/** Access tokens, those that have ended included. */
export interface AccessTokenTable {
  insert(token: AccessTokenRow): Promise<void>;
  findById(id: string): Promise<AccessTokenRow | undefined>;
  findByPublicId(publicId: string): Promise<AccessTokenRow | undefined>;
  /** Of one user or of all, in the order of creation. */
  list(filter: { readonly userId?: string | undefined }, page: PageRequest): Promise<Page<AccessTokenRow>>;
  /** Live ones of a user. */
  count(userId: string, nowMs: number): Promise<number>;
  /** Ends a token. False when it had ended before, or is not there. */
  revoke(id: string, atMs: number): Promise<boolean>;
  /** Ends every token of a user; says how many. */
  revokeOf(userId: string, atMs: number): Promise<number>;
  /** As `apiKeys.touch`. */
  touch(used: readonly { readonly id: string; readonly atMs: number }[]): Promise<void>;
  /** Deletes every token of a user, ended ones included. */
  deleteOf(userId: string): Promise<void>;
}
