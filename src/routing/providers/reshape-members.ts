import { scanJson } from "../../kernel/json-scan.ts";

const quote = 0x22;
const backslash = 0x5c;

/** In what the top of a request's body is to be changed. */
export interface MemberChanges {
  /** Members to leave out. */
  readonly drop?: ReadonlySet<string>;
  /** New names by old ones. Where the new name is there already, the old member is left out. */
  readonly rename?: ReadonlyMap<string, string>;
}

/**
 * A JSON object's bytes without some of its top-level members, and others under new names; what stays keeps its bytes
 * and its order. The same buffer when nothing of it is there.
 */
export function reshapeMembers(body: Buffer, { drop = nothing, rename = noNames }: MemberChanges): Buffer {
  if (drop.size === 0 && rename.size === 0) return body;
  const { members } = scanJson(body, { maxDepth: Number.MAX_SAFE_INTEGER });
  const parts: Uint8Array[] = [];
  let isChanged = false;
  for (const [name, [start, end]] of members) {
    const newName = rename.get(name);
    isChanged ||= newName !== undefined || drop.has(name);
    if (drop.has(newName ?? name) || (newName !== undefined && members.has(newName))) continue;
    parts.push(parts.length === 0 ? openBrace : comma);
    if (newName === undefined) parts.push(body.subarray(startOfName(body, start), end));
    else parts.push(Buffer.from(`${JSON.stringify(newName)}:`), body.subarray(start, end));
  }
  if (!isChanged) return body;
  return Buffer.concat(parts.length === 0 ? [openBrace, closeBrace] : [...parts, closeBrace]);
}

const nothing: ReadonlySet<string> = new Set();
const noNames: ReadonlyMap<string, string> = new Map();
const openBrace = Buffer.from("{");
const comma = Buffer.from(",");
const closeBrace = Buffer.from("}");

// Between a name and its value stand white space and one colon, so the quote before the value closes the name.
function startOfName(body: Buffer, valueStart: number): number {
  let at = body.lastIndexOf(quote, valueStart - 1);
  do at = body.lastIndexOf(quote, at - 1);
  while (isEscaped(body, at));
  return at;
}

function isEscaped(body: Buffer, at: number): boolean {
  let slashes = 0;
  while (body[at - 1 - slashes] === backslash) slashes += 1;
  return slashes % 2 === 1;
}
