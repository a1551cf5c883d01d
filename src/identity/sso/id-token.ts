import type { JSONWebKeySet } from "jose";
import { equalInConstantTime } from "../../kernel/crypto.ts";
import { asymmetricAlgorithms } from "../algorithms.ts";
import { notSignedIn } from "./not-signed-in.ts";

/** What an identity token has to be of. */
export interface IdTokenRules {
  readonly issuer: string;
  readonly clientId: string;
  readonly nonce: string;
  readonly nowMs: number;
}

const clockSkewSeconds = 30;

/**
 * The claims of an identity token (OpenID Connect Core 1.0, 3.1.3.7) that is of the issuer, for the client and of this
 * sign-in. Asymmetric signatures only. Throws `auth.forbidden`.
 */
export async function checkIdToken(
  token: string,
  keys: unknown,
  { issuer, clientId, nonce, nowMs }: IdTokenRules,
): Promise<Readonly<Record<string, unknown>>> {
  const { createLocalJWKSet, jwtVerify } = await import("jose");
  const claims = await verify().catch((cause: unknown) => {
    throw notSignedIn(`the identity token: ${cause instanceof Error ? cause.message : ""}`, cause);
  });
  if (typeof claims["nonce"] !== "string" || !sameText(claims["nonce"], nonce)) throw notSignedIn("another nonce");
  const audiences = Array.isArray(claims["aud"]) ? claims["aud"] : [claims["aud"]];
  const azp = claims["azp"];
  if ((azp !== undefined || audiences.length > 1) && azp !== clientId) throw notSignedIn("for another client");
  return claims;

  async function verify(): Promise<Readonly<Record<string, unknown>>> {
    // The set is looked at by jose, which throws for what is none.
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys as JSONWebKeySet), {
      issuer,
      audience: clientId,
      algorithms: [...asymmetricAlgorithms],
      currentDate: new Date(nowMs),
      clockTolerance: clockSkewSeconds,
      requiredClaims: ["exp", "iat", "sub"],
    });
    return payload;
  }
}

function sameText(left: string, right: string): boolean {
  return equalInConstantTime(Buffer.from(left), Buffer.from(right));
}
