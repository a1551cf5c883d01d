// long: each way in which a description may be odd, against the tools that come of it
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/mcp/openapi/json-object.ts";
import { isJsonObject, objectMember } from "../../../src/mcp/openapi/json-object.ts";
import type { ToolOptions, ToolsOfOpenApi } from "../../../src/mcp/openapi/tools-from-openapi.ts";
import { toolsFromOpenApi } from "../../../src/mcp/openapi/tools-from-openapi.ts";
import { body, described, onlyTool } from "./tiny-description.ts";

const text = { type: "string" };

function tools(paths: JsonObject, options: Partial<ToolOptions> = {}, components: JsonObject = {}): ToolsOfOpenApi {
  return toolsFromOpenApi(described(paths, components), { select: { include: ["*"] }, ...options });
}

function properties(node: JsonObject, components: JsonObject = {}, path = "/x/{id}"): JsonObject {
  return objectMember(onlyTool(described({ [path]: { post: node } }, components)).definition.inputSchema, "properties");
}

const get = (operationId: string, more: JsonObject = {}): JsonObject => ({ get: { operationId, ...more } });

describe("hints and overrides", () => {
  test.each([
    { method: "get", hints: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true } },
    {
      method: "head",
      hints: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true },
    },
    { method: "put", hints: { readOnlyHint: false, idempotentHint: true, openWorldHint: true } },
    {
      method: "delete",
      hints: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
    },
    { method: "post", hints: { readOnlyHint: false, idempotentHint: false, openWorldHint: true } },
  ])("$method says what it promises", ({ method, hints }) => {
    expect(onlyTool(described({ "/x": { [method]: {} } })).definition.annotations).toEqual(hints);
  });

  test("an override replaces what it names and nothing else", () => {
    const document = described({ "/x": { post: { operationId: "find", summary: "S", description: "D" } } });
    const override = { name: "search", annotations: { readOnlyHint: true } };
    for (const key of ["find", "POST /x"]) {
      expect(onlyTool(document, { overrides: new Map([[key, override]]) }).definition).toMatchObject({
        name: "search",
        title: "S",
        description: "D",
        annotations: { readOnlyHint: true, idempotentHint: false },
      });
    }
  });

  test.each([
    { name: "a name that is taken", override: { name: "b" }, reason: /are both b/ },
    { name: "a name that no tool can have", override: { name: "a b" }, reason: /cannot be called/ },
  ])("refuses $name", ({ override, reason }) => {
    expect(() => tools({ "/a": get("a"), "/b": get("b") }, { overrides: new Map([["a", override]]) })).toThrow(reason);
  });

  test("a deprecated operation says so, and a description has an end", () => {
    const { description } = onlyTool(
      described({ "/x": get("x", { deprecated: true, description: "d".repeat(5_000) }) }),
    ).definition;
    expect(description).toMatch(/^Deprecated\. d+…$/);
    expect(description.length).toBeLessThan(2_050);
  });
});

describe("arguments", () => {
  test("are named as the parameters and members; one that is taken tells where it goes", () => {
    const parameters = [
      { name: "id", in: "path", required: true, schema: text },
      { name: "id", in: "query", description: "Another id.", schema: text },
    ];
    const node = { parameters, ...body("application/json", { type: "object", properties: { id: text, name: text } }) };
    expect(properties(node)).toEqual({
      id: text,
      id_query: { type: "string", description: 'Another id. (Sent as the query parameter "id".)' },
      id_body: { type: "string", description: '(Sent as the member "id" of the body.)' },
      name: text,
    });
  });

  test("get names that the models' APIs take", () => {
    const parameters = [
      { name: "filter[name]", in: "query", schema: text },
      { name: "$top", in: "query", schema: text },
    ];
    expect(Object.keys(properties({ parameters }, {}, "/x"))).toEqual(["filter_name", "top"]);
  });

  test("are what the operation says, where its path says something else", () => {
    const item = {
      parameters: [{ name: "id", in: "path", schema: text }],
      get: { parameters: [{ name: "id", in: "path", schema: { type: "integer" } }] },
    };
    expect(onlyTool(described({ "/x/{id}": item })).definition.inputSchema).toMatchObject({
      properties: { id: { type: "integer" } },
      required: ["id"],
    });
  });

  test("include a path parameter that nobody has described", () => {
    expect(properties({})).toEqual({ id: text });
  });

  test("are never credentials, cookies, or headers of the connection", () => {
    const securitySchemes = {
      a: { type: "apiKey", in: "query", name: "sig" },
      b: { type: "apiKey", in: "header", name: "X-Tenant-Secret" },
      c: { type: "http", scheme: "bearer" },
    };
    const refused = [
      ["query", "sig"],
      ["header", "x-tenant-secret"],
      ["header", "Authorization"],
      ["header", "Cookie"],
      ["header", "Host"],
      ["header", "Content-Length"],
      ["header", "Transfer-Encoding"],
      ["header", "X-Forwarded-For"],
      ["header", "Proxy-Authorization"],
      ["header", "X-API-Key"],
      ["query", "api_key"],
      ["query", "access_token"],
      ["cookie", "session"],
      ["header", "Accept"],
      ["header", "Content-Type"],
      ["header", "Mcp-Session-Id"],
      ["header", "X-HTTP-Method-Override"],
    ];
    const parameters = [
      ...refused.map(([location, name]) => ({ in: location, name, schema: text })),
      { in: "query", name: "sigma", schema: text },
    ];
    expect(properties({ parameters }, { securitySchemes }, "/x")).toEqual({ sigma: text });
  });

  test("are not what the administrator has fixed", () => {
    const parameters = [{ name: "version", in: "query", required: true, schema: text }];
    const tool = onlyTool(described({ "/x": { get: { parameters } } }), { fixed: new Map([["version", "2"]]) });
    expect(tool.definition.inputSchema).toEqual({ type: "object", properties: {}, additionalProperties: false });
  });
});

