import type { Model } from "oidc-provider";
import { errors } from "oidc-provider";
import { maxTokenLength } from "../jwt-check.ts";

/** Header, separators and the longest signature that we make (RSA, 3,072 bits), in characters, with some to spare. */
const aroundClaims = 800;

/**
 * Refuses a token that would be longer than what our own gateways read, before it is signed: with the error
 * `invalid_scope`, as the scopes are what a client can ask for less of.
 */
export function refuseTooLong(issuer: string, token: Model, extra: Readonly<Record<string, unknown>>): void {
  const { jti, clientId, accountId, scope = "", resourceServer } = token;
  const standard = { jti, iss: issuer, client_id: clientId, sub: accountId ?? clientId, scope };
  const times = { iat: 1_000_000_000, exp: 1_000_000_000, aud: resourceServer?.audience };
  const claims = Buffer.byteLength(JSON.stringify({ ...standard, ...times, ...extra }));
  if (Math.ceil((claims * 4) / 3) + aroundClaims <= maxTokenLength) return;
  throw new errors.InvalidScope("the token would be too long; ask for fewer scopes", scope);
}
