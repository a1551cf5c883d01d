/** Where what makes a text a URL stands, its scheme and slashes say: UTF-16 units, half-open. */
export interface UrlBegin {
  readonly start: number;
  readonly end: number;
}

/**
 * The begins of URLs in a text, one after another: each call gives the first that starts at `from` or behind; `from` never
 * goes back. Only the surroundings of colons, of `www.` and of two slashes behind a delimiter are looked at closely. Linear
 * in the text.
 */
export function findBegins(text: string): (from: number) => UrlBegin | undefined {
  let colon = text.indexOf(":");
  let other = nextOther(text, 0);
  return (from) => {
    if (colon >= 0 && colon < from) colon = text.indexOf(":", from);
    if (other >= 0 && other < from) other = nextOther(text, from);
    while (colon >= 0 || other >= 0) {
      const first = colon < 0 ? text.length : Math.max(from, schemeBegin(text, colon));
      if (other >= 0 && other < first) {
        const end = endOfBegin(text, other);
        if (end >= 0) return { start: other, end };
        other = nextOther(text, other + 1);
        continue;
      }
      for (let start = first; start < colon; start += 1) {
        const end = endOfBegin(text, start);
        if (end >= 0) return { start, end };
      }
      // The places before this colon were all tried; no scheme goes beyond one.
      if (other >= 0 && other < colon) other = nextOther(text, colon);
      colon = text.indexOf(":", colon + 1);
    }
    return undefined;
  };
}

const begin =
  /https?:(?:\/|\\(?!u[0-9a-f]{4})){1,8}|https?:(?=[a-z0-9-]{1,63}\.[a-z0-9])|[a-z][a-z0-9+.-]{0,30}:[\\/]{2}|(?<![a-z0-9+.-])(?:(?:javascript|vbscript):|data:(?=[a-z]{1,20}\/))|(?<![a-z0-9@.-])www\.(?=[a-z0-9])|(?<=["'(=<])[\\/]{2}(?=[a-z0-9[])/iy;

function endOfBegin(text: string, start: number): number {
  begin.lastIndex = start;
  return begin.test(text) ? begin.lastIndex : -1;
}

/** Where the last two alternatives of `begin` may stand. */
const others = /[wW]{3}\.|["'(=<][\\/]{2}/g;

function nextOther(text: string, from: number): number {
  others.lastIndex = Math.max(0, from - 1); // the delimiter is no part of the begin
  while (others.test(text)) {
    const end = others.lastIndex;
    const start = text.charCodeAt(end - 1) === 0x2e ? end - 4 : end - 2;
    if (start >= from) return start;
  }
  return -1;
}

const longestScheme = 31;
/** `javascript`, of those that need no slashes. */
const longestBare = 10;

/** Before where nothing is that could begin with this colon's scheme; the colon itself where it ends none. */
function schemeBegin(text: string, colon: number): number {
  const next = text.charCodeAt(colon + 1);
  const hasSlash = next === 0x2f || next === 0x5c;
  if (!hasSlash && !endsBareScheme(text.charCodeAt(colon - 1))) return colon;
  const least = Math.max(0, colon - (hasSlash ? longestScheme : longestBare));
  let at = colon;
  while (at > least && isOfScheme(text.charCodeAt(at - 1))) at -= 1;
  return at;
}

/** The last letters of `http`, `https`, `javascript`, `vbscript` and `data`. */
function endsBareScheme(code: number): boolean {
  const letter = code | 32;
  return letter === 0x70 || letter === 0x73 || letter === 0x74 || letter === 0x61;
}

function isOfScheme(code: number): boolean {
  const letter = code | 32;
  return (
    (letter >= 0x61 && letter <= 0x7a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2b ||
    code === 0x2d ||
    code === 0x2e
  );
}
