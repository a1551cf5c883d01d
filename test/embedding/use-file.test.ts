import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openUseFile } from "../../src/embedding/use-file.ts";
import type { UseMemory } from "../../src/embedding/use-memory.ts";
import { createUseMemory } from "../../src/embedding/use-memory.ts";
import { builtIn } from "../kit/built-in-embedder.ts";

let folder = "";
let path = "";
let warnings: string[] = [];
const log = { debug() {}, info() {}, error() {}, warn: (_: object, message: string) => void warnings.push(message) };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "use-file-"));
  path = join(folder, "tools.uses");
  warnings = [];
});

afterEach(() => rmSync(folder, { recursive: true }));

test("what was learnt outlives the process, in a file of its owner", async () => {
  const before = await learnt(async (memory) => {
    for (let at = 0; at < 30; at += 1) {
      await memory.absorb({ entry: "weather", application: at % 2 === 0 ? "a" : "b", text: `rain number${at}` });
    }
  });
  expect(before).toHaveLength(20);
  expect(await learnt(async () => {})).toEqual(before);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(warnings).toEqual([]);
});

test("what was forgotten is not in the file any more", async () => {
  await learnt(async (memory) => {
    await memory.absorb({ entry: "weather", application: "app_left", text: "rain" });
    await memory.absorb({ entry: "weather", application: "app_stays", text: "umbrella" });
  });
  expect(readFileSync(path, "utf8")).toContain("app_left");
  await learnt(async (memory) => void memory.forget({ application: "app_left" }));
  expect(readFileSync(path, "utf8")).not.toContain("app_left");
  expect((await learnt(async () => {})).map(({ application }) => application)).toEqual(["app_stays"]);
});

test("the file does not grow with use", async () => {
  await learnt(async (memory) => {
    for (let at = 0; at < 3_000; at += 1)
      await memory.absorb({ entry: "weather", application: "a", text: `rain w${at}x` });
  });
  await learnt(async (memory) => memory.absorb({ entry: "weather", application: "a", text: "umbrella" }));
  expect(readFileSync(path, "utf8").split("\n").length).toBeLessThan(50);
});

test("a line that a crash cut off, or that means nothing, is dropped, and the rest is kept", async () => {
  const before = await learnt(async (memory) => memory.absorb({ entry: "weather", application: "a", text: "rain" }));
  appendFileSync(path, '{"entry":"weather"}\n{"entry":"wea');
  expect(await learnt(async () => {})).toEqual(before);
  expect(warnings).toHaveLength(1);
  await learnt(async (memory) => memory.absorb({ entry: "weather", application: "a", text: "umbrella" }));
  expect(await learnt(async () => {})).toHaveLength(2);
});

test("a file of anything else is begun anew", async () => {
  writeFileSync(path, Buffer.from([0, 255, 10, 13, 200]));
  expect(await learnt(async (memory) => memory.absorb({ entry: "a", application: "b", text: "rain" }))).toHaveLength(1);
  expect(await learnt(async () => {})).toHaveLength(1);
});

/** Opens the file, works with a memory over it, closes it and tells what the memory held. */
async function learnt(work: (memory: UseMemory) => Promise<void> | void) {
  await using file = openUseFile({ path, log });
  const { journal } = file;
  const records = file.records();
  const parts = { knowsWord: () => true, withoutPersonalData: (text: string) => text };
  const memory = createUseMemory({ embedder: builtIn, ...parts, records, journal });
  await work(memory);
  return memory.records();
}
