import type { KeyObject } from "node:crypto";
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { hmacSha256 } from "../../kernel/crypto.ts";
import { parseJson } from "../../kernel/parse-json.ts";

/** Something that is kept: a few facts, and bytes. */
export interface Packed {
  readonly head: unknown;
  readonly body: Uint8Array;
}

/** Keeps what is said and answered from who can read Redis, and what they write there from being taken for an answer. */
export interface AnswerSeal {
  /** A name for a key, 22 characters of base64url: who does not hold the seal cannot find out whether a guess is right. */
  nameOf(key: string): string;
  /** AES-256-GCM, in base64, for that place only. */
  close(packed: Packed, place: string): string;
  /** Undefined for what was altered, moved from another place or closed with another key. */
  open(text: string, place: string): Packed | undefined;
}

const nonceBytes = 12;
const tagBytes = 16;

/** A seal with one key to encrypt and one to name. */
export function createAnswerSeal({ sealing, naming }: Record<"sealing" | "naming", KeyObject>): AnswerSeal {
  return {
    nameOf: (key) => hmacSha256(naming, key).toString("base64url", 0, 16),
    close({ head, body }, place) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv("aes-256-gcm", sealing, nonce, { authTagLength: tagBytes });
      cipher.setAAD(Buffer.from(place));
      const text = Buffer.from(JSON.stringify(head));
      const length = Buffer.alloc(4);
      length.writeUInt32LE(text.byteLength);
      const pieces = [length, text, body].map((piece) => cipher.update(piece));
      return Buffer.concat([nonce, ...pieces, cipher.final(), cipher.getAuthTag()]).toString("base64");
    },
    open(text, place) {
      const bytes = Buffer.from(text, "base64");
      if (bytes.byteLength < nonceBytes + tagBytes + 4) return undefined;
      try {
        const decipher = createDecipheriv("aes-256-gcm", sealing, bytes.subarray(0, nonceBytes), {
          authTagLength: tagBytes,
        });
        decipher.setAAD(Buffer.from(place));
        decipher.setAuthTag(bytes.subarray(-tagBytes));
        const plain = Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]);
        const end = 4 + plain.readUInt32LE(0);
        return { head: parseJson(plain.toString("utf8", 4, end)), body: plain.subarray(end) };
      } catch {
        return undefined;
      }
    },
  };
}
