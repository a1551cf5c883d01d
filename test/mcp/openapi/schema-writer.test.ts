import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/mcp/openapi/json-object.ts";
import { objectMember } from "../../../src/mcp/openapi/json-object.ts";
import { schemaFaults } from "./expect-usable.ts";
import { body, described, onlyTool } from "./tiny-description.ts";

/** The input schema of an operation that takes one `body` argument or the members of this schema. */
function input(schema: unknown, schemas: JsonObject = {}, version = "3.1.0"): JsonObject {
  const paths = { "/x": { post: { ...body("application/json", schema), responses: {} } } };
  const { inputSchema } = onlyTool(described(paths, { schemas }, version)).definition;
  expect(schemaFaults(inputSchema)).toEqual([]);
  return inputSchema;
}

/** The schema that one member of a body gets. */
function member(schema: unknown, version = "3.1.0", schemas: JsonObject = {}): unknown {
  return objectMember(input({ type: "object", properties: { m: schema } }, schemas, version), "properties")["m"];
}

describe("schemas of 3.0 in the form of 2020-12", () => {
  test.each([
    { name: "nullable", from: { type: "string", nullable: true }, to: { type: ["string", "null"] } },
    {
      name: "nullable with values",
      from: { type: "string", nullable: true, enum: ["a"] },
      to: { type: ["string", "null"], enum: ["a", null] },
    },
    {
      name: "nullable around a form",
      from: { nullable: true, allOf: [{ type: "string" }] },
      to: { anyOf: [{ allOf: [{ type: "string" }] }, { type: "null" }] },
    },
    {
      name: "exclusive bounds",
      from: { type: "number", minimum: 1, exclusiveMinimum: true, maximum: 5, exclusiveMaximum: false },
      to: { type: "number", exclusiveMinimum: 1, maximum: 5 },
    },
    { name: "an example", from: { type: "string", example: "x" }, to: { type: "string", examples: ["x"] } },
    {
      name: "what is not JSON Schema is left out",
      from: { type: "string", xml: {}, externalDocs: {}, "x-y": 1, minLength: "3", format: "uuid" },
      to: { type: "string", format: "uuid" },
    },
    { name: "a type that is none", from: { type: "file", description: "d" }, to: { description: "d" } },
    {
      name: "words beside a reference",
      from: { $ref: "#/components/schemas/N", description: "d", minimum: 5 },
      to: { type: "integer", description: "d" },
    },
  ])("$name", ({ from, to }) => {
    expect(member(from, "3.0.3", { N: { type: "integer" } })).toEqual(to);
  });
});

describe("schemas of 3.1", () => {
  test.each([
    { name: "types in a list", from: { type: ["string", "null"] }, to: { type: ["string", "null"] } },
    { name: "true takes anything", from: true, to: {} },
    { name: "a constant", from: { const: 1 }, to: { const: 1 } },
    {
      name: "what stands beside a reference counts",
      from: { $ref: "#/components/schemas/N", minimum: 5 },
      to: { minimum: 5, allOf: [{ type: "integer" }] },
    },
    {
      name: "conditions and names",
      from: { if: { type: "string" }, then: { minLength: 1 }, propertyNames: { maxLength: 3 } },
      to: { if: { type: "string" }, then: { minLength: 1 }, propertyNames: { maxLength: 3 } },
    },
    {
      name: "lists by place, old and new",
      from: { type: "array", items: [{ type: "string" }] },
      to: { type: "array", prefixItems: [{ type: "string" }] },
    },
    {
      name: "hidden characters are taken out of descriptions",
      from: { description: "a\u202eb\u{e0041}\u0007c" },
      to: { description: "ab c" },
    },
  ])("$name", ({ from, to }) => {
    expect(member(from, "3.1.0", { N: { type: "integer" } })).toEqual(to);
  });
});

