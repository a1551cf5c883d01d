/**
 * True only where one quick pass over valid JSON makes sure that there is nothing in it that two readers may understand
 * differently: no member twice in one object, no escaped half of a surrogate pair, no number beyond a double's range, and no
 * more than `maxDepth` levels. False means that a closer look is needed, and so do names with escapes and objects of more
 * than 64 members. Of text that is no JSON it says nothing. Linear, and makes nothing but a few numbers.
 */
export function isPlainJson(text: string, maxDepth: number): boolean {
  if (surrogate.test(text)) return false;
  const hashes: number[] = []; // of the names in the objects that are open
  const starts: number[] = []; // where those of each one begin
  let count = 0;
  let start = inArray;
  let isName = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      if (!isName) {
        at = endOfString(text, at);
        continue;
      }
      const end = endOfName(text, at + 1);
      if (end < 0 || count - start >= mostNames) return false;
      const hash = hashOf(text, at + 1, end);
      if (isAmong(hashes, start, count, hash)) return false;
      hashes[count] = hash;
      count += 1;
      at = end;
      isName = false;
    } else if (code === openBrace || code === openBracket) {
      if (starts.length >= maxDepth) return false;
      starts.push(start);
      isName = code === openBrace;
      start = isName ? count : inArray;
    } else if (code === closeBrace || code === closeBracket) {
      if (start !== inArray) count = start;
      start = starts.pop() ?? inArray;
      isName = false;
    } else if (code === comma) {
      isName = start !== inArray;
    } else if (code === minus || (code >= zero && code <= nine)) {
      const end = endOfDigits(text, at);
      if (end - at >= mostDigits || isExponent(text.charCodeAt(end))) return false;
      at = end - 1;
    }
  }
  return true;
}

const surrogate = /\\u[dD][89a-fA-F]/;
/** Each is compared with those before it. */
const mostNames = 64;
/** So many digits are within a double's range. */
const mostDigits = 300;
const inArray = -1;

const quote = 0x22;
const comma = 0x2c;
const minus = 0x2d;
const zero = 0x30;
const nine = 0x39;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** The closing quote of a name that begins here; -1 of one with escapes, or without an end. */
function endOfName(text: string, from: number): number {
  for (let end = from; end < text.length; end += 1) {
    const code = text.charCodeAt(end);
    if (code === quote) return end;
    if (code === backslash) return -1;
  }
  return -1;
}

/** Equal for equal names. */
function hashOf(text: string, from: number, to: number): number {
  let hash = 0;
  for (let at = from; at < to; at += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return hash;
}

function isAmong(hashes: readonly number[], from: number, to: number, hash: number): boolean {
  for (let at = from; at < to; at += 1) if (hashes[at] === hash) return true;
  return false;
}

/** Most strings are shorter than what a call of `indexOf` costs. */
const nearUnits = 64;
/** In a string with JSON in it the next escaped quote is never far: the more of them, the more is read unit by unit. */
const mostUnits = 16_384;

/** The closing quote of the string that opens at `at`; the text's end where there is none. */
function endOfString(text: string, at: number): number {
  let from = at + 1;
  for (let atOnce = nearUnits; ; atOnce = Math.min(2 * atOnce, mostUnits)) {
    const near = Math.min(text.length, from + atOnce);
    for (; from < near; from += 1) {
      const code = text.charCodeAt(from);
      if (code === quote) return from;
      if (code === backslash) from += 1;
    }
    const end = text.indexOf('"', from);
    if (end < 0) return text.length;
    let slashes = 0;
    while (end - 1 - slashes >= from && text.charCodeAt(end - 1 - slashes) === backslash) slashes += 1;
    if (slashes % 2 === 0) return end;
    from = end + 1;
  }
}

/** Just behind the digits, and the minus and the points among them. */
function endOfDigits(text: string, at: number): number {
  let end = at + 1;
  for (;;) {
    const code = text.charCodeAt(end);
    if (!((code >= zero && code <= nine) || code === 0x2e)) return end;
    end += 1;
  }
}

function isExponent(code: number): boolean {
  return code === 0x65 || code === 0x45;
}
