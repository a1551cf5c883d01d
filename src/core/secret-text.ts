import { randomBytes, randomInt } from "node:crypto";
import { crc32 } from "node:zlib";

/** One kind of secret that we hand out: its texts begin with `prefix_`. */
export interface SecretText {
  /**
   * A new one: `prefix_`, a public id of 16 base62 characters, `_`, 32 random bytes as 43 base62 characters, and the
   * CRC-32 of all before as 6. The prefix and the checksum let scanners for leaked secrets know one without asking us.
   * The text is to be shown once and never stored; the public id may be shown and stored.
   */
  make(): { readonly text: string; readonly publicId: string };
  /**
   * The public id in a text of this form whose checksum is right; else undefined. Says nothing about whether there is
   * such a secret. Never throws.
   */
  parse(text: string): string | undefined;
  /** What may be shown of one: `prefix_AbCd…`, the first four characters of its public id. */
  mask(publicId: string): string;
}

/** The form of secrets with this prefix (lower-case letters). */
export function secretText(prefix: string): SecretText {
  const start = `${prefix}_`;
  return {
    make() {
      const publicId = Array.from({ length: publicIdLength }, () => alphabet.charAt(randomInt(alphabet.length))).join(
        "",
      );
      const secret = base62(BigInt(`0x${randomBytes(32).toString("hex")}`), secretLength);
      const body = `${start}${publicId}_${secret}`;
      return { text: body + checksum(body), publicId };
    },
    parse(text) {
      if (!text.startsWith(start)) return undefined;
      const publicId = formAfterPrefix.exec(text.slice(start.length))?.[1];
      if (publicId === undefined) return undefined;
      return checksum(text.slice(0, -checksumLength)) === text.slice(-checksumLength) ? publicId : undefined;
    },
    mask: (publicId) => `${start}${publicId.slice(0, 4)}…`,
  };
}

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const publicIdLength = 16;
const secretLength = 43; // 62^43 > 2^256
const checksumLength = 6; // 62^6 > 2^32
const formAfterPrefix = /^([0-9A-Za-z]{16})_[0-9A-Za-z]{49}$/;

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
