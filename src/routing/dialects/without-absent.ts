import type { WireObject } from "./member-reader.ts";

/** The members that are there. */
export function withoutAbsent(members: WireObject): WireObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
