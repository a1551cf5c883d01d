import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/mcp/openapi/json-object.ts";
import type { ToolOptions, ToolsOfOpenApi } from "../../../src/mcp/openapi/tools-from-openapi.ts";
import { toolsFromOpenApi } from "../../../src/mcp/openapi/tools-from-openapi.ts";
import { described } from "./tiny-description.ts";

function tools(paths: JsonObject, options: Partial<ToolOptions> = {}): ToolsOfOpenApi {
  return toolsFromOpenApi(described(paths), { select: { include: ["*"] }, ...options });
}

function names(paths: JsonObject, options: Partial<ToolOptions> = {}): readonly string[] {
  return tools(paths, options).tools.map((tool) => tool.definition.name);
}

const get = (operationId: string): JsonObject => ({ get: { operationId } });

describe("names", () => {
  test.each([
    { name: "are operationIds", paths: { "/pets": get("listPets") }, expected: ["listPets"] },
    { name: "are made safe", paths: { "/pets": get("pets/list all.v2") }, expected: ["pets_list_all_v2"] },
    {
      name: "come from verb and path",
      paths: { "/pets/{petId}/toys.json": { get: {} } },
      expected: ["get_pets_by_petId_toys_json"],
    },
    { name: "of the root", paths: { "/": { get: {}, post: {} } }, expected: ["get", "post"] },
    {
      name: "of nothing but foreign letters come from verb and path",
      paths: { "/宠物": get("宠物"), "/x": get("列") },
      expected: ["get_x", "get"],
    },
  ])("$name", ({ paths, expected }) => {
    expect(names(paths)).toEqual(expected);
  });

  test("of more than 64 characters are cut, and stay apart", () => {
    const long = "x".repeat(80);
    const made = names({ "/a": get(`${long}1`), "/b": get(`${long}2`) });
    expect(made.map((name) => name.length)).toEqual([64, 64]);
    expect(new Set(made).size).toBe(2);
  });

  test("that are equal but for case all get a hash of their place, whatever is selected", () => {
    const paths = { "/a": get("list"), "/b": get("List"), "/c": get("other") };
    const made = names(paths);
    expect(made).toEqual([
      expect.stringMatching(/^list_[0-9a-f]{8}$/),
      expect.stringMatching(/^List_[0-9a-f]{8}$/),
      "other",
    ]);
    expect(names(paths, { select: { include: ["GET /a"] } })).toEqual([made[0]]);
  });

  test("are unique for 20,000 operations in one description, in seconds", () => {
    const paths = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, at) => [
        `/items/${at}/{id}`,
        { get: { operationId: `op${at % 6_000}` }, put: {} },
      ]),
    );
    const made = tools(paths);
    expect(made.operations).toBe(20_000);
    expect(new Set(made.tools.map((tool) => tool.definition.name.toLowerCase())).size).toBe(20_000);
  });
});

describe("selection", () => {
  const paths = {
    "/pets": {
      get: { operationId: "listPets", tags: ["pets"] },
      post: { operationId: "addPet", tags: ["pets", "admin"] },
    },
    "/pets/{id}": { delete: { operationId: "removePet", tags: ["admin"] } },
    "/users": { get: { tags: ["users"] } },
  };

  test.each([
    { name: "nothing", select: { include: [] }, expected: [] },
    { name: "an operationId", select: { include: ["addPet"] }, expected: ["addPet"] },
    { name: "a pattern of names", select: { include: ["*Pet"] }, expected: ["addPet", "removePet"] },
    { name: "a generated name", select: { include: ["get_users"] }, expected: ["get_users"] },
    { name: "a method and a path", select: { include: ["get /pets"] }, expected: ["listPets"] },
    {
      name: "any method below a path",
      select: { include: ["* /pets*"] },
      expected: ["listPets", "addPet", "removePet"],
    },
    { name: "a tag", select: { include: ["tag:admin"] }, expected: ["addPet", "removePet"] },
    { name: "all but some", select: { include: ["*"], exclude: ["tag:admin", "GET /users"] }, expected: ["listPets"] },
  ])("takes $name", ({ select, expected }) => {
    expect(names(paths, { select })).toEqual(expected);
  });
});
