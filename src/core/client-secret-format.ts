import { deriveKey, hmacSha256 } from "../kernel/crypto.ts";
import type { NamedKey } from "./core-context.ts";
import { secretText } from "./secret-text.ts";

const form = secretText("ghs");

/** A new secret of an OAuth client, `ghs_…`: to be shown once and never stored. */
export function makeClientSecret(): { readonly secretValue: string; readonly publicId: string } {
  const { text, publicId } = form.make();
  return { secretValue: text, publicId };
}

/** The public id in a client secret, as `parseApiKey` gives that of a key. */
export function parseClientSecret(text: string): string | undefined {
  return form.parse(text);
}

/**
 * What is stored of a client secret: HMAC-SHA-256 of its whole text, 32 bytes, under a key that is derived from the
 * pepper for this purpose only.
 */
export function hashClientSecret(pepper: NamedKey, secretValue: string): Buffer {
  return hmacSha256(deriveKey(pepper.key, "gatehouse/client-secret"), secretValue);
}

/** What may be shown of a client secret: `ghs_AbCd…`. */
export function maskClientSecret(publicId: string): string {
  return form.mask(publicId);
}
