import { createHash } from "node:crypto";
import type { OpenApiDocument } from "./openapi-document.ts";
import { dereference, referenceOf } from "./openapi-document.ts";

/** Tells which references of a document are small enough to be written out in each place. Shared by all its tools. */
export interface ReferenceSizes {
  /** A circle is never small: written out it has no end. Throws `resource.invalid` where the reference leads nowhere. */
  isSmall(reference: string): boolean;
}

/** Parts of a schema, references followed, up to which it is written out. */
const smallParts = 150;

/** Sizes by reference, each counted once, and never beyond the bound: a bomb of references costs no more than a schema. */
export function referenceSizes(document: OpenApiDocument): ReferenceSizes {
  const known = new Map<string, boolean>();
  return {
    isSmall(reference) {
      const before = known.get(reference);
      if (before !== undefined) return before;
      const isSmall = countsLittle(document, reference);
      known.set(reference, isSmall);
      return isSmall;
    },
  };
}

function countsLittle(document: OpenApiDocument, reference: string): boolean {
  const open: unknown[] = [{ $ref: reference }];
  let parts = 0;
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    parts += 1;
    if (parts > smallParts) return false;
    const target = referenceOf(value) === undefined ? value : dereference(document, value).value;
    if (target === null || typeof target !== "object") continue;
    for (const child of Object.values(target)) if (child !== null && typeof child === "object") open.push(child);
    // Long lists of plain values have no objects in them, yet are long.
    if (Array.isArray(target)) parts += target.length / 10;
  }
  return true;
}

/** The name of a reference's target in `$defs`: safe in a JSON pointer, the same in whatever order it is asked for. */
export function definitionName(reference: string): string {
  const last = reference.slice(reference.lastIndexOf("/") + 1);
  const isPlain = /^[A-Za-z0-9_.-]{1,64}$/.test(last) && last !== "__proto__";
  if (isPlain && reference === `#/components/schemas/${last}`) return last;
  // Any other place may have the same last name: the hash of the whole tells them apart.
  const hash = createHash("sha256").update(reference).digest("hex").slice(0, 8);
  return `${last.replace(/[^A-Za-z0-9]+/g, "_").slice(0, 40)}_${hash}`;
}
