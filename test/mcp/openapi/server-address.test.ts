import { describe, expect, test } from "vitest";
import { compileOperation } from "../../../src/mcp/openapi/compile-operation.ts";
import { readOpenApi } from "../../../src/mcp/openapi/read-openapi.ts";
import { described, onlyTool } from "./tiny-description.ts";

function server(
  servers: unknown,
  address?: string,
  variables: Readonly<Record<string, string>> = {},
): string | undefined {
  const source = { openapi: "3.1.0", servers, paths: { "/x": { get: {} } } };
  const document = readOpenApi(source, address === undefined ? {} : { address });
  return onlyTool(document, { serverVariables: new Map(Object.entries(variables)) }).request.server;
}

describe("the server of a description", () => {
  const template = [
    {
      url: "https://{region}.test/{base}/",
      variables: { region: { default: "eu", enum: ["eu", "us"] }, base: { default: "v1" } },
    },
  ];

  test.each([
    {
      name: "is its first one",
      servers: [{ url: "https://a.test/v1/" }, { url: "https://b.test" }],
      expected: "https://a.test/v1",
    },
    { name: "has its variables' defaults", servers: template, expected: "https://eu.test/v1" },
    {
      name: "is relative to where the description came from",
      servers: [{ url: "/api" }],
      address: "https://c.test/spec/openapi.json",
      expected: "https://c.test/api",
    },
    {
      name: "is that place's own where none is named",
      servers: undefined,
      address: "https://c.test/spec/openapi.json",
      expected: "https://c.test",
    },
    { name: "is none where it is relative to nothing", servers: [{ url: "/api" }], expected: undefined },
    { name: "is none where it is no web address", servers: [{ url: "file:///etc/passwd" }], expected: undefined },
    { name: "is none where it brings a user", servers: [{ url: "https://u:p@a.test" }], expected: undefined },
  ])("$name", ({ servers, address, expected }) => {
    expect(server(servers, address)).toBe(expected);
  });

  test("has the administrator's values where the description allows them", () => {
    expect(server(template, undefined, { region: "us", base: "v2" })).toBe("https://us.test/v2");
    expect(server(template, undefined, { region: "evil.test/" })).toBe("https://eu.test/v1");
  });

  test("of the operation counts more than that of the document", () => {
    const document = described({ "/x": { get: { servers: [{ url: "https://own.test" }] } } });
    expect(onlyTool(document).request.server).toBe("https://own.test");
  });
});

describe("the address that requests go to", () => {
  const tool = onlyTool(described({ "/x": { get: {} } }));

  test("is the operator's where one is given, with or without a slash at its end", () => {
    for (const baseUrl of ["https://up.test/base", "https://up.test/base/"]) {
      const outcome = compileOperation(tool, { baseUrl }).toHttpRequest({});
      expect(outcome).toMatchObject({ request: { url: "https://up.test/base/x", method: "GET" } });
    }
  });

  test.each(["https://u:p@up.test", "https://up.test?x=1", "https://up.test#x", "ftp://up.test", "nothing"])(
    "is not %s",
    (baseUrl) => {
      expect(() => compileOperation(tool, { baseUrl })).toThrow(/no http\(s\) address/);
    },
  );

  test("must be known", () => {
    expect(() => compileOperation(tool)).toThrow(/no http\(s\) address/);
  });
});
