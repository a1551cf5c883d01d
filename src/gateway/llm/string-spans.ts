import type { TextSpan } from "../../pipeline/define-guardrail.ts";
import type { PlacedSpan } from "../edit-strings.ts";
import { encodedText } from "../encoded-text.ts";

type Path = readonly (string | number)[];

/**
 * Every string at and below `value` that is a text: also in members that nobody had thought of when this was written,
 * for a text that no guardrail sees is a way around all of them. Left out are ids, roles, encodings and names of types,
 * and media that are no text. Names of members are no spans: they could not be rewritten.
 *
 * `place` names the value. A list's elements are numbered by their own `index` where they have one, as in streams.
 */
export function stringSpans(
  value: unknown,
  path: Path,
  place: string,
  author: TextSpan["author"],
): readonly PlacedSpan[] {
  const spans: PlacedSpan[] = [];
  collect(value, path, place, author, spans, false);
  return spans;
}

/** `isOwn`: names are the model's own there, as in the arguments of a call, so that `status` may hold any text. */
function collect(
  value: unknown,
  path: Path,
  place: string,
  author: TextSpan["author"],
  into: PlacedSpan[],
  isOwn: boolean,
): void {
  if (typeof value === "string") {
    if (value !== "") into.push({ place, text: value, author, path });
  } else if (Array.isArray(value)) {
    for (const [position, element] of value.entries()) {
      if (!isLooked(element)) continue;
      const at = isOwn ? position : (indexOf(element) ?? position);
      collect(element, [...path, position], `${place}[${at}]`, author, into, isOwn);
    }
  } else if (value !== null && typeof value === "object") {
    for (const [name, below] of Object.entries(value)) {
      if (!isLooked(below)) continue;
      const isSkipped = !isOwn && isNoText(name, below);
      if (isSkipped && media.has(name)) into.push(...bytesSpans(below, [...path, name], `${place}.${name}`, author));
      if (isSkipped) continue;
      collect(below, [...path, name], `${place}.${name}`, author, into, isOwn || (name === "input" && isCall(value)));
    }
  }
}

/** Texts, and what may have some below. */
function isLooked(value: unknown): boolean {
  return typeof value === "string" ? value !== "" : value !== null && typeof value === "object";
}

/** Members whose string is a handle or the letters of bytes. What else bears such a name (a property) is looked into. */
const handles: ReadonlySet<string> = new Set([
  "role",
  "id",
  "tool_call_id",
  "call_id",
  "format",
  "signature",
  "tool_use_id",
  "media_type",
  "file_id",
  "item_id",
  "status",
  "obfuscation",
]);
const media: ReadonlySet<string> = new Set(["data", "file_data", "b64_json", "encrypted_content"]);
const typeName = /^[a-z][a-z0-9_.]{0,31}$/;
const base64 = /^[A-Za-z0-9+/_=-]{256,}$/;

function isNoText(name: string, value: unknown): boolean {
  if (name === "image_url") return true;
  if (typeof value !== "string") return false;
  if (name === "type" || name === "stop_reason") return typeName.test(value);
  return handles.has(name) || (media.has(name) && isBytes(value));
}

/** Of a file that is a text, whatever its type is said to be, the text. */
function bytesSpans(letters: unknown, path: Path, place: string, author: TextSpan["author"]): readonly PlacedSpan[] {
  const encoded = typeof letters === "string" ? encodedText(letters) : undefined;
  return encoded === undefined ? [] : [{ place, author, path, ...encoded }];
}

/** A call of Anthropic's, whose arguments are no text but an object: `tool_use`, `server_tool_use`, `mcp_tool_use`. */
function isCall(owner: object): boolean {
  return "type" in owner && typeof owner.type === "string" && owner.type.endsWith("tool_use");
}

// By its look, so that words do not become bytes by standing in a member of that name; a picture is not that short.
function isBytes(text: string): boolean {
  return text.startsWith("data:") || base64.test(text);
}

function indexOf(element: unknown): number | undefined {
  if (element === null || typeof element !== "object" || !("index" in element)) return undefined;
  const { index } = element;
  return typeof index === "number" ? index : undefined;
}
