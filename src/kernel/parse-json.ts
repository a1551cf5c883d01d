/**
 * `JSON.parse` for what somebody else has written. V8 13.6 (Node 24) can take an object's name that is written with
 * escapes for another one that it has seen before: after `{"\\u0063o":1}` it reads the name in `{"\u0063ontent":1}` as
 * `\u0063o`. Whoever primes it so has a gateway judge another message than the upstream reads. Names without escapes, and
 * all values, are read right; so a document with an escaped name is read a second time, name by name.
 *
 * Same values, order and `SyntaxError` as `JSON.parse`; a RangeError for such a document nested some thousand levels deep.
 *
 * @param number what stands for a number, made of its digits; the number itself when absent
 * @see docs/adr/0010-names-with-escapes.md
 */
export function parseJson(text: string, number?: (digits: string) => unknown): unknown {
  const value: unknown = number === undefined ? JSON.parse(text) : JSON.parse(text, exactly(number));
  return hasEscapedName(text) ? readAgain(text, number ?? Number) : value;
}

/** The same for text of which `isPlainJson` has said yes, so that no name in it has escapes: it is not looked for them again. */
export function parsePlainJson(text: string): unknown {
  return JSON.parse(text);
}

type Reviver = (name: string, value: unknown, context?: { readonly source?: string }) => unknown;

function exactly(number: (digits: string) => unknown): Reviver {
  return (_, value, context) =>
    typeof value === "number" && context?.source !== undefined ? number(context.source) : value;
}

/** Whether a name of any object in it is written with escapes. The text is JSON; each character is passed at most twice. */
function hasEscapedName(text: string): boolean {
  let escape = text.indexOf("\\");
  for (let from = 0; escape >= 0; ) {
    const start = text.indexOf('"', from); // an escape stands in a string, so there is one
    const end = endOfString(text, start);
    if (escape < end) {
      if (text.charCodeAt(afterSpace(text, end)) === colon) return true;
      escape = text.indexOf("\\", end);
    }
    from = end;
  }
  return false;
}

/** Reads JSON that the engine has accepted, each string by itself. */
function readAgain(text: string, number: (digits: string) => unknown): unknown {
  let at = 0;

  const next = (): number => {
    at = afterSpace(text, at);
    return text.charCodeAt(at);
  };
  const readString = (): string => {
    const start = at;
    at = endOfString(text, start);
    return String(JSON.parse(text.slice(start, at)));
  };
  const readWord = (): unknown => {
    const start = at;
    while (at < text.length && !endsWord(text.charCodeAt(at))) at += 1;
    const word = text.slice(start, at);
    return isNumber(word) ? number(word) : JSON.parse(word);
  };
  /** Reads what stands between a pair of brackets, up to and with the closing one. */
  const readMembers = (close: number, readOne: () => void): void => {
    at += 1;
    if (next() === close) at += 1;
    else {
      do {
        next();
        readOne();
        next();
        at += 1;
      } while (text.charCodeAt(at - 1) === comma);
    }
  };
  const readValue = (): unknown => {
    switch (next()) {
      case quote:
        return readString();
      case openBrace: {
        const members: [string, unknown][] = [];
        readMembers(closeBrace, () => {
          const name = readString();
          next();
          at += 1; // the colon
          members.push([name, readValue()]);
        });
        return Object.fromEntries(members); // own members, `__proto__` too, and the last of equal ones
      }
      case openBracket: {
        const items: unknown[] = [];
        readMembers(closeBracket, () => items.push(readValue()));
        return items;
      }
      default:
        return readWord();
    }
  };
  return readValue();
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** Just behind the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let from = start + 1;
  for (let atOnce = 0; ; atOnce = Math.min(2 * atOnce + nearUnits, mostUnits)) {
    const near = Math.min(text.length, from + atOnce);
    for (; from < near; from += 1) {
      const code = text.charCodeAt(from);
      if (code === quote) return from + 1;
      if (code === backslash) from += 1;
    }
    const end = text.indexOf('"', from);
    if (end < 0) return text.length;
    let slashes = 0;
    while (end - 1 - slashes >= from && text.charCodeAt(end - 1 - slashes) === backslash) slashes += 1;
    if (slashes % 2 === 0) return end + 1;
    from = end + 1;
  }
}

/** In a string with JSON in it the next escaped quote is never far: the more of them, the more is read unit by unit. */
const nearUnits = 64;
const mostUnits = 16_384;

function afterSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && text.charCodeAt(at) <= 0x20) at += 1;
  return at;
}

function endsWord(code: number): boolean {
  return code <= 0x20 || code === comma || code === closeBracket || code === closeBrace;
}

function isNumber(word: string): boolean {
  const first = word.charCodeAt(0);
  return first === 0x2d || (first >= 0x30 && first <= 0x39);
}
