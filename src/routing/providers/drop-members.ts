import { scanJson } from "../../kernel/json-scan.ts";

const quote = 0x22;
const backslash = 0x5c;

/**
 * A JSON object's bytes without the named top-level members; what stays keeps its bytes and its order. The same buffer
 * when none of them is there.
 */
export function dropMembers(body: Buffer, names: ReadonlySet<string>): Buffer {
  if (names.size === 0) return body;
  const { members } = scanJson(body, { maxDepth: Number.MAX_SAFE_INTEGER });
  const kept = [...members].filter(([name]) => !names.has(name));
  if (kept.length === members.size) return body;
  const parts: Uint8Array[] = [];
  for (const [, [start, end]] of kept) {
    parts.push(parts.length === 0 ? openBrace : comma, body.subarray(startOfName(body, start), end));
  }
  return Buffer.concat(parts.length === 0 ? [openBrace, closeBrace] : [...parts, closeBrace]);
}

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
