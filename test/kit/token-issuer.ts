import type { JWK, JWTHeaderParameters } from "jose";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from "jose";
import type { ClientRecord, KeyManagerRecord } from "../../src/core/plane-message.ts";

/** A server that signs tokens, without the server: its keys, and tokens as it would issue them. */
export interface TokenIssuer {
  readonly issuer: string;
  /** The public keys, as its JWKS endpoint shows them. */
  readonly jwks: { readonly keys: (JWK & { readonly kty: string })[] };
  /** Of the first key. */
  readonly pem: string;
  /** A token; claims and header members that are null are left out. */
  sign(claims?: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Adds a key that signs from now on; the ones before stay published unless `alone`. */
  rotate(kid: string, alone?: boolean): Promise<void>;
}

export interface TokenIssuerOptions {
  readonly issuer?: string;
  readonly alg?: string;
  readonly kid?: string;
  /** Seconds since the epoch that tokens are issued at; the machine's time unless told. */
  readonly nowSeconds?: () => number;
  /** Claims of every token. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

export async function createTokenIssuer(options: TokenIssuerOptions = {}): Promise<TokenIssuer> {
  const { issuer = "https://login.example.com", alg = "ES256", kid = "key-1" } = options;
  const nowSeconds = options.nowSeconds ?? (() => Math.floor(Date.now() / 1_000));
  let signing = await generateKeyPair(alg, { extractable: true });
  let signingKid = kid;
  const publish = async () => ({
    ...(await exportJWK(signing.publicKey)),
    kty: alg.startsWith("ES") ? "EC" : "RSA",
    kid: signingKid,
    alg,
    use: "sig",
  });
  const jwks = { keys: [await publish()] };
  return {
    issuer,
    jwks,
    pem: await exportSPKI(signing.publicKey),
    async sign(claims = {}, header = {}) {
      const now = nowSeconds();
      const usual = { iss: issuer, sub: "user-1", iat: now, exp: now + 600, jti: `jti-${Math.random()}` };
      const all = withoutNulls({ ...usual, ...options.claims, ...claims });
      const head = withoutNulls({ alg, kid: signingKid, typ: "at+jwt", ...header });
      return new SignJWT(all).setProtectedHeader(head as unknown as JWTHeaderParameters).sign(signing.privateKey); // alg is among them
    },
    async rotate(next, alone = false) {
      signing = await generateKeyPair(alg, { extractable: true });
      signingKid = next;
      if (alone) jwks.keys.length = 0;
      jwks.keys.push(await publish());
    },
  };
}

function withoutNulls(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null));
}

export const residentId = "km_000000000000000000000001" as KeyManagerRecord["id"]; // an id like any other

/** The resident key manager with this issuer's keys. */
export function residentRecord({ issuer, jwks }: TokenIssuer, more: Partial<KeyManagerRecord> = {}): KeyManagerRecord {
  const residentKeys = { issuer, jwks: { keys: [...jwks.keys] } };
  return { id: residentId, name: "resident", use: "resident", with: {}, enabled: true, residentKeys, ...more };
}

/** A client of the resident key manager. */
export function clientRecord(more: Partial<ClientRecord> = {}): ClientRecord {
  return {
    clientId: "client-1",
    keyManagerId: residentId,
    applicationId: null,
    teamId: "team_1",
    environment: "production",
    name: "bot",
    disabled: false,
    ...more,
  };
}
