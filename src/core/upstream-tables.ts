import type { SealedValue } from "../kernel/crypto.ts";
import type { Id } from "../kernel/ids.ts";
import type { Environment } from "./environment.ts";
import type { Page, PageRequest } from "./page.ts";

/** The part of the catalog that holds what upstream servers have given out: to people, and to the gateway itself. */
export interface UpstreamTables {
  readonly upstreamCredentials: UpstreamCredentialTable;
  readonly upstreamClients: UpstreamClientTable;
}

/** For whom an upstream's tokens are: a person, as a key manager tells them apart, or an application. */
export type CredentialHolder =
  | { readonly type: "user"; readonly keyManagerId: string; readonly subject: string }
  | { readonly type: "application"; readonly applicationId: string };

/** What somebody has allowed the gateway to do for them at one upstream. */
export interface UpstreamCredentialRow {
  readonly id: Id<"upstreamCredential">;
  /** The API whose upstream it is for; with the environment and the holder there is one. */
  readonly apiId: string;
  readonly environment: Environment;
  /** `holderKey` of the holder. */
  readonly holder: string;
  /** The holder's user or application, where it is one of this installation. */
  readonly userId: string | null;
  readonly applicationId: string | null;
  /** The authorization server that gave the tokens; they are shown to no other. */
  readonly issuer: string;
  /** The `client_id` under which they were given. */
  readonly clientId: string;
  /** What tokens are meant for (RFC 8707). */
  readonly resource: string;
  /** Scopes that were asked for, and those that were given. */
  readonly asked: readonly string[];
  readonly scopes: readonly string[];
  /** Clients of the gateway for which the holder has consented; the empty text is a caller that names none. */
  readonly clients: readonly string[];
  /** `UpstreamTokenSet` as JSON, sealed. */
  readonly sealed: SealedValue;
  /** Counts each change of the tokens; gateways name it when an upstream refuses one. */
  readonly version: number;
  /** `lapsed` when the server takes the refresh token no more: the holder has to consent anew. */
  readonly state: "active" | "lapsed";
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** The tokens themselves. */
export interface UpstreamTokenSet {
  readonly accessToken: string;
  readonly refreshToken: string | null;
  /** Null where the server does not say. */
  readonly expiresAtMs: number | null;
}

/** The gateway as a client of somebody else's authorization server, by dynamic registration (RFC 7591). */
export interface UpstreamClientRow {
  readonly id: Id<"upstreamClient">;
  /** One for each issuer and redirect URI. */
  readonly issuer: string;
  readonly redirectUri: string;
  readonly clientId: string;
  /** How it shows itself at the token endpoint. */
  readonly method: string;
  /** `{secret}` as JSON, sealed; the secret is null where there is none. */
  readonly sealed: SealedValue;
  /** When the secret ends; null is never. */
  readonly expiresAtMs: number | null;
  readonly createdAtMs: number;
}

/** Credentials of holders. They go away with their API. */
export interface UpstreamCredentialTable {
  /** Inserts, or replaces the one of the same API, environment and holder. */
  put(row: UpstreamCredentialRow): Promise<void>;
  /** Replaces tokens, state and times where the stored version is `expectedVersion`; false when it is not. */
  update(row: UpstreamCredentialRow, expectedVersion: number): Promise<boolean>;
  find(apiId: string, environment: Environment, holder: string): Promise<UpstreamCredentialRow | undefined>;
  findById(id: string): Promise<UpstreamCredentialRow | undefined>;
  /** In the order of id. Of one user or application, of some API; members that are absent narrow nothing. */
  list(
    filter: { readonly userId?: string; readonly applicationIds?: readonly string[]; readonly apiId?: string },
    page: PageRequest,
  ): Promise<Page<UpstreamCredentialRow>>;
  delete(id: string): Promise<boolean>;
  /** Deletes all of a user. Gateways need not hear of it: the user's own tokens end. */
  deleteOf(userId: string): Promise<void>;
}

/** Registrations of the gateway. */
export interface UpstreamClientTable {
  /** Inserts, or replaces the one of the same issuer and redirect URI. */
  put(row: UpstreamClientRow): Promise<void>;
  find(issuer: string, redirectUri: string): Promise<UpstreamClientRow | undefined>;
  delete(id: string): Promise<boolean>;
}

/** Tells holders apart: equal texts, equal holders. */
export function holderKey(holder: CredentialHolder): string {
  return holder.type === "user"
    ? JSON.stringify(["user", holder.keyManagerId, holder.subject])
    : JSON.stringify(["application", holder.applicationId]);
}
