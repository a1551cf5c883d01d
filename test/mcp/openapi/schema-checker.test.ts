import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { schemaChecker } from "../../../src/mcp/openapi/schema-checker.ts";
import type { JsonSchema } from "../../../src/mcp/openapi/schema-values.ts";

function faults(schema: JsonSchema, value: unknown): readonly string[] {
  return schemaChecker(schema)(value).map(({ path, message }) => `${path}: ${message}`);
}

describe("what fits and what does not", () => {
  test.each<{ name: string; schema: JsonSchema; good: readonly unknown[]; bad: readonly unknown[] }>([
    { name: "types", schema: { type: "integer" }, good: [1, -0, 1e3], bad: [1.5, "1", null, true, [], {}] },
    { name: "a number is an integer too", schema: { type: "number" }, good: [1, 1.5], bad: ["1"] },
    { name: "several types", schema: { type: ["string", "null"] }, good: ["", null], bad: [0] },
    { name: "values", schema: { enum: ["a", { b: 1 }, null] }, good: ["a", { b: 1 }, null], bad: ["b", {}] },
    { name: "a constant", schema: { const: [1] }, good: [[1]], bad: [1, [2]] },
    {
      name: "lengths in characters, not in units",
      schema: { minLength: 2, maxLength: 2 },
      good: ["ab", "😀😀", 5],
      bad: ["a", "abc", "😀"],
    },
    { name: "patterns anywhere in the text", schema: { pattern: "b+c" }, good: ["abbc", 1], bad: ["ab"] },
    { name: "bounds", schema: { minimum: 1, exclusiveMaximum: 3 }, good: [1, 2.9, "x"], bad: [0, 3] },
    { name: "multiples of a fraction", schema: { multipleOf: 0.1 }, good: [0.3, 1.1, 0], bad: [0.35] },
    { name: "required members", schema: { required: ["constructor"] }, good: [{ constructor: 1 }, []], bad: [{}] },
    {
      name: "members and no others",
      schema: { properties: { a: { type: "string" } }, additionalProperties: false },
      good: [{}, { a: "" }],
      bad: [{ a: 1 }, { b: 1 }],
    },
    {
      name: "members by pattern",
      schema: { patternProperties: { "^x-": { type: "string" } }, additionalProperties: { type: "integer" } },
      good: [{ "x-a": "", b: 1 }],
      bad: [{ "x-a": 1 }, { b: "" }],
    },
    { name: "names", schema: { propertyNames: { maxLength: 2 } }, good: [{ ab: 1 }], bad: [{ abc: 1 }] },
    {
      name: "counts of members",
      schema: { minProperties: 1, maxProperties: 2 },
      good: [{ a: 1 }],
      bad: [{}, { a: 1, b: 1, c: 1 }],
    },
    {
      name: "what one member asks of the others",
      schema: { dependentSchemas: { a: { required: ["b"] } } },
      good: [{}, { a: 1, b: 1 }],
      bad: [{ a: 1 }],
    },
    {
      name: "items",
      schema: { items: { type: "string" }, minItems: 1, maxItems: 2 },
      good: [["a"]],
      bad: [[], [1], ["a", "b", "c"]],
    },
    {
      name: "items by place",
      schema: { prefixItems: [{ type: "string" }], items: false },
      good: [["a"], []],
      bad: [["a", "b"], [1]],
    },
    {
      name: "items that may not repeat",
      schema: { uniqueItems: true },
      good: [[1, "1", { a: 1 }]],
      bad: [
        [
          { a: 1, b: 2 },
          { b: 2, a: 1 },
        ],
      ],
    },
    { name: "an item that must be there", schema: { contains: { const: 1 } }, good: [[2, 1]], bad: [[2], []] },
    { name: "all of", schema: { allOf: [{ minimum: 1 }, { maximum: 2 }] }, good: [1, 2], bad: [0, 3] },
    { name: "any of", schema: { anyOf: [{ type: "string" }, { minimum: 5 }] }, good: ["", 5], bad: [1] },
    { name: "one of", schema: { oneOf: [{ multipleOf: 2 }, { multipleOf: 3 }] }, good: [2, 3], bad: [6, 1] },
    { name: "not", schema: { not: { type: "string" } }, good: [1], bad: [""] },
    {
      name: "if, then and else",
      schema: { if: { type: "string" }, then: { minLength: 1 }, else: { minimum: 1 } },
      good: ["a", 1],
      bad: ["", 0],
    },
    { name: "false", schema: false, good: [], bad: [null, 0] },
    { name: "true", schema: true, good: [null, 0], bad: [] },
  ])("$name", ({ schema, good, bad }) => {
    for (const value of good) expect(faults(schema, value)).toEqual([]);
    for (const value of bad) expect(faults(schema, value)).not.toEqual([]);
  });

  test("circles of definitions are followed as deep as the value goes", () => {
    const schema = {
      $ref: "#/$defs/T",
      $defs: { T: { type: "object", properties: { t: { $ref: "#/$defs/T" } }, additionalProperties: false } },
    };
    expect(faults(schema, { t: { t: {} } })).toEqual([]);
    expect(faults(schema, { t: { t: { u: 1 } } })).toEqual(["t.t.u: is not known here; allowed: t"]);
  });
});

