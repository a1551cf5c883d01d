import { GatewayError } from "./errors.ts";
import type { ByteRange } from "./json-scan.ts";
import { endOfString, readName } from "./json-scan.ts";

type Path = readonly (string | number)[];

/**
 * Where the values at `paths` stand in the bytes of a valid JSON document: for each path what `locateJson` says, in one
 * walk over the bytes however many there are. Throws `request.invalid` as it does, for a member that occurs twice in an
 * object on the way.
 */
export function locateAll(bytes: Uint8Array, paths: readonly Path[]): readonly (ByteRange | undefined)[] {
  const found: (ByteRange | undefined)[] = paths.map(() => undefined);
  walk(bytes, skipSpace(bytes, 0), wantedBy(paths), found);
  return found;
}

/**
 * Where the values at `paths` begin, as `locateAll` finds them, of bytes that are known to have no member twice: what
 * stands behind the last of them is not looked at.
 */
export function locateStarts(bytes: Uint8Array, paths: readonly Path[]): readonly (number | undefined)[] {
  const found: (ByteRange | undefined)[] = paths.map(() => undefined);
  walk(bytes, skipSpace(bytes, 0), wantedBy(paths), found, { left: paths.length });
  return found.map((range) => range?.[0]);
}

/** How many are not found yet, where nothing behind the last one counts. */
interface Left {
  left: number;
}

/** The paths as a tree, so that each byte is looked at for all of them at once. */
interface Wanted {
  /** The paths that end here, by their place in the list. */
  readonly here: number[];
  readonly members: Map<string, Wanted>;
  readonly elements: Map<number, Wanted>;
}

function wantedBy(paths: readonly Path[]): Wanted {
  const root = emptyWanted();
  for (const [index, path] of paths.entries()) {
    let node = root;
    for (const step of path) node = typeof step === "number" ? below(node.elements, step) : below(node.members, step);
    node.here.push(index);
  }
  return root;
}

function below<Step>(steps: Map<Step, Wanted>, step: Step): Wanted {
  const known = steps.get(step);
  if (known !== undefined) return known;
  const made = emptyWanted();
  steps.set(step, made);
  return made;
}

function emptyWanted(): Wanted {
  return { here: [], members: new Map(), elements: new Map() };
}

/** Walks the value that begins at `at` and answers its end. Goes no deeper than the paths do. */
function walk(bytes: Uint8Array, at: number, wanted: Wanted, found: (ByteRange | undefined)[], until?: Left): number {
  const byte = bytes[at];
  if (until !== undefined && wanted.here.length > 0 && at < bytes.length) {
    for (const index of wanted.here) found[index] = [at, bytes.length];
    until.left -= wanted.here.length;
    if (until.left === 0) return bytes.length;
  }
  let end: number;
  if (byte === openBrace && wanted.members.size > 0) end = walkObject(bytes, at, wanted, found, until);
  else if (byte === openBracket && wanted.elements.size > 0) end = walkArray(bytes, at, wanted, found, until);
  else end = endOfValue(bytes, at);
  if (end > at) for (const index of wanted.here) found[index] = [at, end];
  return end;
}

function walkObject(
  bytes: Uint8Array,
  from: number,
  wanted: Wanted,
  found: (ByteRange | undefined)[],
  until: Left | undefined,
): number {
  const seen = new Set<string>();
  let at = skipSpace(bytes, from + 1);
  while (bytes[at] === quote) {
    const nameEnd = endOfString(bytes, at) + 1;
    const name = readName(bytes, at, nameEnd);
    if (seen.has(name)) {
      throw new GatewayError("request.invalid", `The member ${JSON.stringify(name)} occurs twice.`, { param: name });
    }
    seen.add(name);
    at = skipSpace(bytes, skipSpace(bytes, nameEnd) + 1);
    const child = wanted.members.get(name);
    at = skipSpace(bytes, child === undefined ? endOfValue(bytes, at) : walk(bytes, at, child, found, until));
    if (bytes[at] !== comma) break;
    at = skipSpace(bytes, at + 1);
  }
  return at + 1;
}

function walkArray(
  bytes: Uint8Array,
  from: number,
  wanted: Wanted,
  found: (ByteRange | undefined)[],
  until: Left | undefined,
): number {
  let at = skipSpace(bytes, from + 1);
  for (let index = 0; at < bytes.length && bytes[at] !== closeBracket; index += 1) {
    const child = wanted.elements.get(index);
    at = skipSpace(bytes, child === undefined ? endOfValue(bytes, at) : walk(bytes, at, child, found, until));
    if (bytes[at] !== comma) break;
    at = skipSpace(bytes, at + 1);
  }
  return at + 1;
}

const quote = 0x22;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const comma = 0x2c;

/** Just behind the value that begins at `at`. */
function endOfValue(bytes: Uint8Array, at: number): number {
  const first = bytes[at];
  if (first === quote) return endOfString(bytes, at) + 1;
  const isNested = first === openBrace || first === openBracket;
  let depth = 0;
  for (let end = at; end < bytes.length; end += 1) {
    const byte = bytes[end];
    if (byte === quote) end = endOfString(bytes, end);
    else if (byte === openBrace || byte === openBracket) depth += 1;
    else if (byte === closeBrace || byte === closeBracket) {
      depth -= 1;
      if (isNested && depth === 0) return end + 1;
    }
    if (!isNested && (depth < 0 || byte === comma || isSpace(byte))) return end;
  }
  return bytes.length;
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && isSpace(bytes[at])) at += 1;
  return at;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
