import type { Environment } from "../../../core/environment.ts";
import type { UpstreamAuth } from "../../../core/upstream-auth.ts";
import type { UpstreamTokens } from "../../../core/upstream-tokens.ts";
import { createOwnTokens } from "../../../identity/upstream/own-tokens.ts";
import { createUpstreamFetch } from "../../../identity/upstream/upstream-fetch.ts";
import { assertNever } from "../../../kernel/assert-never.ts";
import type { Clock } from "../../../kernel/clock.ts";
import type { SafeFetch } from "../../../kernel/safe-fetch.ts";
import type { SecretReader } from "../../../pipeline/plugin.ts";
import { headerCredential } from "./header-credential.ts";
import type { HeldTokens } from "./held-token-credential.ts";
import { createHeldTokens, heldTokenCredential } from "./held-token-credential.ts";
import { ownTokenCredential } from "./own-token-credential.ts";
import type { UpstreamCredential } from "./upstream-credential.ts";
import { noCredential } from "./upstream-credential.ts";

/** The upstream that a credential is for. */
export interface CredentialPlace {
  /** The API whose upstream it is; a virtual server that leads there shows the same. */
  readonly apiId: string;
  readonly environment: Environment;
  readonly url: string;
  readonly secrets: SecretReader;
}

/** Makes of an upstream's `auth` what is shown to it. */
export type CompileCredential = (auth: UpstreamAuth | undefined, place: CredentialPlace) => UpstreamCredential;

export interface CredentialParts {
  readonly fetch: SafeFetch;
  readonly clock: Clock;
  /** The control plane's vault. */
  readonly tokens: UpstreamTokens;
  /** In production tokens are asked for over https only. */
  readonly httpsOnly: boolean;
}

/** The credentials of one gateway, and what of them has to hear the control plane. */
export function createCredentials({ fetch, clock, tokens, httpsOnly }: CredentialParts): {
  readonly compile: CompileCredential;
  readonly held: HeldTokens;
} {
  const held = createHeldTokens(tokens, clock);
  const compile: CompileCredential = (auth, { apiId, environment, url, secrets }) => {
    switch (auth?.type) {
      case undefined:
        return auth === undefined ? noCredential : headerCredential(auth, secrets);
      case "header":
        return headerCredential(auth, secrets);
      case "client-credentials":
      case "token-exchange": {
        const assertAt = auth.type === "token-exchange" ? auth.assertAt?.issuer : undefined;
        const configured = [url, auth.issuer, auth.tokenUrl, assertAt];
        const own = createUpstreamFetch({ fetch, configured, httpsOnly });
        return ownTokenCredential(createOwnTokens({ auth, url, fetch: own, secrets, clock }));
      }
      case "authorization-code":
        return heldTokenCredential({ auth, apiId, environment, tokens: held });
      default:
        return assertNever(auth);
    }
  };
  return { compile, held };
}
