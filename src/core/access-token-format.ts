import { deriveKey, hmacSha256 } from "../kernel/crypto.ts";
import type { NamedKey } from "./core-context.ts";
import { secretText } from "./secret-text.ts";

const form = secretText("gh_pat");

/** A new access token, `gh_pat_…`: to be shown once and never stored. */
export function makeAccessToken(): { readonly token: string; readonly publicId: string } {
  const { text, publicId } = form.make();
  return { token: text, publicId };
}

/** The public id in an access token, as `parseApiKey` gives that of a key. */
export function parseAccessToken(text: string): string | undefined {
  return form.parse(text);
}

/**
 * What is stored of an access token: HMAC-SHA-256 of its whole text, 32 bytes, under a key that is derived from the
 * pepper for this purpose only.
 */
export function hashAccessToken(pepper: NamedKey, token: string): Buffer {
  return hmacSha256(deriveKey(pepper.key, "gatehouse/access-token"), token);
}

/** What may be shown of an access token: `gh_pat_AbCd…`. */
export function maskAccessToken(publicId: string): string {
  return form.mask(publicId);
}
