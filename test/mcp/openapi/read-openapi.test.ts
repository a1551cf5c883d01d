import { describe, expect, test } from "vitest";
import { missingDocuments } from "../../../src/mcp/openapi/bundle-documents.ts";
import { readOpenApi } from "../../../src/mcp/openapi/read-openapi.ts";
import { toolsFromOpenApi } from "../../../src/mcp/openapi/tools-from-openapi.ts";

const paths = "info: {title: T, version: '1'}\npaths: {}";

describe("reading a description", () => {
  test.each([
    { name: "JSON of 3.0", text: '{"openapi":"3.0.3","paths":{}}', version: "3.0" },
    { name: "JSON with a byte order mark", text: '\uFEFF{"openapi":"3.1.0"}', version: "3.1" },
    { name: "YAML of 3.1", text: `openapi: 3.1.0\n${paths}`, version: "3.1" },
    { name: "YAML whose version is a number", text: `openapi: 3.1\n${paths}`, version: "3.1" },
    { name: "YAML in flow style", text: "{openapi: 3.0.0, paths: {}}", version: "3.0", isRefused: true },
    { name: "3.2, as 3.1", text: '{"openapi":"3.2.0"}', version: "3.1" },
  ])("takes $name", ({ text, version, isRefused }) => {
    if (isRefused === true) expect(() => readOpenApi(text)).toThrow("not valid JSON");
    else expect(readOpenApi(text).version).toBe(version);
  });

  test.each([
    { name: "Swagger 2.0, with what to do", text: '{"swagger":"2.0"}', reason: /Swagger 2\.0; convert it/ },
    { name: "another version", text: '{"openapi":"4.0.0"}', reason: /version 4\.0\.0 is not known/ },
    { name: "something else", text: '{"name":"x"}', reason: /no OpenAPI description/ },
    { name: "a list", text: "[]", reason: /no object/ },
    { name: "nothing", text: "", reason: /no object/ },
    { name: "JSON with a fault", text: '{"openapi":"3.0.0",}', reason: /not valid JSON/ },
    { name: "a member that occurs twice", text: '{"openapi":"3.0.0","openapi":"3.1.0"}', reason: /occurs twice/ },
    {
      name: "a member that occurs twice in YAML",
      text: "openapi: 3.0.0\nopenapi: 3.1.0",
      reason: /neither JSON nor YAML/,
    },
    {
      name: "JSON nested without end",
      text: `{"openapi":"3.0.0","x":${"[".repeat(5_000)}${"]".repeat(5_000)}}`,
      reason: /nested deeper/,
    },
    { name: "a tag that makes things", text: "openapi: !!js/function 'x'", reason: /not known|no OpenAPI|version/ },
  ])("refuses $name", ({ text, reason }) => {
    expect(() => readOpenApi(text)).toThrow(reason);
  });

  test("refuses text beyond the limit before it is parsed", () => {
    expect(() => readOpenApi(`{"openapi":"3.0.0","x":"${"x".repeat(2_000)}"}`, { limitBytes: 1_000 })).toThrow(
      "larger than 1000 bytes",
    );
  });

  test("refuses a few lines of YAML that ask for billions of copies", () => {
    const lines = Array.from(
      { length: 30 },
      (_, at) =>
        `a${at}: &a${at} [${Array(9)
          .fill(at === 0 ? "x" : `*a${at - 1}`)
          .join(", ")}]`,
    );
    expect(() => readOpenApi(`openapi: 3.0.0\n${lines.join("\n")}`)).toThrow(/neither JSON nor YAML.*alias/i);
  });

  test("refuses YAML that contains itself", () => {
    expect(() => readOpenApi("openapi: 3.0.0\nx: &x\n  y: *x\n")).toThrow(/nested deeper|alias/i);
  });
});

describe("references to other documents", () => {
  const root = JSON.stringify({
    openapi: "3.0.3",
    paths: { "/pets": { get: { parameters: [{ $ref: "common.yaml#/limit" }], responses: {} } } },
  });
  const address = "https://api.example.test/spec/openapi.json";
  const common = "https://api.example.test/spec/common.yaml";
  const included = { select: { include: ["*"] } };

  test("are not followed: the operation is refused, and the rest is there", () => {
    const document = readOpenApi(root, { address });
    expect(missingDocuments(document)).toEqual([common]);
    expect(toolsFromOpenApi(document, included)).toMatchObject({
      tools: [],
      refused: [{ operation: "GET /pets", reason: expect.stringMatching(/another document, which is not followed/) }],
    });
  });

  test("are followed into documents that were given, and on from there", () => {
    const first =
      "limit: {name: limit, in: query, schema: {$ref: 'types/number.json#/Count'}, description: {$ref: '#/x'}}";
    const once = readOpenApi(root, { address, others: new Map([[common, first]]) });
    const types = "https://api.example.test/spec/types/number.json";
    expect(missingDocuments(once)).toEqual([types]);
    const others = new Map([
      [common, first],
      [types, '{"Count":{"$ref":"#/Whole"},"Whole":{"type":"integer","minimum":1}}'],
    ]);
    const document = readOpenApi(root, { address, others });
    expect(missingDocuments(document)).toEqual([]);
    const [tool] = toolsFromOpenApi(document, included).tools;
    expect(tool?.definition.inputSchema["properties"]).toEqual({ limit: { type: "integer", minimum: 1 } });
  });

  test("to the document itself by its address stay inside", () => {
    const own = JSON.stringify({
      openapi: "3.0.3",
      components: { parameters: { limit: { name: "limit", in: "query", schema: { type: "integer" } } } },
      paths: {
        "/pets": { get: { parameters: [{ $ref: "openapi.json#/components/parameters/limit" }], responses: {} } },
      },
    });
    const document = readOpenApi(own, { address });
    expect(missingDocuments(document)).toEqual([]);
    expect(toolsFromOpenApi(document, included).refused).toEqual([]);
  });
});