describe("what is told", () => {
  test("every fault with its path, and never the value", () => {
    const schema = {
      type: "object",
      properties: {
        filter: {
          type: "object",
          properties: { tags: { type: "array", items: { enum: ["a", "b"] } } },
          required: ["name"],
        },
      },
      additionalProperties: false,
    };
    expect(faults(schema, { filter: { tags: ["a", "secret"] }, oops: 1 })).toEqual([
      "filter.name: is required",
      'filter.tags[1]: must be one of "a", "b"',
      "oops: is not known here; allowed: filter",
    ]);
  });

  test("the faults of the form that came nearest", () => {
    const schema = { anyOf: [{ type: "string" }, { properties: { a: { properties: { b: { type: "integer" } } } } }] };
    expect(faults(schema, { a: { b: "x" } })).toEqual([": fits none of 2 forms", "a.b: must be integer, not string"]);
  });

  test("no more than 20 of them", () => {
    const value = Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`m${at}`, 1]));
    expect(faults({ additionalProperties: false }, value)).toHaveLength(20);
  });
});

describe("hostile schemas and values", () => {
  test("a pattern that would hang other engines takes no time", () => {
    const check = schemaChecker({ pattern: "^(a+)+$" });
    expect(check(`${"a".repeat(10_000)}!`)).toHaveLength(1);
  });

  test("a pattern that the engine has no words for refuses nothing", () => {
    expect(faults({ pattern: "(?=a)b" }, "x")).toEqual([]);
    expect(faults({ patternProperties: { "(?=a)b": false }, additionalProperties: false }, { x: 1 })).toEqual([]);
  });

  test("a definition that is itself, and forms that double at each level, come to an end", () => {
    const self = { $ref: "#/$defs/A", $defs: { A: { anyOf: [{ $ref: "#/$defs/A" }, { $ref: "#/$defs/A" }] } } };
    expect(faults(self, 1)).not.toEqual([]);
    const doubling = {
      $ref: "#/$defs/L",
      $defs: {
        L: {
          anyOf: [1, 2].map((n) => ({
            type: "object",
            required: ["x", `n${n}`],
            properties: { x: { $ref: "#/$defs/L" } },
          })),
        },
      },
    };
    const deep = Array.from({ length: 60 }).reduce((inner) => ({ x: inner }), {});
    expect(faults(doubling, deep)).not.toEqual([]);
  });

  test("any JSON is checked without a fault of ours", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 4 }), (schema, value) => {
        const check = schemaChecker(
          schema !== null && typeof schema === "object" && !Array.isArray(schema) ? schema : {},
        );
        expect(Array.isArray(check(value))).toBe(true);
      }),
    );
  });
});
