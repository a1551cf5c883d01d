import { isUtf8 } from "node:buffer";
import { parseJson, parsePlainJson } from "./parse-json.ts";
import { isPlainJson } from "./plain-json.ts";

/** Why a document is refused before anybody acts on it. */
export type JsonFault =
  | { readonly type: "syntax"; readonly message: string }
  | { readonly type: "depth"; readonly message: string }
  | { readonly type: "ambiguous"; readonly message: string };

export type StrictJson = { readonly value: unknown } | { readonly fault: JsonFault };

/**
 * Parses JSON that two readers cannot understand differently: valid UTF-8 without a byte order mark, no member twice
 * in one object (RFC 8259 leaves open which one counts), no lone surrogate, no number beyond a double's range, and no
 * deeper than `maxDepth`. What a policy reads here is then what the upstream reads.
 */
export function parseStrictJson(bytes: Uint8Array, maxDepth: number): StrictJson {
  const text = textOf(bytes);
  if (typeof text !== "string") return { fault: text };
  const isPlain = isPlainJson(text, maxDepth); // before the parser, so that depth is bounded for it as well
  const fault = isPlain ? undefined : findAmbiguity(text, maxDepth);
  if (fault !== undefined) return { fault };
  try {
    return { value: isPlain ? parsePlainJson(text) : parseJson(text) };
  } catch {
    // Of two faults the ambiguity is told; where it looked plain that is not known yet.
    return { fault: (isPlain ? findAmbiguity(text, maxDepth) : undefined) ?? syntax("it is not valid JSON") };
  }
}

/** What `parseStrictJson` would refuse of bytes that were parsed already, and are JSON; undefined where nothing is. */
export function strictJsonFault(bytes: Uint8Array, maxDepth: number): JsonFault | undefined {
  const text = textOf(bytes);
  if (typeof text !== "string") return text;
  return isPlainJson(text, maxDepth) ? undefined : findAmbiguity(text, maxDepth);
}

function textOf(bytes: Uint8Array): string | JsonFault {
  if (!isUtf8(bytes)) return syntax("it is not valid UTF-8");
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return syntax("it begins with a byte order mark");
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

/** One pass over the text with a stack of the objects that are open. */
function findAmbiguity(text: string, maxDepth: number): JsonFault | undefined {
  const open: (Set<string> | undefined)[] = [];
  let names: Set<string> | undefined;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case 0x22: {
        const end = endOfString(text, at);
        const fault = findStringFault(text, at, end, names);
        if (fault !== undefined) return fault;
        at = end;
        break;
      }
      case 0x7b:
      case 0x5b:
        open.push(names);
        if (open.length > maxDepth) return { type: "depth", message: `it is nested deeper than ${maxDepth} levels` };
        names = text.charCodeAt(at) === 0x7b ? new Set() : undefined;
        break;
      case 0x7d:
      case 0x5d:
        names = open.pop();
        break;
      default: {
        const end = endOfNumber(text, at);
        if (end > at && isBeyondDouble(text.slice(at, end))) return ambiguous("it holds a number that is too large");
        at = Math.max(at, end - 1);
      }
    }
  }
  return undefined;
}

/** Whether a colon follows: then the string before was a member's name. */
function isName(text: string, from: number): boolean {
  let at = from;
  while (at < text.length && text.charCodeAt(at) <= 0x20) at += 1;
  return text.charCodeAt(at) === 0x3a;
}

/** What is wrong with a string, or with the name that it is; notes the name. */
function findStringFault(text: string, at: number, end: number, names: Set<string> | undefined): JsonFault | undefined {
  const raw = text.slice(at + 1, end);
  if (raw.includes("\\u") && !isWellFormed(raw)) return ambiguous("it holds half of a surrogate pair");
  if (names === undefined || !isName(text, end + 1)) return undefined;
  const name = raw.includes("\\") ? unescaped(raw) : raw;
  if (names.has(name)) return ambiguous(`the member ${JSON.stringify(name.slice(0, 100))} occurs twice`);
  names.add(name);
  return undefined;
}

/** Just behind the number that begins here; this place itself where none does. */
function endOfNumber(text: string, at: number): number {
  let end = at;
  while (isNumberPart(text.charCodeAt(end))) end += 1;
  return end;
}

function isNumberPart(code: number): boolean {
  const isDigit = code >= 0x30 && code <= 0x39;
  return isDigit || code === 0x2e || code === 0x65 || code === 0x45 || code === 0x2b || code === 0x2d;
}

/** Whether a number is one that many readers take for infinity, and others for an error. */
function isBeyondDouble(number: string): boolean {
  const mayBe = number.length > 308 || /[eE]/.test(number);
  return mayBe && Math.abs(Number(number)) === Number.POSITIVE_INFINITY;
}

function endOfString(text: string, at: number): number {
  let from = at + 1;
  for (;;) {
    const end = text.indexOf('"', from);
    if (end < 0) return text.length;
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === 0x5c && end - 1 - slashes > at) slashes += 1;
    if (slashes % 2 === 0) return end;
    from = end + 1;
  }
}

function unescaped(raw: string): string {
  try {
    return String(parseJson(`"${raw}"`));
  } catch {
    return raw; // the parser that runs next will say what is wrong
  }
}

function isWellFormed(raw: string): boolean {
  return unescaped(raw).isWellFormed();
}

function syntax(message: string): JsonFault {
  return { type: "syntax", message };
}

function ambiguous(message: string): JsonFault {
  return { type: "ambiguous", message };
}
