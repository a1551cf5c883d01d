import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { CompiledEmbedder } from "../../src/embedding/define-embedder.ts";
import type { UseShelf } from "../../src/embedding/use-shelf.ts";
import { createUseShelf } from "../../src/embedding/use-shelf.ts";
import { builtIn } from "../kit/built-in-embedder.ts";
import { memoryLog } from "../kit/gatehouse.ts";

let directory = "";
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), "use-shelf-")), "uses");
});
afterEach(() => rmSync(join(directory, ".."), { recursive: true }));

const place = "llm_1/policies[0]";
const other: CompiledEmbedder = { ...builtIn, modelId: "other", embed: (texts) => texts.map(() => undefined) };

const shelfOn = (folder: string | undefined): UseShelf =>
  createUseShelf({
    knowsWord: () => true,
    withoutPersonalData: (text) => text,
    log: memoryLog(),
    ...(folder !== undefined && { directory: folder }),
  });

const use = (application: string, text = "will it rain in Rome", entry = "weather") => ({ entry, application, text });

test("what was learnt at a place is there after a restart, and at no other place", async () => {
  {
    await using shelf = shelfOn(directory);
    await shelf.at(place, builtIn).absorb(use("app_1"));
  }
  await using again = shelfOn(directory);
  expect(again.at(place, builtIn).records()).toMatchObject([{ entry: "weather", application: "app_1" }]);
  expect(again.at("llm_2/policies[0]", builtIn).records()).toEqual([]);
});

test("another embedder keeps the words of what was learnt, and the memory before learns no more", async () => {
  for (const folder of [directory, undefined]) {
    await using shelf = shelfOn(folder);
    const before = shelf.at(place, builtIn);
    await before.absorb(use("app_1"));
    const after = shelf.at(place, other);
    expect(after.records()).toMatchObject([{ entry: "weather", vector: undefined }]);
    await before.absorb(use("app_1", "a song"));
    expect(shelf.at(place, other)).toBe(after);
    expect(after.records()).toHaveLength(1);
  }
});

test("what is to be forgotten is off the disk too, also where nobody has asked for the place since the start", async () => {
  {
    await using shelf = shelfOn(directory);
    await shelf.at(place, builtIn).absorb(use("app_leaves"));
    await shelf.at(place, builtIn).absorb(use("app_stays", "an umbrella"));
    await shelf.at("llm_2/policies[0]", builtIn).absorb(use("app_leaves"));
  }
  {
    await using shelf = shelfOn(directory);
    expect(shelf.forget({ application: "app_leaves" })).toBe(2);
  }
  for (const name of readdirSync(directory))
    expect(readFileSync(join(directory, name), "utf8")).not.toContain("leaves");
  await using again = shelfOn(directory);
  expect(again.at(place, builtIn).records()).toMatchObject([{ application: "app_stays" }]);
});

test("forgetting keeps to the owner and the entry that are named", async () => {
  await using shelf = shelfOn(directory);
  await shelf.at(place, builtIn).absorb(use("app_1"));
  await shelf.at(place, builtIn).absorb(use("app_1", "sing a song", "music"));
  await shelf.at("llm_10/policies[0]", builtIn).absorb(use("app_1"));
  expect(shelf.forget({ owner: "llm_1", entry: "weather" })).toBe(1);
  expect(shelf.at(place, builtIn).records()).toMatchObject([{ entry: "music" }]);
  expect(shelf.at("llm_10/policies[0]", builtIn).records()).toHaveLength(1);
});

test("a memory has room for 10,000 names of tools, for callers make them up", () => {
  const memory = shelfOn(undefined).at(place, other);
  for (let at = 0; at < 10_050; at += 1) void memory.absorb(use("a", "rain", `tool_${at}`));
  expect(memory.records()).toHaveLength(10_000);
  expect(memory.forget()).toBe(10_000);
  void memory.absorb(use("a", "rain", "later"));
  expect(memory.records()).toHaveLength(1);
});
