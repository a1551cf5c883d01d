import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { openApiToolsSchema } from "../../src/core/openapi-tools.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { json, startMockUpstream } from "../kit/mock-upstream.ts";
import type { CommandResult } from "./test-shell.ts";
import { command } from "./test-shell.ts";

const description = {
  openapi: "3.0.3",
  info: { title: "T", version: "1" },
  paths: {
    "/pets": {
      get: { operationId: "listPets", summary: "All\u001b[31m pets", tags: ["pets"], responses: {} },
      post: { operationId: "addPet", parameters: [{ $ref: "common.json#/limit" }], responses: {} },
    },
  },
};

let folder = "";
let host: MockUpstream;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gatehouse-tools-"));
  await writeFile(join(folder, "api.json"), JSON.stringify(description));
  host = await startMockUpstream((request, response) => {
    const isCommon = request.url.endsWith("common.json");
    const common = { limit: { name: "limit", in: "query", schema: { type: "integer" } } };
    return json(request.url.endsWith("none.json") ? 404 : 200, isCommon ? common : description)(request, response);
  });
});

afterAll(async () => {
  await host[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const tools = (...args: string[]): Promise<CommandResult> => command(["mcp", "tools", ...args], { cwd: folder });

test("the settings that the guide shows are settings", async () => {
  const guide = await readFile(join(import.meta.dirname, "../../docs/guides/openapi-tools.md"), "utf8");
  const sample = /```yml\n([^`]*)```/.exec(guide)?.[1] ?? "";
  expect(openApiToolsSchema.parse(parse(sample))).toMatchObject({
    output: "any",
    overrides: { addOrder: { name: "place_order" } },
  });
});

describe("gatehouse mcp tools", () => {
  test("prints what a file would give, and what it leaves out and why", async () => {
    const { code, out, notes } = await tools("api.json");
    expect(code).toBe(0);
    expect(out[1]).toMatch(/^listPets +GET \/pets +All *\[31m pets$/);
    expect(notes).toContain("POST /pets is left out: $ref");
    expect(notes).toContain("1 tools of 2 operations");
  });

  test("fetches a description, and what it refers to only when asked", async () => {
    const alone = await tools(`${host.url}/spec/api.json`, "--json");
    expect(JSON.parse(alone.out.join("\n"))).toMatchObject({
      tools: [{ name: "listPets" }],
      refused: [{ operation: "POST /pets" }],
    });
    expect(host.seen.map((request) => request.url)).toEqual(["/spec/api.json"]);
    const followed = await tools(`${host.url}/spec/api.json`, "--json", "--follow", "--select", "add*");
    expect(JSON.parse(followed.out.join("\n"))).toMatchObject({
      tools: [{ name: "addPet", inputSchema: { properties: { limit: { type: "integer" } } } }],
      refused: [],
    });
  });

  test("takes names and hints from a file of settings", async () => {
    const settings =
      "select: [tag:pets]\noverrides: {listPets: {name: find_pets, annotations: {openWorldHint: false}}}\n";
    await writeFile(join(folder, "settings.yaml"), settings);
    const { out } = await tools("api.json", "--settings", "settings.yaml", "--json");
    expect(JSON.parse(out.join("\n"))).toMatchObject({
      tools: [{ name: "find_pets", annotations: { readOnlyHint: true, openWorldHint: false } }],
      refused: [],
    });
  });

  test.each([
    { name: "a file that is no description", args: ["settings.yaml"], reason: "no OpenAPI description" },
    { name: "a file that is not there", args: ["none.json"], reason: "" },
    {
      name: "settings with a field that does not exist",
      args: ["api.json", "--settings", "bad.yaml"],
      reason: "there is no such field",
    },
  ])("fails for $name", async ({ args, reason }) => {
    await writeFile(join(folder, "bad.yaml"), "selected: [a]\n");
    await writeFile(join(folder, "settings.yaml"), "select: [tag:pets]\n");
    const { code, notes } = await tools(...args);
    expect(code).not.toBe(0);
    expect(notes).toContain(reason);
  });

  test("fails for an address that has none, and never reaches for one that is always refused", async () => {
    expect((await tools(`${host.url}/none.json`)).notes).toContain("answered with 404");
    expect((await tools("http://169.254.169.254/openapi.json")).notes).toContain("not permitted");
  });
});
