import { findBegins } from "./find-begins.ts";

/** A URL in a text, by UTF-16 units; without a place where only a reader of JSON would find it. */
export interface FoundUrl {
  readonly start: number;
  readonly end: number;
  /** As a browser would complete it: `https:` before `//host`, `http://` before `www.`. */
  readonly url: string;
  readonly isHidden: boolean;
  /** It may be longer where the text goes on. */
  readonly isAtEnd: boolean;
}

/**
 * All URLs in a text, those inside of others too (`https://a.example/?to=https://b.example`): with any scheme and two
 * slashes, backslashes in place of slashes, `javascript:` and `data:`, `www.` and `//host`. Also those that are written
 * with escapes of JSON, as arguments of tools may be. Linear in the text. A run of more than `longest` characters is one
 * URL, whatever is in it; more than `most` are not looked for.
 */
export function findUrls(text: string, longest: number, most: number): readonly FoundUrl[] {
  const plain = findPlain(text, longest, most);
  if (!text.includes("\\")) return plain;
  const read = text.replaceAll(/\\u([0-9a-f]{4})/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
  if (read === text) return plain;
  const known = new Set(plain.map(({ url }) => url));
  const hidden = findPlain(read, longest, most).filter(({ url }) => !known.has(url));
  return [...plain, ...hidden.map((found) => ({ ...found, isHidden: true }))];
}

// A backslash is a slash to browsers; before these letters it is an escape of JSON or of code.
const rest = /[^\s<>"`{}|^\\]*(?:\\(?![nrtbfu"])[^\s<>"`{}|^\\]*)*/y;

function findPlain(text: string, longest: number, most: number): readonly FoundUrl[] {
  const found: FoundUrl[] = [];
  const next = findBegins(text);
  let runEnd = 0;
  for (let begin = next(0); begin !== undefined && found.length <= most; ) {
    const { start, end: from } = begin;
    if (from >= runEnd) runEnd = endOfRun(text, from);
    const end = runEnd - start > longest ? runEnd : trimmed(text, from, runEnd);
    const isAtEnd = runEnd === text.length;
    if (end > from) found.push({ start, end, url: completed(text.slice(start, end)), isHidden: false, isAtEnd });
    begin = next(end - start > longest ? runEnd : from);
  }
  return found;
}

function endOfRun(text: string, from: number): number {
  rest.lastIndex = from;
  rest.test(text);
  return rest.lastIndex;
}

/** Without the marks of the sentence or of Markdown that it stands in. */
function trimmed(text: string, from: number, runEnd: number): number {
  if (runEnd === from || !mark.test(text.charAt(runEnd - 1))) return runEnd;
  const run = text.slice(from, runEnd);
  const surplus = (open: string, close: string): number => run.split(close).length - run.split(open).length;
  const unopened = { ")": surplus("(", ")"), "]": surplus("[", "]") };
  let end = runEnd;
  for (; end > from; end -= 1) {
    const last = text.charAt(end - 1);
    const isBracket = last === ")" || last === "]";
    if (isBracket && unopened[last] > 0) unopened[last] -= 1;
    else if (isBracket || !mark.test(last)) break;
  }
  return end;
}

const mark = /[.,;:!?'*_~\\)\]]/;

function completed(raw: string): string {
  const first = raw.charCodeAt(0) | 32;
  if (first === 0x2f || first === 0x7c) return `https:${raw}`; // a slash or a backslash
  return first === 0x77 && /^www\./i.test(raw) ? `http://${raw}` : raw;
}
