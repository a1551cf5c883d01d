import { canonicalJson } from "../../kernel/canonical-json.ts";
import type { JsonObject } from "./json-object.ts";
import { listMember, ownMember } from "./json-object.ts";

/** A JSON Schema of 2020-12. */
export type JsonSchema = JsonObject | boolean;

/** What a schema may say without schemas inside it, member by member; what is of the wrong kind is left out. */
export type SchemaValues = Record<string, unknown>;

const enumLimit = 1_000;
const exampleLimit = 3;
const exampleCharacters = 300;
const defaultCharacters = 1_000;
const typeNames = new Set(["string", "number", "integer", "boolean", "object", "array", "null"]);
const counts = ["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"] as const;

/** The types of a schema by the names of JSON Schema; empty where it names none. */
export function typesOf(schema: JsonObject): readonly string[] {
  const type = ownMember(schema, "type");
  const names = Array.isArray(type) ? type : [type];
  return Array.from(new Set(names.filter((name): name is string => typeof name === "string" && typeNames.has(name))));
}

/** Whether null is meant to be a value: `nullable` of 3.0, which many write in 3.1 as well. */
export function isNullable(schema: JsonObject): boolean {
  return ownMember(schema, "nullable") === true;
}

/**
 * Everything of a schema that holds no schema, in the form of 2020-12: the boolean bounds of 3.0 become numbers, an
 * `example` becomes `examples`. `withNull` adds null to types and values.
 */
export function schemaValues(schema: JsonObject, withNull: boolean): SchemaValues {
  const types = typesOf(schema);
  const values: SchemaValues = {};
  const title = ownMember(schema, "title");
  if (typeof title === "string" && title !== "") values["title"] = plainText(title, 100);
  const description = describe(schema);
  if (description !== "") values["description"] = description;
  if (types.length > 0) values["type"] = typeMember(types, withNull);
  addChoices(values, schema, withNull);
  addExamples(values, schema);
  for (const name of ["format", "contentEncoding", "contentMediaType"]) {
    const text = ownMember(schema, name);
    if (typeof text === "string" && text !== "" && text.length <= 100) values[name] = text;
  }
  if (ownMember(schema, "deprecated") === true) values["deprecated"] = true;
  addBounds(values, schema);
  return values;
}

/** Text of a description for people and models: no control, tag or direction-changing characters, and no longer than asked. */
export function plainText(text: string, limit: number): string {
  const plain = text
    .replace(/\r\n?/g, "\n")
    .replace(/\p{Cc}/gu, (character) => (character === "\n" ? character : " "))
    .replace(/[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/gu, "")
    .trim()
    .toWellFormed();
  if (plain.length <= limit) return plain;
  return `${plain
    .slice(0, limit - 1)
    .replace(/[\ud800-\udbff]$/, "")
    .trimEnd()}…`;
}

function typeMember(types: readonly string[], withNull: boolean): unknown {
  const all = withNull && !types.includes("null") ? [...types, "null"] : types;
  return all.length === 1 ? all[0] : all;
}

function describe(schema: JsonObject): string {
  const description = ownMember(schema, "description");
  const text = typeof description === "string" ? plainText(description, 1_000) : "";
  const choices = listMember(schema, "enum").length;
  return choices > enumLimit ? `${text}\n(One of ${choices} values.)`.trim() : text;
}

function addChoices(values: SchemaValues, schema: JsonObject, withNull: boolean): void {
  const choices = listMember(schema, "enum");
  if (choices.length > 0 && choices.length <= enumLimit) {
    const all = withNull ? [...choices, null] : choices;
    values["enum"] = Array.from(new Map(all.map((choice) => [canonicalJson(choice), choice])).values());
  }
  if (Object.hasOwn(schema, "const")) values["const"] = schema["const"];
  const preset = ownMember(schema, "default");
  if (preset !== undefined && JSON.stringify(preset).length <= defaultCharacters) values["default"] = preset;
}

function addExamples(values: SchemaValues, schema: JsonObject): void {
  const example = ownMember(schema, "example");
  const all = example === undefined ? listMember(schema, "examples") : [example];
  const short = all.filter((one) => one !== undefined && JSON.stringify(one).length <= exampleCharacters);
  if (short.length > 0) values["examples"] = short.slice(0, exampleLimit);
}

function addBounds(values: SchemaValues, schema: JsonObject): void {
  for (const [bound, exclusive] of [
    ["minimum", "exclusiveMinimum"],
    ["maximum", "exclusiveMaximum"],
  ] as const) {
    const edge = ownMember(schema, bound);
    const open = ownMember(schema, exclusive);
    if (isNumber(edge)) values[open === true ? exclusive : bound] = edge;
    if (isNumber(open)) values[exclusive] = open;
  }
  const step = ownMember(schema, "multipleOf");
  if (isNumber(step) && step > 0) values["multipleOf"] = step;
  for (const name of counts) {
    const count = ownMember(schema, name);
    if (isNumber(count) && Number.isInteger(count) && count >= 0) values[name] = count;
  }
  const pattern = ownMember(schema, "pattern");
  if (typeof pattern === "string" && pattern.length <= 1_000) values["pattern"] = pattern;
  if (ownMember(schema, "uniqueItems") === true) values["uniqueItems"] = true;
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
