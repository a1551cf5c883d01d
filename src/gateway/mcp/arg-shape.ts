import { shortHash } from "./short-hash.ts";

const maxDepth = 8;
const maxParts = 500;

/**
 * A hash of which members the arguments have and of what types, by which calls that look alike are found; nothing of a
 * value. Lists count by the kinds of their entries. What lies deeper than 8 levels, or comes after 500 parts, is left out.
 */
export function argShapeHash(given: Readonly<Record<string, unknown>>): string {
  return shortHash(shapeOf(given, 0, { parts: 0 }));
}

const plainName = /^[\w.-]+$/;

function shapeOf(value: unknown, depth: number, seen: { parts: number }): string {
  seen.parts += 1;
  if (depth > maxDepth || seen.parts > maxParts) return "…";
  if (Array.isArray(value)) {
    const shapes = new Set(value.slice(0, maxParts).map((entry) => shapeOf(entry, depth + 1, seen)));
    return `[${[...shapes].toSorted().join("|")}]`;
  }
  if (value === null) return "null";
  if (typeof value !== "object") return typeof value;
  const members = Object.entries(value)
    .slice(0, maxParts)
    .map(
      ([name, item]) =>
        `${plainName.test(name) ? `"${name}"` : JSON.stringify(name)}:${shapeOf(item, depth + 1, seen)}`,
    );
  return `{${members.toSorted().join(",")}}`;
}
