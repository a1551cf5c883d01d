import { invalid } from "../../core/parse-document.ts";
import type { JsonObject } from "./json-object.ts";
import { isJsonObject, ownMember } from "./json-object.ts";

/** An OpenAPI description as read: an object whose shape nobody has checked beyond its version. */
export interface OpenApiDocument {
  /** Whose schemas it has: 3.0 has a dialect of its own; from 3.1 on they are JSON Schema 2020-12. */
  readonly version: "3.0" | "3.1";
  readonly root: JsonObject;
  /** Where it came from: relative servers and references are relative to this. */
  readonly address: string | undefined;
  /** Documents that it refers to, by address; a reference to any other is refused. Their own references are absolute. */
  readonly others: ReadonlyMap<string, JsonObject>;
}

/** References in a row that lead to nothing but the next one; more are taken for a circle. */
const hopLimit = 32;

/** What a reference finally leads to, and the last reference on the way, by which it is known. */
export interface Resolved {
  readonly value: unknown;
  readonly reference: string | undefined;
}

/**
 * The value itself where it is no `$ref`, else what it leads to. Throws `resource.invalid` for one that leads nowhere,
 * in a circle, or out of the documents that are there.
 */
export function dereference(document: OpenApiDocument, value: unknown): Resolved {
  let current = value;
  let reference: string | undefined;
  for (let hops = 0; hops <= hopLimit; hops += 1) {
    const next = referenceOf(current);
    if (next === undefined) return { value: current, reference };
    reference = next;
    current = lookUp(document, next);
  }
  throw fault(`$ref ${short(reference ?? "")} leads to itself, or over more than ${hopLimit} others`);
}

/** The `$ref` of an object; undefined where it has none. */
export function referenceOf(value: unknown): string | undefined {
  const reference = isJsonObject(value) ? ownMember(value, "$ref") : undefined;
  return typeof reference === "string" ? reference : undefined;
}

/** The address before the `#` of a reference, made absolute where that is possible; empty for one inside the document. */
export function addressOf(reference: string, base: string | undefined): string {
  const [address = ""] = reference.split("#", 1);
  if (address === "" || (base === undefined && !URL.canParse(address))) return address;
  return URL.canParse(address, base) ? new URL(address, base).href : address;
}

function lookUp(document: OpenApiDocument, reference: string): unknown {
  const address = addressOf(reference, document.address);
  const isInside = address === "" || address === document.address;
  const start = isInside ? document.root : document.others.get(address);
  if (start === undefined) {
    throw fault(`$ref ${short(reference)} leads to another document, which is not followed`);
  }
  const found = atPointer(start, reference.includes("#") ? reference.slice(reference.indexOf("#") + 1) : "");
  if (found === undefined) throw fault(`$ref ${short(reference)} leads nowhere`);
  return found;
}

/** RFC 6901 in its form for fragments (section 6). */
function atPointer(start: unknown, fragment: string): unknown {
  if (fragment === "") return start;
  const pointer = decoded(fragment);
  if (!pointer.startsWith("/")) return undefined;
  let current = start;
  for (const part of pointer.slice(1).split("/")) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(current)) current = /^\d{1,9}$/.test(name) ? current[Number(name)] : undefined;
    else current = isJsonObject(current) ? ownMember(current, name) : undefined;
  }
  return current;
}

function decoded(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}

function short(reference: string): string {
  return JSON.stringify(reference.length > 200 ? `${reference.slice(0, 200)}…` : reference);
}

function fault(message: string): Error {
  return invalid([{ path: "", message }]);
}