describe("members that are for one side only", () => {
  test("readOnly ones are no arguments, also where another schema requires them", () => {
    const schema = {
      allOf: [
        { type: "object", properties: { id: { type: "string", readOnly: true }, name: { type: "string" } } },
        { type: "object", required: ["id", "name"] },
      ],
    };
    expect(input(schema)).toEqual({
      type: "object",
      properties: { name: { type: "string" } },
      required: ["name"],
      additionalProperties: false,
    });
  });

  test("writeOnly ones are no part of an answer", () => {
    const schema = {
      type: "object",
      required: ["password"],
      properties: { password: { type: "string", writeOnly: true }, id: { type: "string" } },
    };
    const responses = { 200: { content: { "application/json": { schema } } } };
    const tool = onlyTool(described({ "/x": { get: { responses } } }));
    expect(tool.definition.outputSchema).toEqual({ type: "object", properties: { id: { type: "string" } } });
  });
});

describe("references", () => {
  const tree = {
    type: "object",
    properties: {
      value: { type: "string" },
      children: { type: "array", items: { $ref: "#/components/schemas/Tree" } },
    },
  };

  test("in a circle become a definition", () => {
    const schema = input(
      { type: "object", properties: { root: { $ref: "#/components/schemas/Tree" } } },
      { Tree: tree },
    );
    expect(schema["properties"]).toEqual({ root: { $ref: "#/$defs/Tree" } });
    expect(objectMember(objectMember(schema, "$defs"), "Tree")["properties"]).toEqual({
      children: { type: "array", items: { $ref: "#/$defs/Tree" } },
      value: { type: "string" },
    });
  });

  test("that lead to each other without end are refused with the reason", () => {
    const schemas = { A: { $ref: "#/components/schemas/B" }, B: { $ref: "#/components/schemas/A" } };
    expect(() => input({ $ref: "#/components/schemas/A" }, schemas)).toThrow(/leads to itself/);
    expect(() => input({ $ref: "#/components/schemas/None" })).toThrow(/leads nowhere/);
    expect(() => input({ $ref: "#/constructor" })).toThrow(/leads nowhere/);
  });

  test("that double at each step cost no more than the schemas themselves", () => {
    const steps = Array.from({ length: 60 }, (_, at): [string, JsonObject] => {
      const next = { $ref: `#/components/schemas/S${at + 1}` };
      return [`S${at}`, { type: "object", properties: { a: next, b: next, c: next } }];
    });
    const schemas = { ...Object.fromEntries(steps), S60: { type: "object", properties: {} } };
    const schema = input({ type: "object", properties: { bomb: { $ref: "#/components/schemas/S0" } } }, schemas);
    expect(JSON.stringify(schema).length).toBeLessThan(100_000);
  });

  test("in a chain of 20,000 schemas end at the limit, and not at the end of the stack", () => {
    const schemas = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, at) => [
        `S${at}`,
        { type: "object", properties: { next: { $ref: `#/components/schemas/S${at + 1}` } } },
      ]),
    );
    expect(() => input({ type: "object", properties: { a: { $ref: "#/components/schemas/S0" } } }, schemas)).toThrow(
      /larger than 10000 parts/,
    );
  });

  test("from places of the same last name are told apart", () => {
    const odd = { "a/b": { ...tree, title: "1" }, a_b: { ...tree, title: "2" } };
    const properties = { one: { $ref: "#/components/schemas/a~1b" }, two: { $ref: "#/components/schemas/a_b" } };
    const schema = input(
      { type: "object", properties: { ...properties, t: { $ref: "#/components/schemas/Tree" } } },
      { ...odd, Tree: tree },
    );
    const names = Object.values(objectMember(schema, "properties")).map((part) => JSON.stringify(part));
    expect(new Set(names).size).toBe(3);
  });
});

test("a list of very many values is told as its length", () => {
  const values = Array.from({ length: 200_000 }, (_, at) => `v${at}`);
  expect(member({ type: "string", enum: values })).toEqual({ type: "string", description: "(One of 200000 values.)" });
});
