import { createHash } from "node:crypto";
import type { OpenApiOperation } from "./list-operations.ts";

const nameLimit = 64;
const hashCharacters = 8;

/**
 * A name for each operation: its operationId, or verb and path (`get_pets_by_petId`), of letters, digits, `_` and `-`,
 * at most 64. Where names are equal but for case, each of them gets a hash of its method and path, so that none passes
 * to another operation when the description grows. Depends on all operations, not on which are selected.
 */
export function toolNames(operations: readonly OpenApiOperation[]): ReadonlyMap<OpenApiOperation, string> {
  const natural = new Map(operations.map((operation) => [operation, naturalName(operation)]));
  const times = new Map<string, number>();
  for (const name of natural.values()) times.set(name.toLowerCase(), (times.get(name.toLowerCase()) ?? 0) + 1);
  const taken = new Set<string>();
  const names = new Map<OpenApiOperation, string>();
  for (const [operation, name] of natural) {
    if (times.get(name.toLowerCase()) !== 1) continue;
    taken.add(name.toLowerCase());
    names.set(operation, name);
  }
  for (const [operation, name] of natural) {
    if (names.has(operation)) continue;
    const own = withHash(name, operation, taken);
    taken.add(own.toLowerCase());
    names.set(operation, own);
  }
  return names;
}

/** A name of an administrator's choice, or undefined where no tool can have it. */
export function isToolName(name: string): boolean {
  return /^[A-Za-z0-9_-]{1,64}$/.test(name);
}

function naturalName(operation: OpenApiOperation): string {
  const byId = operation.operationId === undefined ? "" : safeName(operation.operationId);
  const name = byId === "" ? nameOfPlace(operation) : byId;
  return name.length <= nameLimit ? name : withHash(name, operation, new Set());
}

function nameOfPlace({ method, path }: OpenApiOperation): string {
  const parts = path.split("/").filter((part) => part !== "");
  const words = parts.map((part) => part.replace(/\{([^{}]*)\}/g, "_by_$1_"));
  return safeName([method.toLowerCase(), ...words].join("_"));
}

function safeName(text: string): string {
  return text
    .replace(/[^A-Za-z0-9_-]+/g, "_")
    .replace(/_{2,}/g, "_")
    .replace(/^[_-]+|[_-]+$/g, "");
}

function withHash(name: string, operation: OpenApiOperation, taken: ReadonlySet<string>): string {
  const hash = createHash("sha256").update(`${operation.method} ${operation.path}`).digest("hex");
  for (let length = hashCharacters; ; length += 4) {
    const own = `${name.slice(0, nameLimit - 1 - length)}_${hash.slice(0, length)}`;
    // Two whole hashes are never equal, as no two operations have the same place.
    if (!taken.has(own.toLowerCase()) || length >= hash.length - 4) return own;
  }
}
