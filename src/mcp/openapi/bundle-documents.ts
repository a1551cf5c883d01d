import type { JsonObject } from "./json-object.ts";
import { isJsonObject } from "./json-object.ts";
import type { OpenApiDocument } from "./openapi-document.ts";
import { addressOf, referenceOf } from "./openapi-document.ts";

/**
 * The documents with each `$ref` in them made absolute, so that it means the same wherever its place is copied to.
 * Keys are the documents' addresses.
 */
export function bundleDocuments(others: ReadonlyMap<string, JsonObject>): ReadonlyMap<string, JsonObject> {
  return new Map(Array.from(others, ([address, root]) => [address, absolute(root, address)]));
}

/**
 * Addresses of the documents that a description and those with it refer to and that are not there yet, sorted. Whoever
 * may fetch them does so, reads the description again with them, and asks again until nothing is missing.
 */
export function missingDocuments(document: OpenApiDocument): readonly string[] {
  const missing = new Set<string>();
  const open: unknown[] = [document.root, ...document.others.values()];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    const reference = referenceOf(value);
    const address = reference === undefined ? "" : addressOf(reference, document.address);
    if (address !== "" && address !== document.address && !document.others.has(address)) missing.add(address);
    for (const child of childrenOf(value)) if (child !== null && typeof child === "object") open.push(child);
  }
  return Array.from(missing).toSorted();
}

function childrenOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return isJsonObject(value) ? Object.values(value) : [];
}

// The depth of a document was bounded when it was read.
function absolute(root: JsonObject, address: string): JsonObject {
  return Object.fromEntries(
    Object.entries(root).map(([name, value]) => {
      if (name !== "$ref" || typeof value !== "string") return [name, absoluteValue(value, address)];
      const fragment = value.includes("#") ? value.slice(value.indexOf("#")) : "#";
      return [name, `${value.startsWith("#") ? address : addressOf(value, address)}${fragment}`];
    }),
  );
}

function absoluteValue(value: unknown, address: string): unknown {
  if (Array.isArray(value)) return value.map((item) => absoluteValue(item, address));
  return isJsonObject(value) ? absolute(value, address) : value;
}
