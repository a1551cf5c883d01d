import type { Environment } from "../core/environment.ts";
import type { ClientRecord } from "../core/plane-message.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { Exchange } from "./exchange.ts";

/** What an API asks of a token, beside that it be meant for the API. Made once and given with each check. */
export interface TokenDemand {
  /** Names of the key managers whose tokens are accepted; of all that are enabled when undefined. */
  readonly keyManagers: readonly string[] | undefined;
  /** Accepted in `aud` beside the API's own resource identifier. */
  readonly audience: readonly string[];
}

/** Where in the request a token stood. Only some key managers' tokens may come in the header of API keys. */
export type TokenPlace = "bearer" | "key-header";

/** A token that holds. Everything in it was signed by its key manager. */
export interface VerifiedToken {
  readonly keyManagerId: string;
  readonly issuer: string;
  readonly clientId: string | undefined;
  readonly subject: string | undefined;
  /** Tells subjects of one issuer apart, and leads back to none. */
  readonly subjectHash: string | undefined;
  readonly secretId: string | undefined;
  readonly scopes: readonly string[];
  readonly claims: Readonly<Record<string, unknown>>;
  /** Where it leads when its client is not registered here, whose own environment would count. */
  readonly environment: Environment;
  /** Names client and subject under their key manager. */
  readonly caller: string;
}

/** How a check ended. `detail` is for the log and the event only: callers are not told what was wrong. */
export type TokenCheck =
  | { readonly type: "token"; readonly token: VerifiedToken; readonly client: ClientRecord | undefined }
  | { readonly type: "refused"; readonly detail: string }
  /** It holds, but not for this API, from this address or from this page. */
  | { readonly type: "forbidden"; readonly detail: string }
  /** Nobody can tell now: the key manager's keys were never fetched, and it does not answer. */
  | { readonly type: "unavailable"; readonly detail: string };

/** Checks access tokens for the data plane. */
export interface TokenVerifier {
  /** At once for a token that was checked before; a promise while keys are used or fetched. Never rejects. */
  verify(
    token: string,
    demand: TokenDemand,
    exchange: Pick<Exchange, "api" | "inbound">,
    place: TokenPlace,
  ): MaybePromise<TokenCheck>;
  /** Where clients reach the gateway; resource identifiers begin with it. */
  readonly publicUrl: string;
  /** Issuers of the key managers that an API accepts, for its metadata (RFC 9728). */
  issuers(keyManagers: readonly string[] | undefined): readonly string[];
}
