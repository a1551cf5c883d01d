import { describe, expect, test } from "vitest";
import type { CompiledEmbedder } from "../../src/embedding/define-embedder.ts";
import { createHybridIndex } from "../../src/embedding/hybrid-index.ts";
import { toolText } from "../../src/embedding/tool-text.ts";
import { createUseMemory } from "../../src/embedding/use-memory.ts";
import { builtIn } from "../kit/built-in-embedder.ts";

const tools = [
  entry("get_weather_forecast", "Tells the weather of the next days"),
  entry("send_email", "Sends a message to somebody"),
  entry("list_issues", "Lists what is open in a repository"),
];

describe("ranking", () => {
  test("puts first what fits by word and by meaning", async () => {
    const index = createHybridIndex({ embedder: builtIn });
    await index.update({ set: tools });
    const ranked = await index.rank("Will it rain tomorrow? What is the forecast?", { limit: 2 });
    expect(ranked.map(({ id }) => id)[0]).toBe("get_weather_forecast");
    expect(ranked).toHaveLength(2);
  });

  test("answers at once where the model is at hand", () => {
    const index = createHybridIndex({ embedder: builtIn });
    expect(index.update({ set: tools })).toBeUndefined();
    expect(index.rank("mail", {})).toBeInstanceOf(Array);
  });

  test.each(["", "   ", "?!", "of the and"])(
    "finds nothing for %j, which has no word that says anything",
    async (text) => {
      const silent = { ...builtIn, embed: (texts: readonly string[]) => texts.map(() => undefined) };
      const index = createHybridIndex({ embedder: text.includes("of") ? silent : builtIn });
      await index.update({ set: [...tools, entry("", "")] });
      expect(await index.rank(text, {})).toEqual([]);
    },
  );

  test("finds text without Latin letters by its words", async () => {
    const index = createHybridIndex({ embedder: builtIn });
    await index.update({ set: [...tools, entry("погода", "прогноз погоды")] });
    expect((await index.rank("какая погода завтра", {})).map(({ id }) => id)).toEqual(["погода"]);
  });

  test("takes a megabyte of text", async () => {
    const index = createHybridIndex({ embedder: builtIn });
    await index.update({ set: [entry("big", "weather ".repeat(131_072)), ...tools] });
    expect((await index.rank("weather ".repeat(131_072), { limit: 1 })).length).toBe(1);
  });

  test("gives the same scores among some as among all", async () => {
    const index = createHybridIndex({ embedder: builtIn });
    await index.update({ set: tools });
    const all = await index.rank("send a message about the weather", {});
    const some = await index.rank("send a message about the weather", {
      among: ["send_email", "nobody", "list_issues", "send_email"],
    });
    expect(some).toEqual(all.filter(({ id }) => id !== "get_weather_forecast"));
  });
});

describe("changes", () => {
  test("take effect in the order of the calls, whichever is embedded first", async () => {
    const slow = heldBack();
    const index = createHybridIndex({ embedder: slow.embedder });
    const first = index.update({ set: [entry("a", "weather")] });
    const second = index.update({ set: [entry("a", "email")] });
    const third = index.update({ remove: ["b"], set: [entry("c", "issue")] });
    for (const answer of slow.waiting.toReversed()) answer();
    await Promise.all([first, second, third]);
    const asked = index.rank("email", { limit: 1 });
    slow.waiting.at(-1)?.();
    expect((await asked)[0]?.id).toBe("a");
    expect(index.size).toBe(2);
  });

  test("that cannot be embedded change nothing, and those after them do", async () => {
    let isDown = true;
    const embed: CompiledEmbedder["embed"] = (texts) =>
      isDown ? Promise.reject(new Error("down")) : Promise.resolve(texts.map(() => undefined));
    const index = createHybridIndex({ embedder: { ...builtIn, modelId: "remote", embed } });
    const failing = index.update({ set: [entry("a", "weather")], remove: ["b"] });
    isDown = false;
    const working = index.update({ set: [entry("b", "email")] });
    await expect(failing).rejects.toThrow("down");
    await working;
    expect(index.size).toBe(1);
  });
});

test("a memory of another model is refused", async () => {
  const other = { ...builtIn, modelId: "other" };
  const memory = createUseMemory({ embedder: other, knowsWord: () => true, withoutPersonalData: (text) => text });
  const index = createHybridIndex({ embedder: builtIn, memory });
  expect(() => index.rank("mail", {})).toThrow(expect.objectContaining({ code: "internal" }));
});

function entry(name: string, description: string) {
  return { id: name, ...toolText({ name, description }) };
}

/** An embedder that answers when it is told to. */
function heldBack() {
  const waiting: (() => void)[] = [];
  const embed: CompiledEmbedder["embed"] = (texts) =>
    new Promise((resolve) => waiting.push(() => resolve(texts.map(() => undefined))));
  return { waiting, embedder: { ...builtIn, modelId: "slow", embed } };
}
