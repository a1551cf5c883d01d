import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { mcpLines } from "../../src/quickstart/print-mcp.ts";
import type { Quickstart } from "../../src/quickstart/quickstart.ts";
import { startQuickstart } from "../../src/quickstart/quickstart.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import { connectClient, eras } from "../quickstart/mcp-client.ts";

const guide = readFileSync(join(import.meta.dirname, "../../docs/guides/mcp.md"), "utf8");
const shown = { kind: "McpServer", name: "notes", url: "http://127.0.0.1:8080/notes/mcp", apiKey: "gh_YOUR_KEY" };
const fences = (language: string): readonly string[] =>
  [...guide.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map((match) => match[1] ?? "");

test("the blocks for agents are those that the start prints", () => {
  const printed = mcpLines(shown);
  const printedJson = printed.filter((line) => line.startsWith("{")).map((line): unknown => JSON.parse(line));
  expect(printedJson).toHaveLength(2);
  expect(fences("json").map((block): unknown => JSON.parse(block))).toEqual(printedJson);
  expect(printed.join("\n")).toContain(fences("toml")[0]?.trim() ?? "no such block");
});

describe("against the quickstart", () => {
  let gatehouse: TestGatehouse;
  let quickstart: Quickstart;

  beforeAll(async () => {
    gatehouse = await startTestGatehouse();
    const config = loadConfig({ flags: { dataDir: gatehouse.dataDir }, env: {}, cwd: gatehouse.dataDir });
    quickstart = await startQuickstart({ ...gatehouse.running, config, progress: () => {} });
  });

  afterAll(async () => {
    await gatehouse[Symbol.asyncDispose]();
    await quickstart[Symbol.asyncDispose]();
  });

  const notes = () => quickstart.facts.apis.find(({ kind }) => kind === "McpServer") ?? shown;

  test("the request by hand works", async () => {
    const [line = ""] = fences("sh").filter((block) => block.includes("curl"));
    const command = line.replaceAll(shown.url, notes().url).replaceAll(shown.apiKey, notes().apiKey);
    const { stdout } = await promisify(execFile)("bash", ["-euc", command]);
    expect(JSON.parse(stdout)).toMatchObject({ result: { structuredContent: { total: 0 } } });
  });

  test("the tools, resources and the prompt are those that it names", async () => {
    await using connected = await connectClient(notes().url, { apikey: notes().apiKey }, eras[1].mode);
    const { client } = connected;
    const named = (await client.listTools()).tools.map(({ name }) => name);
    const rows = [...guide.matchAll(/^\| (`[a-z_]+`.*?) \|/gm)].flatMap(
      ([, cell = ""]) => cell.match(/[a-z_]+/g) ?? [],
    );
    expect(rows).toEqual(named);
    const { resourceTemplates } = await client.listResourceTemplates();
    for (const { uriTemplate } of resourceTemplates) expect(guide).toContain(`\`${uriTemplate}\``);
    expect(resourceTemplates).toHaveLength(2);
    expect(
      (await client.listPrompts()).prompts.map(({ name }) => `\`${name}\``).every((name) => guide.includes(name)),
    ).toBe(true);
  });
});
