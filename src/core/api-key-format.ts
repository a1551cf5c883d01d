import type { KeyObject } from "node:crypto";
import { randomBytes, randomInt } from "node:crypto";
import { crc32 } from "node:zlib";
import { hmacSha256 } from "../kernel/crypto.ts";

/**
 * A new API key: `gh_`, a public id of 16 base62 characters, `_`, 32 random bytes as 43 base62 characters, and the
 * CRC-32 of all before as 6. The prefix and the checksum let scanners for leaked secrets know one without asking us.
 * The key is to be shown once and never stored; the public id may be shown and stored.
 */
export function makeApiKey(): { readonly key: string; readonly publicId: string } {
  const publicId = Array.from({ length: publicIdLength }, () => alphabet.charAt(randomInt(alphabet.length))).join("");
  const secret = base62(BigInt(`0x${randomBytes(32).toString("hex")}`), secretLength);
  const body = `gh_${publicId}_${secret}`;
  return { key: body + checksum(body), publicId };
}

/**
 * The public id in a key, when the text has a key's form and its checksum is right; else undefined. Says nothing about
 * whether there is such a key. Never throws.
 */
export function parseApiKey(text: string): string | undefined {
  const publicId = keyForm.exec(text)?.[1];
  if (publicId === undefined) return undefined;
  return checksum(text.slice(0, -checksumLength)) === text.slice(-checksumLength) ? publicId : undefined;
}

/** What is stored of a key: HMAC-SHA-256 of its whole text under the pepper, 32 bytes. */
export function hashApiKey(pepper: KeyObject, key: string): Buffer {
  return hmacSha256(pepper, key);
}

/** What may be shown of a key: `gh_AbCd…`, the first four characters of its public id. */
export function maskApiKey(publicId: string): string {
  return `gh_${publicId.slice(0, 4)}…`;
}

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const publicIdLength = 16;
const secretLength = 43; // 62^43 > 2^256
const checksumLength = 6; // 62^6 > 2^32
const keyForm = /^gh_([0-9A-Za-z]{16})_[0-9A-Za-z]{49}$/;

// In plain numbers: 32 bits fit, and every request's key is checked.
function checksum(text: string): string {
  let rest = crc32(text);
  let digits = "";
  while (digits.length < checksumLength) {
    digits = alphabet.charAt(rest % alphabet.length) + digits;
    rest = Math.floor(rest / alphabet.length);
  }
  return digits;
}

function base62(value: bigint, length: number): string {
  const base = BigInt(alphabet.length);
  let text = "";
  for (let rest = value; text.length < length; rest /= base) text = alphabet.charAt(Number(rest % base)) + text;
  return text;
}
