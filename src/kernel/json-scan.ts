import { GatewayError } from "./errors.ts";
import { parseJson } from "./parse-json.ts";

/** Half-open byte range `[start, end)` of a JSON value in its document. */
export type ByteRange = readonly [start: number, end: number];

export interface JsonScanLimits {
  /** How deep arrays and objects may nest; 1 is a flat object. */
  readonly maxDepth: number;
}

/** Where the members of a top-level object stand in the bytes. */
export interface JsonScan {
  /** Value ranges by member name. Empty when the document is not an object. */
  readonly members: ReadonlyMap<string, ByteRange>;
  /** Byte offset just behind the opening brace, where a new first member may be put; -1 when not an object. */
  readonly insertAt: number;
  readonly depth: number;
}

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const colon = 0x3a;
const comma = 0x2c;

/**
 * One pass over the bytes of a JSON document that `JSON.parse` has accepted or will see next: finds the top-level
 * members so that one of them can be replaced without re-serialising the rest (numbers beyond 2^53, escapes and key
 * order survive), and bounds the depth before anything recursive runs.
 *
 * A member name that occurs twice throws `request.invalid`: two readers of such a document may disagree about it, and
 * a policy must not see another request than the upstream does. Throws `request.too_deep` beyond `maxDepth`.
 * It is no validator: what it does not understand it leaves to `JSON.parse`.
 */
export function scanJson(bytes: Uint8Array, { maxDepth }: JsonScanLimits): JsonScan {
  const members = new Map<string, ByteRange>();
  let insertAt = -1;
  let depth = 0;
  let deepest = 0;
  let name: string | undefined;
  let valueStart = -1;
  let nameStart = -1;
  let topIsObject = false;

  const endMember = (end: number): void => {
    if (name === undefined || valueStart < 0) return;
    if (members.has(name)) {
      throw new GatewayError("request.invalid", `The member ${JSON.stringify(name)} occurs twice.`, { param: name });
    }
    members.set(name, trimRange(bytes, valueStart, end));
    name = undefined;
    valueStart = -1;
  };

  for (let at = 0; at < bytes.length; at += 1) {
    switch (bytes[at]) {
      case quote: {
        const start = at;
        at = endOfString(bytes, at);
        if (depth === 1 && topIsObject && name === undefined) {
          nameStart = start;
          name = readName(bytes, nameStart, at + 1);
        }
        break;
      }
      case openBrace:
      case openBracket:
        depth += 1;
        if (depth > deepest) deepest = depth;
        if (depth > maxDepth) {
          throw new GatewayError("request.too_deep", `The body is nested deeper than ${maxDepth} levels.`);
        }
        if (depth === 1 && insertAt < 0 && bytes[at] === openBrace) {
          topIsObject = true;
          insertAt = at + 1;
        }
        break;
      case closeBrace:
      case closeBracket:
        if (depth === 1 && topIsObject) endMember(at);
        depth -= 1;
        break;
      case colon:
        if (depth === 1 && topIsObject && name !== undefined && valueStart < 0) valueStart = at + 1;
        break;
      case comma:
        if (depth === 1 && topIsObject) endMember(at);
        break;
      default:
    }
  }
  return { members, insertAt, depth: deepest };
}

/** One replacement in a byte string. `start === end` inserts. */
export interface ByteEdit {
  readonly start: number;
  readonly end: number;
  readonly replacement: string | Uint8Array;
}

/** The bytes with all edits made. Edits may come in any order; those that overlap or lie outside throw a RangeError. */
export function spliceBytes(bytes: Uint8Array, edits: readonly ByteEdit[]): Buffer {
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const edit of edits.toSorted((left, right) => left.start - right.start)) {
    if (edit.start < from) throw new RangeError("edits overlap");
    if (edit.end < edit.start || edit.end > bytes.length) throw new RangeError("an edit lies outside of the bytes");
    parts.push(bytes.subarray(from, edit.start));
    parts.push(typeof edit.replacement === "string" ? Buffer.from(edit.replacement) : edit.replacement);
    from = edit.end;
  }
  parts.push(bytes.subarray(from));
  return Buffer.concat(parts);
}

/**
 * Where the value at `path` stands in the bytes of a valid JSON document, or undefined when there is none.
 * `locateJson(body, ["messages", 2, "content"])` is the range of that string with its quotes.
 */
export function locateJson(bytes: Uint8Array, path: readonly (string | number)[]): ByteRange | undefined {
  let range: ByteRange = trimRange(bytes, 0, bytes.length);
  for (const step of path) {
    const next = typeof step === "number" ? elementRange(bytes, range, step) : memberRange(bytes, range, step);
    if (next === undefined) return undefined;
    range = next;
  }
  return range;
}

function memberRange(bytes: Uint8Array, range: ByteRange, name: string): ByteRange | undefined {
  if (bytes[range[0]] !== openBrace) return undefined;
  const offset = range[0];
  const found = scanJson(bytes.subarray(range[0], range[1]), { maxDepth: Number.MAX_SAFE_INTEGER }).members.get(name);
  return found && [found[0] + offset, found[1] + offset];
}

function elementRange(bytes: Uint8Array, range: ByteRange, index: number): ByteRange | undefined {
  if (bytes[range[0]] !== openBracket) return undefined;
  let depth = 0;
  let seen = 0;
  let start = range[0] + 1;
  for (let at = range[0]; at < range[1]; at += 1) {
    const byte = bytes[at];
    if (byte === quote) at = endOfString(bytes, at);
    else if (byte === openBrace || byte === openBracket) depth += 1;
    else if (byte === closeBrace || byte === closeBracket) depth -= 1;
    const ends = (depth === 1 && byte === comma) || (depth === 0 && byte === closeBracket);
    if (!ends) continue;
    if (seen === index) {
      const element = trimRange(bytes, start, at);
      return element[0] < element[1] ? element : undefined;
    }
    seen += 1;
    start = at + 1;
  }
  return undefined;
}

/** Offset of the closing quote of the string that opens at `at`, or the last byte when it never closes. */
export function endOfString(bytes: Uint8Array, at: number): number {
  let from = at + 1;
  for (let atOnce = nearBytes; ; atOnce = Math.min(2 * atOnce, mostBytes)) {
    const near = Math.min(bytes.length, from + atOnce);
    for (; from < near; from += 1) {
      const byte = bytes[from];
      if (byte === quote) return from;
      if (byte === backslash) from += 1;
    }
    const end = bytes.indexOf(quote, from);
    if (end < 0) return bytes.length - 1;
    let slashes = 0;
    while (end - 1 - slashes >= from && bytes[end - 1 - slashes] === backslash) slashes += 1;
    if (slashes % 2 === 0) return end;
    from = end + 1;
  }
}

/** Most strings are shorter than what a call of `indexOf` costs. */
const nearBytes = 48;
/** In a string with JSON in it the next escaped quote is never far: the more of them, the more is read byte by byte. */
const mostBytes = 16_384;

/** The text of the string in `[start, end)`, quotes included in the range; escapes are read. */
export function readName(bytes: Uint8Array, start: number, end: number): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("utf8");
  if (!text.includes("\\")) return text.slice(1, -1);
  try {
    return String(parseJson(text)); // an escaped name must equal its plain twin
  } catch {
    return text;
  }
}

function trimRange(bytes: Uint8Array, start: number, end: number): ByteRange {
  let from = start;
  let to = end;
  while (from < to && isSpace(bytes[from])) from += 1;
  while (to > from && isSpace(bytes[to - 1])) to -= 1;
  return [from, to];
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
