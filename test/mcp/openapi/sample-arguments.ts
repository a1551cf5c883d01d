import fc from "fast-check";
import type { JsonObject } from "../../../src/mcp/openapi/json-object.ts";
import { isJsonObject, listMember, objectMember, ownMember } from "../../../src/mcp/openapi/json-object.ts";
import type { OpenApiTool } from "../../../src/mcp/openapi/openapi-tool.ts";
import { schemaChecker } from "../../../src/mcp/openapi/schema-checker.ts";
import { typesOf } from "../../../src/mcp/openapi/schema-values.ts";

/** Arguments that a tool's input schema allows, made from the schema alone. Strings fit where they go: path, header. */
export function sampleArguments(tool: OpenApiTool): fc.Arbitrary<JsonObject> {
  const { inputSchema } = tool.definition;
  const places = new Map(
    tool.request.parameters.flatMap(({ from, location }) => ("argument" in from ? [[from.argument, location]] : [])),
  );
  const required = new Set(listMember(inputSchema, "required"));
  const definitions = objectMember(inputSchema, "$defs");
  const check = schemaChecker(inputSchema);
  const members = Object.entries(objectMember(inputSchema, "properties")).map(([name, schema]) => {
    const value = valueOf(schema, definitions, textFor(places.get(name)), 4);
    return [name, required.has(name) ? value : fc.option(value, { nil: undefined })] as const;
  });
  return fc
    .record(Object.fromEntries(members))
    .map(withoutUndefined)
    .filter(
      (args) =>
        check(args).length === 0 && !Array.from(places).some(([name, place]) => place === "path" && climbs(args[name])),
    );
}

/** What the schema allows and no path does. */
function climbs(value: unknown): boolean {
  return value === "." || value === ".." || value === "";
}

function withoutUndefined(record: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

function textFor(place: string | undefined): fc.Arbitrary<string> {
  if (place === "path") {
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
    return text.filter((one) => !/\p{Cc}|[.%]/u.test(one));
  }
  if (place !== "header") return fc.string({ unit: "grapheme", maxLength: 20 });
  return fc.stringMatching(/^[!-~]([ -~]{0,10}[!-~])?$/);
}

function valueOf(
  schema: unknown,
  definitions: JsonObject,
  text: fc.Arbitrary<string>,
  depth: number,
): fc.Arbitrary<unknown> {
  if (!isJsonObject(schema)) return fc.constant("x");
  const inner = (part: unknown): fc.Arbitrary<unknown> => valueOf(part, definitions, text, depth - 1);
  const reference = ownMember(schema, "$ref");
  if (typeof reference === "string") return inner(ownMember(definitions, reference.slice("#/$defs/".length)));
  if (Object.keys(schema).every((name) => name === "required")) return fc.constant({}); // one of the forms of an object
  const choices = listMember(schema, "enum");
  if (choices.length > 0) return fc.constantFrom(...choices);
  if (Object.hasOwn(schema, "const")) return fc.constant(schema["const"]);
  const forms = [...listMember(schema, "anyOf"), ...listMember(schema, "oneOf")];
  const own =
    forms.length === 0 || Object.hasOwn(schema, "properties") ? ownValue(schema, text, depth, inner) : undefined;
  const all = listMember(schema, "allOf").map(inner);
  const parts = [...(own === undefined || (all.length > 0 && typesOf(schema).length === 0) ? [] : [own]), ...all];
  const form = forms.length === 0 ? [] : [fc.oneof(...forms.map(inner))];
  return fc.tuple(...parts, ...form).map((values) => {
    const last = values.at(-1);
    return values.every(isJsonObject) ? Object.fromEntries(values.flatMap(Object.entries)) : last;
  });
}

function ownValue(
  schema: JsonObject,
  text: fc.Arbitrary<string>,
  depth: number,
  inner: (part: unknown) => fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  const [type = Object.hasOwn(schema, "properties") ? "object" : "string"] = typesOf(schema);
  switch (type) {
    case "object": {
      const required = listMember(schema, "required");
      const members = Object.entries(objectMember(schema, "properties"))
        .filter(([name]) => depth > 0 || required.includes(name))
        .filter(([, part]) => depth > 1 || !isJsonObject(part) || !Object.hasOwn(part, "$ref"))
        .map(([name, part]) => [
          name,
          required.includes(name) ? inner(part) : fc.option(inner(part), { nil: undefined }),
        ]);
      return fc.record(Object.fromEntries(members) as Record<string, fc.Arbitrary<unknown>>).map(withoutUndefined); // pairs of names and arbitraries, as made above
    }
    case "array": {
      const least = number(schema, "minItems") ?? 1;
      return fc.array(inner(ownMember(schema, "items")), { minLength: least, maxLength: Math.max(least, 3) });
    }
    case "integer":
      return fc.integer({ min: number(schema, "minimum") ?? -1000, max: number(schema, "maximum") ?? 100_000 });
    case "number":
      return fc.integer({ min: number(schema, "minimum") ?? -1000, max: number(schema, "maximum") ?? 1000 });
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    default:
      return textOf(schema, text);
  }
}

function textOf(schema: JsonObject, text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const pattern = ownMember(schema, "pattern");
  if (typeof pattern === "string") return fc.stringMatching(new RegExp(pattern));
  if (ownMember(schema, "contentEncoding") === "base64")
    return fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("base64"));
  const least = number(schema, "minLength") ?? 0;
  const most = number(schema, "maxLength") ?? 1_000;
  return text.map((one) => Array.from(one.padEnd(least, "x")).slice(0, most).join("") || "x");
}

function number(schema: JsonObject, name: string): number | undefined {
  const value = ownMember(schema, name);
  return typeof value === "number" ? value : undefined;
}
