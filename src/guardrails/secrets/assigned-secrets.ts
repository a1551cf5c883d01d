import type { Finding } from "../text/find-in-parts.ts";
import { isPlaceholder, looksRandom } from "./randomness.ts";

/**
 * Values that a name says to be secret: `password: …`, `api_key=…`, `"client_secret": "…"`, `Authorization: Bearer …`. A
 * password must mix kinds of characters; everything else must look random, by at least `minBits` of entropy a character.
 */
export function findAssigned(text: string, minBits: number): readonly Finding[] {
  const found: Finding[] = [];
  sign.lastIndex = 0;
  for (let match = sign.exec(text); match !== null; match = sign.exec(text)) {
    const at = sign.lastIndex;
    const name = match[0].length > 1 ? match[0] : names.exec(text.slice(Math.max(0, at - 1 - nameUnits), at - 1))?.[1];
    if (name === undefined) continue;
    value.lastIndex = at;
    const written = value.exec(text)?.[1];
    const start = value.lastIndex - (written?.length ?? 0);
    const secret = written?.replace(/[.,!?]$/, "");
    if (secret === undefined || isPlaceholder(secret)) continue;
    if (passwords.test(name) ? !mixes(secret) : !looksRandom(secret, minBits)) continue;
    found.push({ start, end: start + secret.length });
    sign.lastIndex = start + secret.length;
  }
  return found;
}

const nameUnits = 48;
const sign = /[:=]|\b(?:password|passphrase|passcode) (?:is|was)\b/gi;

/** The name that ends where the sign stands, but for quotes and blanks. */
const names =
  /((?:password|passwd|passphrase|passcode|(?<![a-z])pass(?![a-z])|pwd|secret|token|api[-_ ]?key|(?:access|auth|private|encryption|signing|account)[-_ ]?key|authorization|credential|bearer|cookie|session[-_ ]?id)[\w-]{0,16})["'`\])\s*]{0,4}$/i;

const passwords = /pass|pwd/i;

const value = /[=>:]?\s{0,3}(?:["'`*]{1,3})?(?:(?:Bearer|Basic|Token|ApiKey) {1,2})?([^\s"'`,;&<>(){}[\]|\\]{6,512})/iy;

/** Whether a short text is more than a word: two of letters in both cases, digits and signs, one of them no letters. */
function mixes(text: string): boolean {
  if (text.length < 6) return false;
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter((kind) => kind.test(text)).length;
  return kinds >= 2 && /\d|[^A-Za-z0-9._/-]/.test(text);
}
