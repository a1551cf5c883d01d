import { hash } from "node:crypto";
import type { PlaneMessage } from "../core/plane-message.ts";
import { resourceIdentifier } from "../core/resource-identifier.ts";
import { toGatewayError } from "../kernel/errors.ts";
import type { KeyManagerTools } from "../pipeline/define-key-manager.ts";
import type { CompiledApi } from "../pipeline/snapshot.ts";
import type { TokenCheck, TokenVerifier } from "../pipeline/token-verifier.ts";
import { checkToken, isStillChecked } from "./check-token.ts";
import type { IdentityState } from "./identity-state.ts";
import { createIdentityState } from "./identity-state.ts";
import type { CheckedToken, TokenSituation } from "./judge-token.ts";
import { judgeToken } from "./judge-token.ts";
import { createOpaqueTokens } from "./opaque-tokens.ts";
import { createVerifiedTokens } from "./verified-tokens.ts";

export interface TokenVerifierParts extends KeyManagerTools {
  /** Where clients reach the gateway; known when its port is open. */
  publicUrl(): string;
  /** What the control plane told before this moment is known here, milliseconds since the epoch; all is when absent. */
  readonly heardAtMs?: (() => number) | undefined;
}

/** The verifier with its other end: messages come in. */
export interface LiveTokenVerifier extends TokenVerifier, Disposable {
  /** Takes a message over; those that are not about OAuth are passed over. Holds at once. */
  apply(message: PlaneMessage): void;
  /** A key manager that is known, by its name. */
  readonly keyManager: IdentityState["byName"];
}

const mostRemembered = 10_000;

/**
 * Checks tokens against the key managers, clients and revocations that messages told of. A token's signature is checked
 * once; from then on the token is known by its SHA-256 until it ends, its key is taken back, or 10,000 others have been
 * used since, and what can change in between is judged each time: times, audience, client, revocations.
 */
export function createTokenVerifier(parts: TokenVerifierParts): LiveTokenVerifier {
  const { clock } = parts;
  const state = createIdentityState(parts);
  const known = createVerifiedTokens<CheckedToken>(mostRemembered);
  const checking = { clock, opaque: createOpaqueTokens({ clock }), heardAtMs: parts.heardAtMs };
  const resources = new WeakMap<CompiledApi, string>();
  const resourceOf = (api: CompiledApi): string => {
    let resource = resources.get(api);
    if (resource === undefined) {
      resource = resourceIdentifier(parts.publicUrl(), api);
      resources.set(api, resource);
    }
    return resource;
  };

  return {
    get publicUrl() {
      return parts.publicUrl();
    },
    issuers: (names) => state.accepted(names).map(({ issuer }) => issuer),
    keyManager: state.byName,
    apply: (message) => state.apply(message),
    verify(token, demand, { api, inbound }, place) {
      const situation: TokenSituation = { demand, api, inbound, place, resource: resourceOf(api) };
      const digest = hash("sha256", token, "base64");
      const checked = known.recall(digest);
      if (checked !== undefined && isStillChecked(checked, state, clock.now())) {
        return judgeToken(checked, situation, state, clock.now());
      }
      return checkToken(token, situation, state, checking).then((fresh) => {
        if ("type" in fresh) return fresh;
        known.note(digest, fresh);
        return judgeToken(fresh, situation, state, clock.now());
      }, failed);
    },
    [Symbol.dispose]: () => state[Symbol.dispose](),
  };
}

function failed(error: unknown): TokenCheck {
  const { code, detail, message } = toGatewayError(error);
  const isAway = code === "auth.unavailable" || code.startsWith("upstream.");
  return { type: isAway ? "unavailable" : "refused", detail: detail ?? message };
}
