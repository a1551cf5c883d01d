import type { KeyObject } from "node:crypto";
import { hmacSha256 } from "../kernel/crypto.ts";
import { secretText } from "./secret-text.ts";

const form = secretText("gh");

/** A new API key, `gh_…`: to be shown once and never stored; its public id may be shown and stored. */
export function makeApiKey(): { readonly key: string; readonly publicId: string } {
  const { text, publicId } = form.make();
  return { key: text, publicId };
}

/**
 * The public id in a key, when the text has a key's form and its checksum is right; else undefined. Says nothing about
 * whether there is such a key. Never throws.
 */
export function parseApiKey(text: string): string | undefined {
  return form.parse(text);
}

/** What is stored of a key: HMAC-SHA-256 of its whole text under the pepper, 32 bytes. */
export function hashApiKey(pepper: KeyObject, key: string): Buffer {
  return hmacSha256(pepper, key);
}

/** What may be shown of a key: `gh_AbCd…`, the first four characters of its public id. */
export function maskApiKey(publicId: string): string {
  return form.mask(publicId);
}
