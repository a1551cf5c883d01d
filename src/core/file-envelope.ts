import type { Keyring } from "./core-context.ts";
import { openValue, sealValue } from "./sealed-values.ts";

/** A value sealed for a file: `${enc:KEY-ID:NONCE:DATA}`, of which nonce and data are base64url. */
const envelope = /^\$\{enc:([A-Za-z0-9._-]{1,60}):([A-Za-z0-9_-]{16}):([A-Za-z0-9_-]{22,200000})\}$/;

const boundTo = "file";

/** Whether the text is meant to be an envelope, a damaged one included. */
export function looksSealed(text: string): boolean {
  return text.startsWith("${enc:");
}

/** Makes a value fit to stand in a file, under the current key. */
export function sealForFile(keys: Keyring, plaintext: string): string {
  const { kid, nonce, data } = sealValue(keys, plaintext, boundTo);
  return `\${enc:${kid}:${toUrl(nonce)}:${toUrl(data)}}`;
}

/** The value, or what is wrong with the envelope in a few words for whoever wrote the file. */
export function openFromFile(keys: Keyring, text: string): { readonly value: string } | { readonly fault: string } {
  const [, kid, nonce, data] = envelope.exec(text) ?? [];
  if (kid === undefined || nonce === undefined || data === undefined) {
    return { fault: "this is no whole ${enc:…}; make one with: gatehouse secrets encrypt" };
  }
  if (keys.find(kid) === undefined) {
    return {
      fault: `it was made with the encryption key ${kid}, and the key here is ${keys.current.id}; make it again`,
    };
  }
  try {
    return { value: openValue(keys, { v: 1, kid, nonce: fromUrl(nonce), data: fromUrl(data) }, boundTo) };
  } catch {
    return {
      fault: `it does not open with the encryption key ${kid}; it was altered, or that is another key of this id`,
    };
  }
}

function toUrl(base64: string): string {
  return Buffer.from(base64, "base64").toString("base64url");
}

function fromUrl(base64url: string): string {
  return Buffer.from(base64url, "base64url").toString("base64");
}
