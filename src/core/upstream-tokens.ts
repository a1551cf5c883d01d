import type { Environment } from "./environment.ts";
import type { CredentialHolder } from "./upstream-tables.ts";

/** What an upstream has said when it refused a request, as far as it matters for the next token. Plain JSON. */
export interface UpstreamRefusal {
  readonly status: 401 | 403;
  readonly resourceMetadata: string | undefined;
  readonly scopes: readonly string[] | undefined;
}

/** For whom a gateway wants a token, and why now. Plain JSON. */
export interface UpstreamTokenQuestion {
  readonly apiId: string;
  readonly environment: Environment;
  readonly holder: CredentialHolder;
  /** The client of the gateway that calls, by its `client_id`; empty where it names none. */
  readonly client: string;
  /** What the upstream has answered; absent before the first request. */
  readonly refusal?: UpstreamRefusal | undefined;
  /** The version of the token that was refused. */
  readonly refusedVersion?: string | undefined;
}

/** What the control plane says to it. Plain JSON. */
export type UpstreamTokenAnswer =
  | {
      readonly type: "token";
      readonly accessToken: string;
      /** From when on it is not to be used any more; null where nobody knows. */
      readonly expiresAtMs: number | null;
      /** Names this token in a later question. */
      readonly version: string;
    }
  /** There is none, and nothing says that one is needed: the upstream may do without. */
  | { readonly type: "none" }
  /** A person has to open the URL first. */
  | { readonly type: "consent"; readonly url: string }
  /** Asking a person again would change nothing. */
  | { readonly type: "refused"; readonly reason: string };

/**
 * Tokens that people have consented to, for gateways; they are in the vault of the control plane, which alone renews
 * them. Rejects with `GatewayError` where nobody can tell now.
 */
export interface UpstreamTokens {
  ask(question: UpstreamTokenQuestion, signal?: AbortSignal): Promise<UpstreamTokenAnswer>;
}
