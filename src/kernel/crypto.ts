import type { KeyObject } from "node:crypto";
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";
import { GatewayError } from "./errors.ts";

/**
 * A 256-bit key for one purpose, derived from a master key by HKDF-SHA-256 (RFC 5869). One purpose, one label: a key
 * that seals secrets can never check API keys.
 */
export function deriveKey(master: KeyObject, label: `gatehouse/${string}`): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync("sha256", master, Buffer.alloc(0), label, 32)));
}

/** A key from 64 hex digits. Throws `config.invalid`, without the value, for anything else. */
export function keyFromHex(hex: string, source: string): KeyObject {
  if (!/^[0-9a-fA-F]{64}$/.test(hex.trim())) {
    throw new GatewayError("config.invalid", `${source} must hold 64 hex digits; make one with: openssl rand -hex 32`);
  }
  return createSecretKey(Buffer.from(hex.trim(), "hex"));
}

/** HMAC-SHA-256, 32 bytes. The key is a `KeyObject`, which is five times faster to use than a buffer. */
export function hmacSha256(key: KeyObject, data: string | Uint8Array): Buffer {
  return createHmac("sha256", key).update(data).digest();
}

/** Equality whose time depends on the lengths only. */
export function equalInConstantTime(left: Uint8Array, right: Uint8Array): boolean {
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}

/** What is stored of a sealed value: the key's id, a 96-bit random nonce, and ciphertext with its 128-bit tag, in base64. */
export interface SealedValue {
  readonly v: 1;
  readonly kid: string;
  readonly nonce: string;
  readonly data: string;
}

const tagBytes = 16;
const nonceBytes = 12;

/** AES-256-GCM. `boundTo` (the row's identity) is authenticated, so a value copied to another row does not open there. */
export function seal(key: KeyObject, keyId: string, plaintext: string, boundTo: string): SealedValue {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(Buffer.from(boundTo));
  const data = Buffer.concat([cipher.update(plaintext, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return { v: 1, kid: keyId, nonce: nonce.toString("base64"), data: data.toString("base64") };
}

/** The plaintext. Throws `secret.undecryptable` for a wrong key, another row's value or one that was altered. */
export function unseal(key: KeyObject, sealed: SealedValue, boundTo: string): string {
  const data = Buffer.from(sealed.data, "base64");
  const nonce = Buffer.from(sealed.nonce, "base64");
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
    decipher.setAAD(Buffer.from(boundTo));
    decipher.setAuthTag(data.subarray(-tagBytes));
    return Buffer.concat([decipher.update(data.subarray(0, -tagBytes)), decipher.final()]).toString("utf8");
  } catch (cause) {
    throw new GatewayError("secret.undecryptable", "A secret cannot be decrypted.", {
      detail: `${boundTo}, key ${sealed.kid}: wrong key or altered value`,
      cause,
    });
  }
}
