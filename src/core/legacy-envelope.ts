import type { KeyObject } from "node:crypto";
import { constants, createDecipheriv, privateDecrypt } from "node:crypto";
import { z } from "zod";
import { GatewayError } from "../kernel/errors.ts";
import { parseJson } from "../kernel/parse-json.ts";

/** What opens envelopes of an installation of WSO2 API Manager: its keystore's RSA key, its symmetric key, or both. */
export interface LegacyKeys {
  readonly rsa?: KeyObject | undefined;
  /** Of an AES size: 16, 24 or 32 bytes. */
  readonly aes?: Buffer | undefined;
}

/**
 * Opens one value as that product stored it: base64 of JSON `{c, t, …}`, of which `c` is the ciphertext in base64 and `t`
 * the transformation, or base64 of an RSA ciphertext alone. RSA-OAEP with SHA-1 and AES-GCM (IV of 16 bytes, told in `iv`
 * and before the ciphertext) are read; PKCS #1 v1.5 is not.
 *
 * Throws `secret.undecryptable`, without the value, that says what it would have needed.
 */
export function openLegacyEnvelope(text: string, keys: LegacyKeys): string {
  const bytes = fromBase64(text.trim());
  const { c, t, iv } = readEnvelope(bytes);
  if (/^AES\/GCM/i.test(t)) return openGcm(fromBase64(c), iv === undefined ? undefined : fromBase64(iv), keys.aes);
  if (/^RSA\/ECB\/OAEP(WithSHA-?1AndMGF1)?Padding$/i.test(t))
    return openOaep(c === "" ? bytes : fromBase64(c), keys.rsa);
  throw fault(`its transformation ${t.slice(0, 60)} is not one that can be read`);
}

/** The symmetric key of that product's configuration: 64 hex digits, or in older ones the characters themselves. */
export function legacySymmetricKey(text: string): Buffer {
  const trimmed = text.trim();
  const bytes = /^[0-9a-fA-F]{64}$/.test(trimmed) ? Buffer.from(trimmed, "hex") : Buffer.from(trimmed, "utf8");
  if ([16, 24, 32].includes(bytes.length)) return bytes;
  throw new GatewayError(
    "request.invalid",
    "The old symmetric key is neither 64 hex digits nor 16, 24 or 32 characters.",
  );
}

const oaep = "RSA/ECB/OAEPwithSHA1andMGF1Padding";
const ivBytes = 16;
const tagBytes = 16;

const envelopeSchema = z.looseObject({
  c: z.string().min(1),
  t: z.string().default(oaep),
  iv: z.string().optional(),
});

type Envelope = z.output<typeof envelopeSchema>;

function readEnvelope(bytes: Buffer): Envelope {
  const text = bytes.toString("utf8");
  if (!text.startsWith("{")) return { c: "", t: oaep };
  try {
    return envelopeSchema.parse(parseJson(text));
  } catch {
    throw fault("it is no envelope with `c` and `t`");
  }
}

function openOaep(ciphertext: Buffer, key: KeyObject | undefined): string {
  if (key === undefined) throw fault("it needs the private key of the old keystore");
  try {
    return privateDecrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha1" }, ciphertext).toString(
      "utf8",
    );
  } catch {
    throw fault("this private key does not open it");
  }
}

function openGcm(data: Buffer, iv: Buffer | undefined, key: Buffer | undefined): string {
  if (key === undefined) throw fault("it needs the old symmetric key");
  const leading = data.subarray(0, ivBytes);
  const parts = [
    { iv: leading, sealed: data.subarray(ivBytes) },
    ...(iv === undefined ? [] : [{ iv, sealed: data }]), // where the IV is told only beside the ciphertext
  ];
  for (const part of parts) {
    const plaintext = tryGcm(key, part.iv, part.sealed);
    if (plaintext !== undefined) return plaintext;
  }
  throw fault("this symmetric key does not open it, or it was altered");
}

function tryGcm(key: Buffer, iv: Buffer, sealed: Buffer): string | undefined {
  if (sealed.length < tagBytes || iv.length === 0) return undefined;
  try {
    const algorithm = key.length === 16 ? "aes-128-gcm" : key.length === 24 ? "aes-192-gcm" : "aes-256-gcm";
    const decipher = createDecipheriv(algorithm, key, iv, { authTagLength: tagBytes });
    decipher.setAuthTag(sealed.subarray(-tagBytes));
    return Buffer.concat([decipher.update(sealed.subarray(0, -tagBytes)), decipher.final()]).toString("utf8");
  } catch {
    return undefined; // the tag tells: it is not this IV, or not this key
  }
}

function fromBase64(text: string): Buffer {
  const compact = text.replace(/\s+/g, "");
  if (compact === "" || !/^[A-Za-z0-9+/]+={0,2}$/.test(compact)) throw fault("it is not base64");
  return Buffer.from(compact, "base64");
}

function fault(reason: string): GatewayError {
  return new GatewayError("secret.undecryptable", `A value of the old installation cannot be decrypted: ${reason}.`);
}
