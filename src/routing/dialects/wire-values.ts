import type { WireObject } from "./member-reader.ts";
import { isWireObject } from "./member-reader.ts";

// Of what a provider answers, nothing is sure: what has not the type that it should have counts as absent.

/** A text; empty where it is none. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The objects of a list; none where it is no list. */
export function objectsOf(value: unknown): readonly WireObject[] {
  return Array.isArray(value) ? value.filter(isWireObject) : [];
}

/** A count of tokens among an object's members; undefined where there is none, or none that makes sense. */
export function countOf(value: unknown, name: string): number | undefined {
  const found = isWireObject(value) ? value[name] : undefined;
  return typeof found === "number" && Number.isSafeInteger(found) && found >= 0 ? found : undefined;
}
