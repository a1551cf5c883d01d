import type { Finding } from "../text/find-in-parts.ts";

/**
 * Private keys in PEM (RFC 7468), of OpenSSH, of PGP and of PuTTY, from their first line to their last; one that breaks off,
 * as far as it goes. A first line alone, as prose has it, is none.
 */
export function findPrivateKeys(text: string): readonly Finding[] {
  const found: Finding[] = [];
  let end = -1;
  let ending = 0;
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, Math.max(end, at + word.length))) {
    const line = text.lastIndexOf("-----BEGIN", at);
    first.lastIndex = Math.max(line, 0);
    const header = line >= 0 && at - line <= 64 ? first.exec(text)?.[0] : undefined;
    if (header === undefined) continue;
    const bodyAt = line + header.length;
    begin.lastIndex = bodyAt;
    if (!begin.test(text)) continue;
    // Looked for once, however many begin before it.
    if (ending >= 0 && ending < bodyAt) ending = text.indexOf("-----END", bodyAt);
    tail.lastIndex = bodyAt;
    end = bodyAt + (tail.exec(text)?.[0].length ?? 0);
    if (ending >= 0 && ending - bodyAt <= maxBodyUnits) end = lastLineEnd(text, ending);
    found.push({ start: line, end, tail: whole.test(text.slice(end - 72, end)) ? nothing : tail });
  }
  return found;
}

const word = "PRIVATE KEY";
const maxBodyUnits = 16_384;

const first = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/y;

/** After headers such as `Proc-Type: 4,ENCRYPTED`, something in base64. */
const begin = /\s{0,8}(?:[A-Za-z-]{3,24}: [^\n]{0,200}\s{1,4}){0,4}[A-Za-z0-9+/=]{16}/y;

const tail = /(?:(?!-----END)[A-Za-z0-9+/=\s:,-]){0,16384}(?:-----END[A-Z0-9 ]{0,60}(?:-----|-{0,4}$))?/y;

function lastLineEnd(text: string, at: number): number {
  last.lastIndex = at;
  return at + (last.exec(text)?.[0].length ?? 0);
}

/** How one ends that nothing belongs to any more. */
const whole = /-----END[A-Z0-9 ]{0,60}-----$/;
const nothing = /(?!)/y;

const last = /-----END[A-Z0-9 ]{0,60}(?:-----)?/y;
