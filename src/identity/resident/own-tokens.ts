import { createLocalJWKSet, jwtVerify } from "jose";
import { z } from "zod";
import type { CoreContext } from "../../core/core-context.ts";
import type { RevocationRecord } from "../../core/plane-message.ts";
import type { SigningKeys } from "../../core/signing-keys.ts";

/** The claims of an access token of ours. */
export type OwnClaims = z.output<typeof claimsSchema>;

const claimsSchema = z.looseObject({
  iss: z.string(),
  sub: z.string(),
  aud: z.string(),
  client_id: z.string(),
  jti: z.string(),
  iat: z.number(),
  exp: z.number(),
  scope: z.string().optional(),
  gh_sid: z.string().optional(),
  gh_env: z.string().optional(),
  /** Of an exchanged token: the tokens that it came of, which it dies with. */
  gh_from: z.array(z.looseObject({ jti: z.string(), client_id: z.string(), gh_sid: z.string().optional() })).optional(),
});

export interface OwnTokens {
  /** The claims of a token that this installation has issued, that has not expired and was not revoked; else undefined. */
  read(token: string): Promise<OwnClaims | undefined>;
}

/** Reads tokens that were made with any published key. */
export function createOwnTokens(
  context: CoreContext,
  issuer: string,
  keyManagerId: RevocationRecord["keyManagerId"],
  { active, others }: SigningKeys,
): OwnTokens {
  const keys = [active, ...others].map(({ kid, alg, privateJwk }) => ({ ...publicPart(privateJwk), kid, alg }));
  const keySet = createLocalJWKSet({ keys });
  return {
    async read(token) {
      try {
        const { payload } = await jwtVerify(token, keySet, {
          issuer,
          typ: "at+jwt",
          algorithms: ["ES256", "RS256"],
          currentDate: new Date(context.clock.now()),
        });
        const claims = claimsSchema.parse(payload);
        return (await isRevoked(context, keyManagerId, claims)) ? undefined : claims;
      } catch {
        return undefined; // not ours, altered, or over: to whoever asks it is all the same
      }
    },
  };
}

async function isRevoked(
  { catalog }: CoreContext,
  keyManagerId: RevocationRecord["keyManagerId"],
  claims: OwnClaims,
): Promise<boolean> {
  const { revocations } = catalog.read;
  const each = [claims, ...(claims.gh_from ?? [])];
  for (const { jti } of each) if ((await revocations.find("token", keyManagerId, jti)) !== undefined) return true;
  const kinds = [
    ...each.map(({ gh_sid }) => ["secret", gh_sid] as const),
    ...each.map(({ client_id }) => ["client", client_id] as const),
    ["subject", claims.sub] as const,
  ];
  for (const [type, id] of kinds) {
    const found = id === undefined ? undefined : await revocations.find(type, keyManagerId, id);
    if (found !== undefined && claims.iat * 1_000 < found.beforeMs) return true;
  }
  return false;
}

function publicPart(jwk: Readonly<Record<string, unknown>>): { kty: string; [member: string]: unknown } {
  const shown = ["crv", "x", "y", "n", "e"].flatMap((name) => (jwk[name] === undefined ? [] : [[name, jwk[name]]]));
  return { ...(Object.fromEntries(shown) as Record<string, unknown>), kty: String(jwk["kty"]) }; // members of a record
}
