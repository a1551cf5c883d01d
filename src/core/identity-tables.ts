import type { SealedValue } from "../kernel/crypto.ts";
import type { Id } from "../kernel/ids.ts";
import type { Page, PageRequest } from "./page.ts";
import type { ClientRecord, PublicJwk, RevocationRecord } from "./plane-message.ts";
import type { Role } from "./roles.ts";

/** The part of the catalog that says who may get tokens, and what became of them. */
export interface IdentityTables {
  readonly oauthClients: OauthClientTable;
  readonly users: UserTable;
  readonly oauthState: OauthStateTable;
  readonly revocations: RevocationTable;
  readonly signingKeys: SigningKeyTable;
}

/** An OAuth client of a key manager. `clientId` is unique within the key manager, `name` within the application. */
export interface OauthClientRow extends ClientRecord {
  readonly id: Id<"oauthClient">;
  /** How it may get tokens; checked by whoever wrote it. */
  readonly metadata: OauthClientMetadata;
  /** Who made it: an administrator, dynamic registration (RFC 7591), or a client id metadata document. */
  readonly source: "admin" | "dynamic" | "metadata-document";
  readonly version: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** What an authorization server has to know of a client. Plain JSON. */
export interface OauthClientMetadata {
  /** What consent pages call it; the client's name when absent. */
  readonly displayName?: string;
  readonly grantTypes: readonly string[];
  readonly redirectUris: readonly string[];
  /** A regular expression (RE2, matched against the whole URI) in place of literal redirect URIs; only when asked for. */
  readonly redirectUriPattern?: string;
  readonly tokenEndpointAuthMethod: "client_secret_basic" | "client_secret_post" | "none";
  /** Scopes it may ask for; all that are defined when absent. */
  readonly scopes?: readonly string[];
  readonly tokenLifetimes: { readonly accessTokenSeconds?: number; readonly refreshTokenSeconds?: number };
  /** `native` may use loopback redirects on any port and custom schemes (RFC 8252). */
  readonly applicationType: "web" | "native";
  /** What the client said of itself and is only shown or kept: `client_uri`, `logo_uri`, `contacts`. */
  readonly registered?: Readonly<Record<string, unknown>>;
  /** True where we had a key manager elsewhere make it, so that changes and its end are told there. */
  readonly madeAtKeyManager?: boolean;
}

/** One of the secrets of an OAuth client: its hash, never the secret. */
export interface OauthClientSecretRow {
  readonly id: Id<"oauthClientSecret">;
  /** The `id` of the client's row. */
  readonly clientRowId: Id<"oauthClient">;
  /** The part of the secret that may be shown. */
  readonly publicId: string;
  readonly description: string | null;
  /** HMAC-SHA-256 of the whole secret under the key that `pepperId` names, hex. */
  readonly hash: string;
  readonly pepperId: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  readonly revokedAtMs: number | null;
  readonly lastUsedAtMs: number | null;
}

/** Roles for one team, which is told by its id: a team made again under the name has none of its members. */
export interface TeamRoles {
  readonly teamId: string;
  readonly roles: readonly Role[];
}

/** A person who can log in. The password is stored as scrypt makes it, with its parameters. */
export interface UserRow {
  readonly id: Id<"user">;
  readonly name: string;
  readonly displayName: string | null;
  readonly email: string | null;
  /** Null for a user without a password, who cannot log in with one. */
  readonly passwordHash: string | null;
  readonly disabled: boolean;
  /** What the user may do in the whole installation. */
  readonly roles: readonly Role[];
  /** What the user may do for teams, each team once. */
  readonly teams: readonly TeamRoles[];
  /** The issuer at which the user signs in, and who they are there; null where it is here. */
  readonly ssoIssuer: string | null;
  readonly ssoSubject: string | null;
  readonly version: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/**
 * A piece of the resident authorization server's state: a grant, a session, a code, a refresh token. What a caller
 * presents is stored only as its SHA-256, the rest sealed.
 */
export interface OauthStateRow {
  readonly model: string;
  /** SHA-256 of the id, hex. */
  readonly idHash: string;
  readonly uid: string | null;
  readonly grantId: string | null;
  readonly userCode: string | null;
  /** The `client_id` that it was given to, where it was given to one. */
  readonly clientId: string | null;
  /** The user whose it is, where it is somebody's. */
  readonly accountId: string | null;
  /** Refresh tokens that came of one another share it. */
  readonly familyId: string | null;
  readonly payload: SealedValue;
  /** Null is never. */
  readonly expiresAtMs: number | null;
  readonly consumedAtMs: number | null;
}

/** A key that signs the resident key manager's tokens. Published from its creation until it is deleted. */
export interface SigningKeyRow {
  readonly kid: string;
  readonly alg: string;
  /** The private JWK as JSON, sealed. */
  readonly sealed: SealedValue;
  readonly publicJwk: PublicJwk;
  readonly createdAtMs: number;
  /** Signs from this moment on; before it is published only. */
  readonly activeFromMs: number;
  /** Signs no more since; published until its last token has expired. */
  readonly retiredAtMs: number | null;
}

/** What the resident authorization server keeps; see `OauthStateRow`. */
export interface OauthStateTable {
  /** Inserts or replaces by model and id hash. */
  put(row: OauthStateRow): Promise<void>;
  /** Also what has expired or was consumed: that is the caller's to judge. */
  find(model: string, idHash: string): Promise<OauthStateRow | undefined>;
  findByUid(model: string, uid: string): Promise<OauthStateRow | undefined>;
  /** Notes the first use, in one step. False when there is no such row or it was consumed already. */
  consume(model: string, idHash: string, atMs: number): Promise<boolean>;
  delete(model: string, idHash: string): Promise<boolean>;
  /** Deletes everything of a grant, of every model; says how many rows. */
  deleteByGrant(grantId: string): Promise<number>;
  /** Deletes everything of a user, of every model; says how many rows. */
  deleteByAccount(accountId: string): Promise<number>;
  /** Deletes everything of a client, of every model; says how many rows. */
  deleteByClient(clientId: string): Promise<number>;
  /** Rows of a model, expired ones included; stops counting at `upTo`. */
  count(model: string, upTo: number): Promise<number>;
  /** Deletes what expired before `nowMs`, at most `limit` rows; says how many. */
  deleteExpired(nowMs: number, limit: number): Promise<number>;
}

/** OAuth clients and their secrets. */
export interface OauthClientTable {
  insert(client: OauthClientRow): Promise<void>;
  /** As `resources.update`: owners, name, environment, metadata, `disabled` and time may change. */
  update(client: OauthClientRow, expectedVersion: number): Promise<boolean>;
  /** Deletes its secrets and references too. False when the version is another or it is not there. */
  delete(id: string, expectedVersion: number): Promise<boolean>;
  find(keyManagerId: string, clientId: string): Promise<OauthClientRow | undefined>;
  findById(id: string): Promise<OauthClientRow | undefined>;
  /**
   * Clients of that origin without an application and as they were made, which were made and last used before `beforeMs`;
   * in the order of creation, at most `limit`.
   */
  idle(source: OauthClientRow["source"], beforeMs: number, limit: number): Promise<readonly OauthClientRow[]>;
  /** Clients of that origin; stops counting at `upTo`. */
  count(source: OauthClientRow["source"], upTo: number): Promise<number>;
  /** As `apiKeys.touch`: when a client last got a token. */
  touch(used: readonly { readonly id: string; readonly atMs: number }[]): Promise<void>;
  /** The application's client of that `client_id`, at whichever key manager. */
  findOf(applicationId: string, clientId: string): Promise<OauthClientRow | undefined>;
  list(
    filter: {
      readonly teamId?: string;
      readonly teamIds?: readonly string[];
      readonly applicationId?: string;
      readonly keyManagerId?: string;
      readonly clientId?: string;
      readonly source?: OauthClientRow["source"];
      readonly disabled?: boolean;
    },
    page: PageRequest,
  ): Promise<Page<OauthClientRow>>;
  readonly secrets: {
    insert(secret: OauthClientSecretRow): Promise<void>;
    findById(id: string): Promise<OauthClientSecretRow | undefined>;
    /** By the public id in the secret's text. */
    findByPublicId(publicId: string): Promise<OauthClientSecretRow | undefined>;
    /** Every secret of a client, revoked ones included, oldest first. */
    of(clientRowId: string): Promise<readonly OauthClientSecretRow[]>;
    /** Sets when it expires and since when it is revoked. False when it is not there. */
    update(secret: Pick<OauthClientSecretRow, "id" | "expiresAtMs" | "revokedAtMs">): Promise<boolean>;
    delete(id: string): Promise<boolean>;
    /** Live ones that expire before `beforeMs`, soonest first, at most `limit`. */
    expiring(nowMs: number, beforeMs: number, limit: number): Promise<readonly OauthClientSecretRow[]>;
    /** As `apiKeys.touch`. */
    touch(used: readonly { readonly id: string; readonly atMs: number }[]): Promise<void>;
  };
}

/** People who can log in. */
export interface UserTable {
  insert(user: UserRow): Promise<void>;
  /** As `resources.update`; every column but id and name may change. */
  update(user: UserRow, expectedVersion: number): Promise<boolean>;
  delete(id: string, expectedVersion: number): Promise<boolean>;
  find(name: string): Promise<UserRow | undefined>;
  findById(id: string): Promise<UserRow | undefined>;
  /** Who signs in at that issuer as that subject. */
  findSso(issuer: string, subject: string): Promise<UserRow | undefined>;
  list(page: PageRequest): Promise<Page<UserRow>>;
  /** Users who are not disabled and have the role `admin` in the whole installation; at most `limit`. */
  admins(limit: number): Promise<readonly UserRow[]>;
}

/** Tokens that are dead before they expire. */
export interface RevocationTable {
  /** Inserts; one of the same type, key manager and id is replaced, and its moments never go back. */
  put(record: RevocationRecord): Promise<void>;
  /** Those that are not expired at `nowMs`, in pages. */
  live(nowMs: number, page: PageRequest): Promise<Page<RevocationRecord>>;
  find(type: RevocationRecord["type"], keyManagerId: string, id: string): Promise<RevocationRecord | undefined>;
  /** Deletes what expired before `nowMs`, at most `limit` rows; says how many. */
  deleteExpired(nowMs: number, limit: number): Promise<number>;
}

/** The resident key manager's keys. */
export interface SigningKeyTable {
  /** Inserts, or replaces the moments and the sealed key of the one with this `kid`. */
  put(key: SigningKeyRow): Promise<void>;
  /** Every key, oldest first. */
  all(): Promise<readonly SigningKeyRow[]>;
  delete(kid: string): Promise<boolean>;
}