describe("bodies", () => {
  test.each([
    { name: "members of any name", schema: { type: "object", properties: { a: text }, additionalProperties: true } },
    {
      name: "several forms",
      schema: {
        oneOf: [
          { type: "object", properties: { a: text } },
          { type: "object", properties: { b: text } },
        ],
      },
    },
    { name: "a list", schema: { type: "array", items: text } },
    { name: "an object or null", schema: { type: ["object", "null"], properties: { a: text } } },
    { name: "no schema", schema: {} },
  ])("with $name are one argument", ({ schema }) => {
    expect(Object.keys(properties(body("application/json", schema), {}, "/x"))).toEqual(["body"]);
  });

  test("of several parts that are all objects are their members", () => {
    const schema = {
      allOf: [
        { type: "object", required: ["a"], properties: { a: text } },
        { type: "object", properties: { b: text } },
      ],
    };
    expect(properties(body("application/json", schema), {}, "/x")).toEqual({ a: text, b: text });
  });

  test("that need one member or another are their members, and the description says so", () => {
    const schema = {
      type: "object",
      properties: { a: text, b: text },
      anyOf: [{ required: ["a"] }, { required: ["b"] }],
    };
    const tool = onlyTool(described({ "/x": { post: { summary: "S.", ...body("application/json", schema) } } }));
    expect(tool.definition.description).toBe("S. Needs a, or b.");
    expect(Object.keys(objectMember(tool.definition.inputSchema, "properties"))).toEqual(["a", "b"]);
  });

  test("of GET are no arguments", () => {
    expect(
      onlyTool(described({ "/x": { get: body("application/json", { type: "object", properties: { a: text } }) } }))
        .definition.inputSchema["properties"],
    ).toEqual({});
  });
});

describe("answers", () => {
  const json = (schema: unknown): JsonObject => ({ content: { "application/json": { schema } } });
  const object = { type: "object", properties: { a: text } };

  test.each([
    { name: "one object", responses: { 200: json(object), 404: json(text) }, expected: object },
    { name: "the same object twice", responses: { 200: json(object), 201: json(object) }, expected: object },
    { name: "no content as well", responses: { 200: json(object), 204: {} }, expected: undefined },
    { name: "different objects", responses: { 200: json(object), 201: json({ type: "object" }) }, expected: undefined },
    { name: "a list", responses: { 200: json({ type: "array", items: object }) }, expected: undefined },
    { name: "a reference that leads nowhere", responses: { 200: json({ $ref: "#/none" }) }, expected: undefined },
    {
      name: "another type as well",
      responses: { 200: { content: { "application/json": { schema: object }, "text/csv": {} } } },
      expected: undefined,
    },
  ])("that are $name", ({ responses, expected }) => {
    expect(onlyTool(described({ "/x": { get: { responses } } })).definition.outputSchema).toEqual(expected);
  });

  test("are told as the administrator wants", () => {
    const document = described({ "/x": { get: { responses: { 200: json(object) } } } });
    expect(onlyTool(document, { output: "any" }).definition.outputSchema).toEqual({ type: "object" });
    expect(onlyTool(document, { output: "none" }).definition.outputSchema).toBeUndefined();
  });
});

describe("refused operations", () => {
  test("have a reason each, and the others are there", () => {
    const made = tools({
      "/a": get("a", { parameters: [{ in: "cookie", name: "s", required: true, schema: text }] }),
      "/b": get("b", { parameters: [{ $ref: "#/components/parameters/none" }] }),
      "/c": get("c", { parameters: [{ in: "header", name: "X Y", schema: text }] }),
      "/d": { $ref: "#/components/pathItems/none" },
      "/e": get("e"),
      "/f/../g": get("f"),
    });
    expect(made.tools.map((tool) => tool.definition.name)).toEqual(["e"]);
    expect(made.refused.map(({ operation }) => operation)).toEqual(["/d", "GET /a", "GET /b", "GET /c", "GET /f/../g"]);
    for (const { reason } of made.refused) expect(reason).not.toBe("");
  });
});

describe("the same description", () => {
  const paths = {
    "/b": {
      post: {
        ...body("application/json", {
          type: "object",
          required: ["y", "x"],
          properties: { y: text, x: { $ref: "#/components/schemas/T" } },
        }),
        responses: {},
      },
    },
    "/a": { put: { operationId: "p" }, get: { operationId: "g" } },
  };
  const components = {
    schemas: { T: { type: "object", properties: { t: { $ref: "#/components/schemas/T" }, a: text } } },
  };

  test("gives the same bytes, in whatever order its members stand", () => {
    const one = tools(paths, {}, components);
    const two = tools(reversed(paths), {}, reversed(components));
    expect(JSON.stringify(two)).toBe(JSON.stringify(one));
  });
});

function reversed(value: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, member]) => [name, isJsonObject(member) ? reversed(member) : member]),
  );
}
