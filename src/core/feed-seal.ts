import type { KeyObject } from "node:crypto";
import { createPublicKey, createSecretKey, diffieHellman, generateKeyPairSync, hkdfSync } from "node:crypto";
import type { SealedValue } from "../kernel/crypto.ts";
import { seal, unseal } from "../kernel/crypto.ts";
import { GatewayError } from "../kernel/errors.ts";

/** A text that only one asker can open: X25519 with a fresh key on both sides, then AES-256-GCM. */
export interface FeedSeal {
  /** The sender's public key of this one answer, raw, base64url. */
  readonly from: string;
  readonly sealed: SealedValue;
}

/** What an asker sends with its question, and how it opens the answer. Good for one question. */
export interface FeedAsker {
  /** Public, raw, base64url. */
  readonly publicKey: string;
  /** Throws `secret.undecryptable` for what was sealed for another, with another token, or was altered. */
  open(answer: FeedSeal): string;
}

/**
 * Makes the asker's half. Beside TLS, so that whoever ends it in front of the control plane, or writes down bodies, learns
 * no secret; the token stands in the key, so that nobody without it can answer.
 */
export function feedAsker(token: string): FeedAsker {
  const { privateKey, publicKey } = generateKeyPairSync("x25519");
  const own = rawOf(publicKey);
  return {
    publicKey: own,
    open: ({ from, sealed }) => unseal(sharedKey(privateKey, from, token, own, from), sealed, binding),
  };
}

/** Seals for who asked with this public key and token. Throws `request.invalid` for what is no such key. */
export function sealForAsker(plaintext: string, asker: string, token: string): FeedSeal {
  const { privateKey, publicKey } = generateKeyPairSync("x25519");
  const from = rawOf(publicKey);
  return { from, sealed: seal(sharedKey(privateKey, asker, token, asker, from), "feed", plaintext, binding) };
}

const binding = "gatehouse/gateway-feed/1";

function sharedKey(own: KeyObject, other: string, token: string, asker: string, answerer: string): KeyObject {
  const secret = agreed(own, other);
  const material = createSecretKey(Buffer.concat([secret, Buffer.from(token)]));
  return createSecretKey(Buffer.from(hkdfSync("sha256", material, `${asker}.${answerer}`, binding, 32)));
}

// A point of low order, whose product everybody knows, is refused by the library too (RFC 7748, 6.1).
function agreed(privateKey: KeyObject, raw: string): Buffer {
  try {
    if (!/^[A-Za-z0-9_-]{43}$/.test(raw)) throw new Error("not 32 bytes");
    const publicKey = createPublicKey({ key: { kty: "OKP", crv: "X25519", x: raw }, format: "jwk" });
    return diffieHellman({ privateKey, publicKey });
  } catch (cause) {
    throw new GatewayError("request.invalid", "This is no X25519 public key: 32 bytes in base64url.", { cause });
  }
}

function rawOf(key: KeyObject): string {
  const { x } = key.export({ format: "jwk" });
  if (x === undefined) throw new GatewayError("internal", "A key could not be made.");
  return x;
}
