import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { command } from "../test-shell.ts";

vi.setConfig({ testTimeout: 60_000 });

let cwd: string;

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "gatehouse-lint-"));
});

afterEach(() => rm(cwd, { recursive: true, force: true }));

const api = `openapi: 3.0.0
info: { title: "Orders", version: "1" }
paths: {}
`;
const rules = `rules:
  has-license:
    description: An API has a license.
    given: $.info
    severity: error
    then: { field: license, function: truthy }
`;

const lint = (...args: readonly string[]) => command(["lint", ...args], { cwd });
const put = (name: string, text: string | Uint8Array) => writeFile(join(cwd, name), text);

describe("a document with a finding", () => {
  beforeEach(async () => {
    await put("api.yaml", api);
    await put("rules.yaml", rules);
  });

  test("is told with its place, and ends with 1", async () => {
    const { code, out } = await lint("api.yaml", "--ruleset", "rules.yaml");
    expect(code).toBe(1);
    expect(out.join("\n")).toContain("2:6  error  has-license  An API has a license.");
  });

  test("ends with 0 where only heavier findings fail", async () => {
    await put("rules.yaml", rules.replace("severity: error", "severity: warn"));
    expect((await lint("api.yaml", "--ruleset", "rules.yaml")).code).toBe(0);
    expect((await lint("api.yaml", "--ruleset", "rules.yaml", "--fail-severity", "warn")).code).toBe(1);
  });

  test("is one result of SARIF with its rule and region", async () => {
    const { out } = await lint("api.yaml", "--ruleset", "rules.yaml", "--format", "sarif");
    expect(JSON.parse(out.join("\n"))).toMatchObject({
      version: "2.1.0",
      runs: [
        {
          tool: { driver: { name: "gatehouse", rules: [{ id: "has-license" }] } },
          invocations: [{ executionSuccessful: true }],
          results: [
            {
              ruleId: "has-license",
              ruleIndex: 0,
              level: "error",
              message: { text: "An API has a license." },
              locations: [
                {
                  physicalLocation: { artifactLocation: { uri: "api.yaml" }, region: { startLine: 2, startColumn: 6 } },
                },
              ],
            },
          ],
        },
      ],
    });
  });

  test("goes to a file where one is named", async () => {
    const { code, out } = await lint("api.yaml", "--ruleset", "rules.yaml", "--output", "report.txt");
    expect([code, out]).toEqual([1, []]);
  });

  test("is held against a ruleset that extends one beside it", async () => {
    await mkdir(join(cwd, "style"));
    await put("style/base.yaml", rules);
    await put("style/own.yaml", "extends: ./base.yaml\nrules: { has-license: hint }\n");
    const { code, out } = await lint("api.yaml", "--ruleset", "style/own.yaml");
    expect(code).toBe(0);
    expect(out.join("\n")).toContain("hint  has-license");
  });
});

test("a resource that the product would not take is told with its line; each document of a file is looked at", async () => {
  const team = "apiVersion: gatehouse/v1\nkind: Team\nmetadata:\n  name: search\nspec: {}\n";
  await put("all.yaml", `${team}---\n${team.replace("spec: {}", "spec:\n  nonsense: 1")}`);
  const { code, out } = await lint("all.yaml", "--format", "json");
  expect(code).toBe(1);
  const { documents } = JSON.parse(out.join("\n"));
  expect(documents).toMatchObject([
    { title: "Team search", findings: [] },
    {
      findings: [
        { rule: "resource-schema", severity: "error", path: ["spec", "nonsense"], range: { start: { line: 11 } } },
      ],
    },
  ]);
});

test("a folder stands for what can be linted in it, and for nothing hidden or installed", async () => {
  await mkdir(join(cwd, "node_modules"));
  await put("rules.yaml", rules);
  await put("api.yaml", api);
  await put("node_modules/other.yaml", api);
  await put(".hidden.yaml", api);
  await put("package.json", "{}");
  const { out } = await lint(".", "--ruleset", "rules.yaml", "--format", "json");
  const { documents } = JSON.parse(out.join("\n"));
  expect(documents).toHaveLength(1);
  expect(documents).toMatchObject([{ source: "api.yaml" }]);
});

describe("what cannot be linted ends with 2 and says why", () => {
  test.each([
    { name: "an empty file", text: "", says: "it is empty" },
    { name: "a binary file", text: Buffer.from([0x7f, 0x45, 0, 1]), says: "it is binary" },
    { name: "what is no UTF-8", text: Buffer.from([0x61, 0xff]), says: "no text in UTF-8" },
    {
      name: "a name twice",
      text: "apiVersion: gatehouse/v1\nkind: Team\nkind: Team\n",
      says: "line 3: Map keys must be unique",
    },
    { name: "what is too long", text: "x".repeat(20_971_521), says: "it is longer than 20971520 bytes" },
    { name: "another kind of document", text: "a: 1\n", says: "neither OpenAPI" },
    { name: "a version without rules", text: 'openapi: "9.9.9"\n', says: "no rules for OpenAPI 9.9.9" },
    {
      name: "aliases that stand for too much",
      text: `a: &a [x, x]\n${["b", "c", "d", "e", "f", "g", "h", "i"].map((own, at) => `${own}: &${own} [${`*${"abcdefgh"[at]}, `.repeat(9)}x]`).join("\n")}\n`,
      says: "aliases stand for too much",
    },
  ])("$name", async ({ text, says }) => {
    await put("it.yaml", text);
    const { code, out } = await lint("it.yaml");
    expect(code).toBe(2);
    expect(out.join("\n")).toContain(says);
  });

  test.each([
    { name: "a member that is no severity", text: "rules:\n  a: nonsense\n", says: /rules\.yaml is not valid.*line 2/ },
    { name: "functions of its own", text: "functions: [own]\nrules: {}\n", says: /line 1.*functions of its own/ },
    { name: "a circle", text: "extends: ./rules.yaml\n", says: /goes in a circle/ },
    { name: "what is fetched", text: "extends: https://example.com/r.yaml\n", says: /nothing is fetched/ },
  ])("a ruleset with $name", async ({ text, says }) => {
    await put("api.yaml", api);
    await put("rules.yaml", text);
    const { code, notes } = await lint("api.yaml", "--ruleset", "rules.yaml");
    expect(code).toBe(2);
    expect(notes).toMatch(says);
  });

  test("a file that is not there, a server that is not there and a command that ends", async () => {
    const { code, out } = await lint(
      "none.yaml",
      "mcp+http://127.0.0.1:1/mcp",
      "--stdio",
      "false",
      "--ruleset",
      "gatehouse",
    );
    expect([code, out]).toEqual([2, []]);
    const found = await lint("none.yaml", "http://127.0.0.1:1/api.yaml", "--format", "json");
    expect(found.code).toBe(2);
    expect(JSON.parse(found.out.join("\n")).documents).toMatchObject([{ faults: [{}] }, { faults: [{}] }]);
  });
});
