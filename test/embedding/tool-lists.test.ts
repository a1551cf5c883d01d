import { describe, expect, test } from "vitest";
import type { CompiledEmbedder } from "../../src/embedding/define-embedder.ts";
import type { ToolToFind } from "../../src/embedding/tool-lists.ts";
import { createToolLists } from "../../src/embedding/tool-lists.ts";
import { builtIn } from "../kit/built-in-embedder.ts";
import { manyTools } from "../kit/many-tools.ts";

function toFind(count: number): readonly ToolToFind[] {
  return manyTools(count).map((facts) => ({ name: facts.name, facts }));
}

function listsOver(embedder: CompiledEmbedder) {
  return createToolLists({ embedder, keep: ({ name }: ToolToFind) => ({ name }) });
}

const bytes = (text: string): Buffer => Buffer.from(text);

describe("lists of tools", () => {
  test("are read once, and found at once by their bytes", async () => {
    const lists = listsOver(builtIn);
    let reads = 0;
    const read = (): readonly ToolToFind[] => {
      reads += 1;
      return toFind(200);
    };
    const first = lists.find(bytes("one"), read);
    expect(first).not.toBeInstanceOf(Promise);
    expect(lists.find(bytes("one"), read)).toBe(first);
    expect(reads).toBe(1);
    const { entries, index, withoutText } = await first;
    expect([entries.length, index.size, withoutText]).toEqual([200, 200, 0]);
    const ranked = await index.rank("cancel the flight", { limit: 1 });
    expect(ranked).toMatchObject([{ id: "cancel_flight" }]);
  });

  test("are told apart by their bytes alone, whichever came last and whatever becomes of the bytes that were given", () => {
    const lists = listsOver(builtIn);
    const first = new Map<string, unknown>();
    const names = ["one", "two", "six", "ten", "own", "off"];
    for (const name of [...names, ...names, ...names.flatMap((each) => [each, each, each]), ...names]) {
      const given = bytes(name);
      const found = lists.find(given, () => toFind(2));
      first.set(name, first.get(name) ?? found);
      expect(found).toBe(first.get(name));
      given.fill("x");
    }
    expect(new Set(first.values()).size).toBe(6);
    expect([...first.values()]).not.toContain(lists.find(bytes("xxx"), () => toFind(3)));
  });

  test("are indexed once however many ask meanwhile", async () => {
    let asked = 0;
    const slow: CompiledEmbedder = {
      ...builtIn,
      modelId: "slow",
      embed: async (texts) => {
        asked += 1;
        return builtIn.embed(texts);
      },
    };
    const lists = listsOver(slow);
    const found = await Promise.all([1, 2, 3].map(async () => lists.find(bytes("one"), () => toFind(20))));
    expect(new Set(found).size).toBe(1);
    expect(asked).toBe(1);
  });

  test("that could not be embedded are tried again", async () => {
    let isAway = true;
    const failing: CompiledEmbedder = {
      ...builtIn,
      modelId: "failing",
      embed: async (texts) => {
        if (isAway) throw new Error("away");
        return builtIn.embed(texts);
      },
    };
    const lists = listsOver(failing);
    await expect(lists.find(bytes("one"), () => toFind(3))).rejects.toThrow("away");
    isAway = false;
    expect((await lists.find(bytes("one"), () => toFind(3))).index.size).toBe(3);
  });

  test("hold tools without text and several of one name", async () => {
    const tools = [
      ...toFind(2),
      ...toFind(1),
      { name: undefined, facts: undefined },
      { name: undefined, facts: { name: "", description: "tells the weather" } },
    ];
    const { entries, index, withoutText } = await listsOver(builtIn).find(bytes("odd"), () => tools);
    expect(withoutText).toBe(1);
    expect(index.size).toBe(3);
    expect(entries[2]?.id).toBe(entries[0]?.id);
    expect(entries[3]?.id).toBeUndefined();
  });

  test("of more than 10,000 tools are not ranked", () => {
    expect(() => listsOver(builtIn).find(bytes("many"), () => toFind(10_001))).toThrow(/too many tools/);
  });

  test("of many tools let others have their turn", async () => {
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    });
    const found = await listsOver(builtIn).find(bytes("many"), () => toFind(3_000));
    clearInterval(timer);
    expect(found.index.size).toBe(3_000);
    expect(turns).toBeGreaterThan(3);
  });

  test("of other dimensions than their query are refused, and nothing is compared", async () => {
    let dimensions = 8;
    const changing: CompiledEmbedder = {
      ...builtIn,
      modelId: "changing",
      embed: (texts) => texts.map(() => new Float32Array(dimensions).fill(1 / Math.sqrt(dimensions))),
    };
    const { index } = await listsOver(changing).find(bytes("one"), () => toFind(3));
    dimensions = 16;
    expect(() => index.rank("cancel", {})).toThrow(/cannot be compared/);
  });
});
