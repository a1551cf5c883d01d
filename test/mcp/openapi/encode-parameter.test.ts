import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/mcp/openapi/json-object.ts";
import { operation, sent } from "./tiny-description.ts";

const list = ["blue", "black", "a,b&c"];
const object = { R: 100, G: 200 };

function path(location: string, value: unknown, more: JsonObject): string {
  const parameter = { name: "color", in: location, required: true, schema: {}, ...more };
  const template = location === "path" ? "/x/{color}" : "/x";
  return sent(operation(template, { parameters: [parameter] }, { method: "get" }), { color: value }).path;
}

describe("a parameter in the path (OpenAPI 3.1.1, style values)", () => {
  test.each([
    { name: "simple, a text", more: {}, value: "blue", expected: "/x/blue" },
    { name: "simple, a list", more: {}, value: list, expected: "/x/blue,black,a%2Cb%26c" },
    { name: "simple, an object", more: {}, value: object, expected: "/x/R,100,G,200" },
    { name: "simple exploded, an object", more: { explode: true }, value: object, expected: "/x/R=100,G=200" },
    { name: "label, a text", more: { style: "label" }, value: "blue", expected: "/x/.blue" },
    { name: "label, a list", more: { style: "label" }, value: ["a", "b"], expected: "/x/.a,b" },
    { name: "label exploded, a list", more: { style: "label", explode: true }, value: ["a", "b"], expected: "/x/.a.b" },
    {
      name: "label exploded, an object",
      more: { style: "label", explode: true },
      value: object,
      expected: "/x/.R=100.G=200",
    },
    { name: "matrix, a text", more: { style: "matrix" }, value: "blue", expected: "/x/;color=blue" },
    { name: "matrix, a list", more: { style: "matrix" }, value: ["a", "b"], expected: "/x/;color=a,b" },
    {
      name: "matrix exploded, a list",
      more: { style: "matrix", explode: true },
      value: ["a", "b"],
      expected: "/x/;color=a;color=b",
    },
    {
      name: "matrix exploded, an object",
      more: { style: "matrix", explode: true },
      value: object,
      expected: "/x/;R=100;G=200",
    },
    { name: "a style of queries is taken for simple", more: { style: "form" }, value: "blue", expected: "/x/blue" },
  ])("$name", ({ more, value, expected }) => {
    expect(path("path", value, more)).toBe(expected);
  });
});

describe("a parameter in the query", () => {
  test.each([
    {
      name: "form, a text with everything that means something",
      more: {},
      value: "a&b=c#d+e%20 ü?",
      expected: "/x?color=a%26b%3Dc%23d%2Be%2520%20%C3%BC%3F",
    },
    { name: "form, a list", more: {}, value: list, expected: "/x?color=blue&color=black&color=a%2Cb%26c" },
    {
      name: "form not exploded, a list",
      more: { explode: false },
      value: list,
      expected: "/x?color=blue,black,a%2Cb%26c",
    },
    { name: "form, an object", more: {}, value: object, expected: "/x?R=100&G=200" },
    { name: "form not exploded, an object", more: { explode: false }, value: object, expected: "/x?color=R,100,G,200" },
    {
      name: "spaceDelimited",
      more: { style: "spaceDelimited", explode: false },
      value: ["a", "b"],
      expected: "/x?color=a%20b",
    },
    {
      name: "pipeDelimited",
      more: { style: "pipeDelimited", explode: false },
      value: ["a", "b"],
      expected: "/x?color=a%7Cb",
    },
    {
      name: "deepObject",
      more: { style: "deepObject" },
      value: object,
      expected: "/x?color%5BR%5D=100&color%5BG%5D=200",
    },
    {
      name: "deepObject with lists inside",
      more: { style: "deepObject" },
      value: { a: { b: ["x"] } },
      expected: "/x?color%5Ba%5D%5Bb%5D%5B0%5D=x",
    },
    {
      name: "allowReserved keeps what splits nothing",
      more: { allowReserved: true },
      value: "/a/b:c?d&e=f#g+h",
      expected: "/x?color=/a/b:c?d%26e%3Df%23g%2Bh",
    },
    { name: "an empty list leaves nothing", more: {}, value: [], expected: "/x" },
    { name: "null leaves nothing", more: {}, value: null, expected: "/x" },
    { name: "false and 0 are values", more: {}, value: [false, 0], expected: "/x?color=false&color=0" },
    {
      name: "a list of objects is JSON in each place",
      more: {},
      value: [{ a: 1 }],
      expected: "/x?color=%7B%22a%22%3A1%7D",
    },
  ])("$name", ({ more, value, expected }) => {
    expect(path("query", value, more)).toBe(expected);
  });

  test("described by content, it is JSON", () => {
    const parameter = { name: "filter", in: "query", content: { "application/json": { schema: { type: "object" } } } };
    const compiled = operation("/x", { parameters: [parameter] }, { method: "get" });
    expect(sent(compiled, { filter: { a: ["b"] } }).path).toBe("/x?filter=%7B%22a%22%3A%5B%22b%22%5D%7D");
  });

  test("a path with a query of its own keeps it before the arguments", () => {
    const parameters = [{ name: "q", in: "query", schema: { type: "string" } }];
    expect(sent(operation("/x?Action=List", { parameters }, { method: "get" }), { q: "1" }).path).toBe(
      "/x?Action=List&q=1",
    );
  });
});

describe("a parameter in a header", () => {
  test.each([
    { name: "a text", more: {}, value: "blue", expected: "blue" },
    { name: "a list", more: {}, value: ["a", "b"], expected: "a,b" },
    { name: "an object", more: {}, value: object, expected: "R,100,G,200" },
    { name: "an object, exploded", more: { explode: true }, value: object, expected: "R=100,G=200" },
  ])("$name", ({ more, value, expected }) => {
    const parameters = [{ name: "X-Color", in: "header", schema: {}, ...more }];
    expect(sent(operation("/x", { parameters }, { method: "get" }), { "X-Color": value }).headers["x-color"]).toBe(
      expected,
    );
  });
});
