import type { KeyObject } from "node:crypto";
import type { CoreContext } from "../../core/core-context.ts";
import type { UserRow } from "../../core/identity-tables.ts";
import type { SigningAlgorithm } from "../../core/signing-keys.ts";
import type { SafeFetch } from "../../kernel/safe-fetch.ts";
import type { Limiter } from "../../pipeline/limiter.ts";
import type { ConnectParts } from "./connect.ts";

/** What the configuration says of the resident key manager. Lifetimes are in seconds. */
export interface ResidentSettings {
  readonly signingAlgorithm: SigningAlgorithm;
  /** Of access tokens of clients that name none. */
  readonly accessTokenSeconds: number;
  /** Of refresh tokens of clients that name none, counted from each rotation. */
  readonly refreshTokenSeconds: number;
  /** Whether clients may register themselves (RFC 7591). */
  readonly dynamicRegistration: boolean;
  /** Registered clients that there may be; no more register until some go. */
  readonly mostRegisteredClients: number;
  /** Whether a client id may be the URL of the client's metadata. */
  readonly clientIdDocuments: boolean;
  /** Hosts of such URLs, as `agent.example.com` or, for all below it, `*.example.com`; any where `allowed` is undefined. */
  readonly documentHosts: { readonly allowed: readonly string[] | undefined; readonly denied: readonly string[] };
  /** Remembers which access tokens belong to a grant, so that they die with it. */
  readonly tokenPersistence: boolean;
  /** Whether logging out ends what was granted in the session. */
  readonly revokeOnLogout: boolean;
}

/** All that the resident authorization server is made of. */
export interface ResidentOptions {
  readonly context: CoreContext;
  /** `<public URL>/auth`; every endpoint is below it. */
  readonly issuer: string;
  /** Where clients reach the APIs: resource identifiers begin with it. */
  readonly publicUrl: string;
  readonly settings: ResidentSettings;
  /** Signs cookies and the forms of the pages. Derived for this purpose only. */
  readonly cookieKey: KeyObject;
  readonly fetch: SafeFetch;
  readonly limiter: Limiter;
  /** The pages on which people consent to the use of upstream servers; there are none where it is absent. */
  readonly connect?: ConnectParts;
  /** The user with this name and password, shown from `ip`. Throws `limit.exceeded` for who has to wait. */
  verifyLogin(name: string, password: string, ip: string): Promise<UserRow | undefined>;
}
