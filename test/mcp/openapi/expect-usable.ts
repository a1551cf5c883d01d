import { expect } from "vitest";
import type { JsonObject } from "../../../src/mcp/openapi/json-object.ts";
import { isJsonObject, objectMember, ownMember } from "../../../src/mcp/openapi/json-object.ts";
import type { ToolsOfOpenApi } from "../../../src/mcp/openapi/tools-from-openapi.ts";

/** Fails unless all tools have names and schemas that MCP and the models' APIs take. */
export function expectUsable({ tools }: ToolsOfOpenApi): void {
  const names = tools.map((tool) => tool.definition.name);
  expect(names.filter((name) => !/^[A-Za-z0-9_-]{1,64}$/.test(name))).toEqual([]);
  expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(names.length);
  for (const { definition } of tools) {
    expect(definition.inputSchema["type"]).toBe("object");
    expect(definition.inputSchema["additionalProperties"]).toBe(false);
    const properties = Object.keys(objectMember(definition.inputSchema, "properties"));
    expect(properties.filter((name) => !/^[a-zA-Z0-9_.-]{1,64}$/.test(name))).toEqual([]);
    expect(schemaFaults(definition.inputSchema)).toEqual([]);
    expect(properties).toEqual(expect.arrayContaining((definition.inputSchema["required"] ?? []) as string[])); // a list, as the faults above would tell
    if (definition.outputSchema === undefined) continue;
    expect(definition.outputSchema["type"]).toBe("object");
    expect(schemaFaults(definition.outputSchema)).toEqual([]);
  }
}

/** One line about a description: what was made of it. */
export function figures(name: string, made: ToolsOfOpenApi): string {
  const bytes = made.tools.map((tool) => JSON.stringify(tool.definition.inputSchema).length);
  const longest = Math.max(0, ...made.tools.map((tool) => tool.definition.name.length));
  const refused = made.refused.map(({ operation, reason }) => `${operation}: ${reason}`).join("; ");
  return [
    `${name}: ${made.operations} operations, ${made.tools.length} tools, ${made.refused.length} refused`,
    `longest name ${longest}, biggest input schema ${Math.max(0, ...bytes)} bytes${refused === "" ? "" : `, ${refused}`}`,
  ].join(", ");
}

/** What is not JSON Schema 2020-12 in a schema of ours: keywords of OpenAPI, wrong kinds, references that lead nowhere. */
export function schemaFaults(root: JsonObject): readonly string[] {
  const faults: string[] = [];
  const definitions = objectMember(root, "$defs");
  const open: (readonly [path: string, schema: unknown])[] = [["", root]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [path, schema] = next;
    if (typeof schema === "boolean") continue;
    if (!isJsonObject(schema)) {
      faults.push(`${path} is no schema`);
      continue;
    }
    for (const [keyword, value] of Object.entries(schema)) {
      const kind = kinds[keyword];
      if (kind === undefined || !kind.holds(value)) faults.push(`${path}/${keyword}`);
      const parts = kind?.parts?.(value) ?? [];
      for (const [index, part] of parts) open.push([`${path}/${keyword}/${index}`, part]);
    }
    const reference = ownMember(schema, "$ref");
    if (reference === undefined) continue;
    const isThere = typeof reference === "string" && Object.hasOwn(definitions, reference.replace("#/$defs/", ""));
    if (!isThere) faults.push(`${path}/$ref leads nowhere`);
  }
  return faults;
}

interface Kind {
  holds(value: unknown): boolean;
  parts?(value: unknown): readonly (readonly [string | number, unknown])[];
}

const text: Kind = { holds: (value) => typeof value === "string" };
const flag: Kind = { holds: (value) => typeof value === "boolean" };
const number: Kind = { holds: (value) => typeof value === "number" };
const count: Kind = { holds: (value) => Number.isInteger(value) && Number(value) >= 0 };
const anything: Kind = { holds: () => true };
const values: Kind = { holds: (value) => Array.isArray(value) && value.length > 0 };
const names: Kind = { holds: (value) => Array.isArray(value) && new Set(value).size === value.length };
const schema: Kind = { holds: () => true, parts: (value) => [["", value]] };
const schemas: Kind = {
  holds: (value) => Array.isArray(value) && value.length > 0,
  parts: (value) => (Array.isArray(value) ? Array.from(value.entries()) : []),
};
const named: Kind = { holds: isJsonObject, parts: (value) => (isJsonObject(value) ? Object.entries(value) : []) };

const kinds: Readonly<Record<string, Kind>> = {
  $ref: text,
  $defs: named,
  title: text,
  description: text,
  type: { holds: (value) => typeof value === "string" || (Array.isArray(value) && value.length > 1) },
  enum: values,
  const: anything,
  default: anything,
  examples: values,
  format: text,
  contentEncoding: text,
  contentMediaType: text,
  deprecated: flag,
  minimum: number,
  maximum: number,
  exclusiveMinimum: number,
  exclusiveMaximum: number,
  multipleOf: number,
  minLength: count,
  maxLength: count,
  minItems: count,
  maxItems: count,
  minProperties: count,
  maxProperties: count,
  pattern: text,
  uniqueItems: flag,
  required: names,
  properties: named,
  patternProperties: named,
  dependentSchemas: named,
  additionalProperties: schema,
  propertyNames: schema,
  items: schema,
  contains: schema,
  not: schema,
  if: schema,
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: schema,
  else: schema,
  allOf: schemas,
  anyOf: schemas,
  oneOf: schemas,
  prefixItems: schemas,
};
