import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as bodyOf } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openUseFile } from "../../src/embedding/use-file.ts";
import { createUseMemory } from "../../src/embedding/use-memory.ts";
import { builtIn, embedderTools } from "../kit/built-in-embedder.ts";
import { fakeVector } from "../kit/embedder-tools.ts";
import type { CommandResult } from "./test-shell.ts";
import { command } from "./test-shell.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gatehouse-embeddings-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const embeddings = (args: readonly string[], input = ""): Promise<CommandResult> =>
  command(["embeddings", ...args, "--data", folder], { cwd: folder, input });

test("the first text is scored against each other one, with what it passes", async () => {
  const { code, out } = await embeddings([
    "try",
    "what is the weather like in Paris tomorrow",
    "get_weather_forecast",
    "天气",
  ]);
  expect(code).toBe(0);
  expect(out[0]).toMatch(/^toolvec-en-256@[0-9a-f]{12}, 256 numbers a vector$/);
  expect(out[2]).toMatch(/^0\.4996 .*tool.* get_weather_forecast$/);
  expect(out[3]).toMatch(/^none +天气$/);
});

test("a first text that means nothing is told of", async () => {
  const { code, out, notes } = await embeddings(["try", "", "anything"]);
  expect(code).toBe(0);
  expect(notes).toContain("means nothing to this model");
  expect(out[2]).toMatch(/^none/);
});

test("pairs give a fit, which is kept under the model's id and used from then on", async () => {
  const line = (a: string, b: string, match: boolean): string => JSON.stringify({ a, b, match });
  const tools = [
    "weather forecast",
    "send an email",
    "delete a file",
    "book a flight",
    "play some music",
    "translate a text",
  ];
  const pairs = tools.flatMap((tool, index) => [
    line(`please ${tool}`, tool, true),
    line(tool, `${tool} for me`, true),
    line(tool, tools[(index + 1) % tools.length] ?? "", false),
    line(tool, tools[(index + 2) % tools.length] ?? "", false),
  ]);
  writeFileSync(join(folder, "pairs.jsonl"), `${pairs.join("\n")}\n\n`);
  const dry = await embeddings(["calibrate", "pairs.jsonl", "--dry-run"]);
  expect(dry).toMatchObject({ code: 0 });
  const { code, out, notes } = await embeddings(["calibrate", "pairs.jsonl"]);
  expect(code).toBe(0);
  expect(out).toEqual(dry.out);
  expect(out[0]).toMatch(/^toolvec-en-256@[0-9a-f]{12}: 24 pairs$/);
  expect(out[2]).toMatch(/^50 % +0\.\d+$/);
  expect(notes).toContain("calibrations.json");
  expect(readFileSync(join(folder, "calibrations.json"), "utf8")).not.toContain("weather");
  const tried = await embeddings(["try", "weather forecast", "the weather forecast"]);
  expect(tried.out[2]).toMatch(/^\d\.\d{4} +\d+\.\d % /);
});

test("what an index learnt from use gives a fit too; uses of another model are told of", async () => {
  const path = join(folder, "tools.uses");
  await using file = openUseFile({ path, log: embedderTools.log });
  const parts = { knowsWord: () => true, withoutPersonalData: (text: string) => text, journal: file.journal };
  const memory = createUseMemory({ embedder: builtIn, ...parts });
  for (const what of ["rain forecast", "email to a friend", "song by a band", "flight to a city"]) {
    for (const way of ["please", "find a", "another"]) {
      await memory.absorb({ entry: what, application: "app", text: `${way} ${what}` });
    }
  }
  await file.flush();
  const other = { entry: "x", application: "a", sequence: 99, modelId: "other", stems: [] };
  appendFileSync(path, `${JSON.stringify(other)}\n`);
  const { code, out, notes } = await embeddings(["calibrate", "--uses", "tools.uses", "--index", "tools"]);
  expect({ code, notes }).toEqual({ code: 0, notes: expect.stringContaining("1 uses are left out") });
  expect(out[0]).toMatch(/^toolvec-en-256@[0-9a-f]{12}: 48 pairs$/);
  expect((await embeddings(["calibrate"])).notes).toContain("--uses");
  expect((await embeddings(["calibrate", "--uses", "none"])).notes).toContain("cannot be read");
});

test.each([
  { name: "is no JSON", text: '{"a": 1', says: "pairs.jsonl:2" },
  { name: "lacks a member", text: '{"a": "x", "b": "y"}', says: "pairs.jsonl:2" },
  { name: "has a match that is no boolean", text: '{"a": "x", "b": "y", "match": 1}', says: "pairs.jsonl:2" },
])("a line that $name is named by its number", async ({ text, says }) => {
  writeFileSync(join(folder, "pairs.jsonl"), `{"a": "x", "b": "y", "match": true}\n${text}\n`);
  expect(await embeddings(["calibrate", "pairs.jsonl"])).toMatchObject({
    code: 1,
    notes: expect.stringContaining(says),
  });
});

test("too few pairs, a missing file, a bad index and a bad configuration are refused", async () => {
  writeFileSync(join(folder, "pairs.jsonl"), '{"a": "x", "b": "y", "match": true}\n');
  expect((await embeddings(["calibrate", "pairs.jsonl"])).notes).toContain("10 pairs of each kind");
  expect((await embeddings(["calibrate", "none.jsonl"])).notes).toContain("cannot be read");
  expect((await embeddings(["calibrate", "pairs.jsonl", "--index", "A B"])).notes).toContain("--index");
  expect((await embeddings(["try", "a", "b", "--use", "openai", "--with", "{"])).notes).toContain("--with");
  expect((await embeddings(["try", "a", "b", "--use", "opnai"])).notes).toContain("openai");
});

test("a provider is asked with the key from the standard input, and keeps none of it", async () => {
  const keys: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    keys.push(request.headers.authorization);
    void bodyOf(request).then((body) => {
      const { input } = JSON.parse(body) as { input: string[] }; // written by the embedder
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ data: input.map((text, index) => ({ index, embedding: fakeVector(text) })) }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`; // it listens on a port
  const config = JSON.stringify({ baseUrl, model: "m", apiKey: "${secret:any}" });
  const tried = await embeddings(["try", "one", "one", "--use", "openai-compatible", "--with", config], "sk-typed\n");
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  expect(tried.code).toBe(0);
  expect(tried.out[2]).toMatch(/^1\.0000 /);
  expect(keys).toEqual(["Bearer sk-typed"]);
  expect(JSON.stringify(tried)).not.toContain("sk-typed");
});
