import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeHeaderValue } from "../../../src/mcp/wire/modern.ts";
import { paramHeaders, paramHeadersOf } from "../../../src/mcp/wire/param-headers.ts";

const schema = {
  type: "object",
  properties: {
    region: { type: "string", "x-mcp-header": "Region" },
    deep: { type: "object", properties: { count: { type: "integer", "x-mcp-header": "Count" } } },
    plain: { type: "string" },
  },
};

test("every text that an argument can be comes out of its header again", () => {
  const declared = paramHeadersOf(schema) ?? [];
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.integer(), (region, count) => {
      const headers = paramHeaders(declared, { region, deep: { count }, plain: "no" });
      expect(Object.keys(headers)).toEqual(["mcp-param-region", "mcp-param-count"]);
      expect(decodeHeaderValue(headers["mcp-param-region"] ?? "")).toBe(region);
      expect(headers["mcp-param-count"]).toBe(String(count));
    }),
  );
});

test("an argument that is not given, or is of another type, has no header", () => {
  const declared = paramHeadersOf(schema) ?? [];
  expect(paramHeaders(declared, { region: null, deep: { count: 1.5 } })).toEqual({});
  expect(paramHeaders(declared, undefined)).toEqual({});
  expect(paramHeaders([{ path: ["__proto__", "x"], name: "X" }], {})).toEqual({});
});

describe("a declaration is invalid that", () => {
  test.each([
    { name: "is no header name", property: { type: "string", "x-mcp-header": "a b" } },
    { name: "breaks the line", property: { type: "string", "x-mcp-header": "a\r\nb" } },
    { name: "is of an object", property: { type: "object", "x-mcp-header": "A" } },
    { name: "is of a fraction", property: { type: "number", "x-mcp-header": "A" } },
  ])("$name", ({ property }) => {
    expect(paramHeadersOf({ type: "object", properties: { a: property } })).toBeUndefined();
  });

  test("is there twice but for capitals", () => {
    const properties = { a: { type: "string", "x-mcp-header": "X" }, b: { type: "string", "x-mcp-header": "x" } };
    expect(paramHeadersOf({ type: "object", properties })).toBeUndefined();
  });
});
