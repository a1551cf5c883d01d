/** An object of a JSON document from outside. Read its members by the functions below: a name may be `constructor`. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a value is a JSON object: no list, no null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** A member of the object's own; undefined where it has none, also for names that every JavaScript object has. */
export function ownMember(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** A member that is an object; an empty one where it is anything else. */
export function objectMember(object: JsonObject, name: string): JsonObject {
  const value = ownMember(object, name);
  return isJsonObject(value) ? value : {};
}

/** A member that is a list; an empty one where it is anything else. */
export function listMember(object: JsonObject, name: string): readonly unknown[] {
  const value = ownMember(object, name);
  return Array.isArray(value) ? value : [];
}

/** A member that is a text with something in it; undefined where it is anything else. */
export function textMember(object: JsonObject, name: string): string | undefined {
  const value = ownMember(object, name);
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

/** The members in the order of their names by UTF-16 units, so that what is made of them depends on no order in a file. */
export function sortedMembers(object: JsonObject): readonly (readonly [name: string, value: unknown])[] {
  return Object.entries(object).toSorted(([left], [right]) => (left < right ? -1 : 1));
}
