import type { JsonObject } from "./json-object.ts";
import { isJsonObject, listMember, objectMember, ownMember, sortedMembers } from "./json-object.ts";
import type { OpenApiDocument } from "./openapi-document.ts";
import { dereference } from "./openapi-document.ts";
import { isNullable, typesOf } from "./schema-values.ts";
import { requiredNames } from "./schema-writer.ts";

/** The members of an object that may be given one by one. */
export interface FlatMembers {
  /** Schemas as they stand in the description, by name, sorted. */
  readonly properties: ReadonlyMap<string, unknown>;
  readonly required: ReadonlySet<string>;
  /** What holds for the members together and no schema of one of them can say; a sentence each. */
  readonly notes: readonly string[];
}

/** What a schema may say beside its members without being more than they are. */
const harmless = new Set(
  (
    "type title description properties required allOf anyOf oneOf example examples default deprecated externalDocs xml " +
    "discriminator nullable additionalProperties unevaluatedProperties readOnly writeOnly minProperties $comment $schema " +
    "$id format"
  ).split(" "),
);
const nestedLimit = 8;

/**
 * The members of a schema that is an object of known members and nothing else; undefined for any other: one of several
 * shapes, with members of any name, or that may be null. `allOf` of such schemas is one.
 */
export function flatMembers(document: OpenApiDocument, schema: unknown, nested = 0): FlatMembers | undefined {
  const { value } = dereference(document, schema);
  if (!isJsonObject(value) || nested > nestedLimit || !isPlainObject(value)) return undefined;
  const branches = listMember(value, "allOf").map((branch) => flatMembers(document, branch, nested + 1));
  const properties = new Map(branches.flatMap((branch) => Array.from(branch?.properties ?? [])));
  for (const [name, property] of Object.entries(objectMember(value, "properties"))) {
    if (properties.has(name) && properties.get(name) !== property) return undefined; // said twice, and both hold
    properties.set(name, property);
  }
  if (branches.includes(undefined)) return undefined;
  const counted = branches.reduce((sum, branch) => sum + (branch?.properties.size ?? 0), 0);
  if (new Set(branches.flatMap((branch) => Array.from(branch?.properties.keys() ?? []))).size < counted)
    return undefined;
  const required = [...requiredNames(value), ...branches.flatMap((branch) => Array.from(branch?.required ?? []))];
  return {
    properties: new Map(sortedMembers(Object.fromEntries(properties))),
    required: new Set(required),
    notes: [...notesOf(value), ...branches.flatMap((branch) => branch?.notes ?? [])],
  };
}

function isPlainObject(schema: JsonObject): boolean {
  const types = typesOf(schema);
  if (types.length > 1 || (types.length === 1 && types[0] !== "object") || isNullable(schema)) return false;
  if (types.length === 0 && !Object.hasOwn(schema, "properties") && listMember(schema, "allOf").length === 0) {
    return listMember(schema, "required").length > 0;
  }
  const more = ownMember(schema, "additionalProperties");
  if (more !== undefined && more !== false) return false;
  if (!choicesOf(schema).every(isRequiredOnly)) return false;
  return Object.keys(schema).every((name) => harmless.has(name) || name.startsWith("x-"));
}

function choicesOf(schema: JsonObject): readonly unknown[] {
  return [...listMember(schema, "anyOf"), ...listMember(schema, "oneOf")];
}

/** A choice that only says which members must be there, as in `anyOf: [{ required: [a] }, { required: [b] }]`. */
function isRequiredOnly(choice: unknown): boolean {
  return (
    isJsonObject(choice) &&
    requiredNames(choice).length > 0 &&
    Object.keys(choice).every((name) => ["required", "title", "description", "type"].includes(name))
  );
}

function notesOf(schema: JsonObject): readonly string[] {
  const choices = choicesOf(schema)
    .filter(isJsonObject)
    .map((choice) => requiredNames(choice).join(" and "));
  const least = ownMember(schema, "minProperties");
  return [
    ...(choices.length > 0 ? [`Needs ${choices.slice(0, 20).join(", or ")}.`] : []),
    ...(typeof least === "number" && least > 0 ? [`Needs at least ${least} of the members of the body.`] : []),
  ];
}
