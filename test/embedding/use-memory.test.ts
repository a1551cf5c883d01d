import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Ranked } from "../../src/embedding/choose-best.ts";
import { createHybridIndex } from "../../src/embedding/hybrid-index.ts";
import { toolText } from "../../src/embedding/tool-text.ts";
import type { UseMemory, UseMemoryParts } from "../../src/embedding/use-memory.ts";
import { createUseMemory, ringSize } from "../../src/embedding/use-memory.ts";
import { builtIn } from "../kit/built-in-embedder.ts";

const english = new Set("rain umbrella tomorrow today trip walk sun boots picnic take coat".split(" "));

describe("an application's own uses", () => {
  test("lift what they led to, from the first", async () => {
    const memory = made();
    expect(await scoreOf(memory, "weather", "Do I need an umbrella?", "a")).toBeLessThan(0.2);
    await memory.absorb({ entry: "weather", application: "a", text: "Should I take an umbrella?" });
    expect(await scoreOf(memory, "weather", "Do I need an umbrella?", "a")).toBeGreaterThan(0.3);
  });

  test("are not seen by another application, nor by nobody in particular", async () => {
    const memory = made();
    const query = "Do I need an umbrella?";
    const before = await rank(memory, query, "b");
    await memory.absorb({ entry: "weather", application: "a", text: "Should I take an umbrella?" });
    expect(await rank(memory, query, "b")).toEqual(before);
    expect(await rank(memory, query, undefined)).toEqual(before);
  });
});

describe("what applications have in common", () => {
  test("is seen by a third one", async () => {
    const memory = made();
    const before = await scoreOf(memory, "weather", "Do I need an umbrella?", "z");
    for (const application of ["a", "b"]) {
      await memory.absorb({ entry: "weather", application, text: "Should I take an umbrella?" });
    }
    expect(await scoreOf(memory, "weather", "Do I need an umbrella?", "z")).toBeGreaterThan(before + 0.05);
  });

  test("holds no word that only one of them used", async () => {
    const memory = made();
    await memory.absorb({ entry: "weather", application: "a", text: "boots picnic" });
    await memory.absorb({ entry: "weather", application: "b", text: "umbrella" });
    expect(memory.lifts("z", { stems: ["boot", "picnic"], vector: undefined }).get("weather") ?? 0).toBe(0);
  });

  test("moves no score by more than half of what it lacks, and one of two applications by no more than a tenth", async () => {
    const word = fc.constantFrom(...english);
    const text = fc.array(word, { minLength: 1, maxLength: 5 }).map((words) => words.join(" "));
    const uses = fc.array(fc.record({ application: fc.constantFrom("a", "b", "c"), text }), { maxLength: 40 });
    fc.assert(
      fc.property(uses, text, (made_, query) => {
        const memory = made();
        for (const use of made_) void memory.absorb({ entry: "weather", ...use });
        const vector = embedded(query);
        const share = memory.lifts("z", { stems: query.split(" "), vector }).get("weather") ?? 0;
        expect(share).toBeLessThanOrEqual(0.5);
        const loud = made();
        for (let at = 0; at < 40; at += 1)
          void loud.absorb({ entry: "weather", application: "loud", text: `${query} ${at}` });
        void loud.absorb({ entry: "weather", application: "quiet", text: "server" });
        const alone = loud.lifts("z", { stems: [], vector }).get("weather") ?? 0;
        const quiet = nearness(vector, embedded("server"));
        expect(alone).toBeLessThanOrEqual(0.1 + 0.1 * Math.max(0, quiet) + 0.001);
      }),
      { numRuns: 30 },
    );
  });
});

describe("a ring", () => {
  test("holds the last twenty uses of an entry", async () => {
    const memory = made({ knowsWord: () => true });
    for (let at = 0; at < 30; at += 1)
      await memory.absorb({ entry: "weather", application: "a", text: `rain w${at}x` });
    expect(memory.records().map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: ringSize }, (_, at) => at + 11),
    );
  });

  test("cannot be taken over: a loud application pushes out its own uses only", async () => {
    const memory = made({ knowsWord: () => true });
    await memory.absorb({ entry: "weather", application: "quiet", text: "umbrella" });
    for (let at = 0; at < 50; at += 1)
      await memory.absorb({ entry: "weather", application: "loud", text: `rain w${at}x` });
    expect(memory.records().filter(({ application }) => application === "quiet")).toHaveLength(1);
    expect(memory.records()).toHaveLength(ringSize);
  });

  test("holds the same use once", async () => {
    const memory = made();
    for (let at = 0; at < 5; at += 1) await memory.absorb({ entry: "weather", application: "a", text: "rain today" });
    expect(memory.records()).toHaveLength(1);
  });
});

describe("what is remembered", () => {
  test("has no text, no word outside of the vocabulary, no number", async () => {
    const memory = made();
    const text = "Umbrella for Zaphod Beeblebrox, card 4111111111111111, tomorrow";
    await memory.absorb({ entry: "weather", application: "a", text });
    const [record] = memory.records();
    expect(record?.stems).toEqual(["umbrella", "tomorrow"]);
    expect(JSON.stringify(record)).not.toMatch(/zaphod|4111/i);
  });

  test("has nothing of personal data, in its words or in its vector", async () => {
    const withoutPersonalData = (text: string) => text.replaceAll("umbrella", "");
    const [told, blind] = [made({ withoutPersonalData }), made()];
    await told.absorb({ entry: "weather", application: "a", text: "rain umbrella" });
    await blind.absorb({ entry: "weather", application: "a", text: "rain" });
    expect(told.records()).toEqual(blind.records());
  });

  test("is nothing for a text that says nothing", async () => {
    const memory = made();
    await memory.absorb({ entry: "weather", application: "a", text: "…" });
    expect(memory.records()).toEqual([]);
  });

  test("is nothing when the embedder is down", async () => {
    const embedder = { ...builtIn, modelId: "remote", embed: () => Promise.reject(new Error("down")) };
    const memory = made({ embedder });
    await expect(memory.absorb({ entry: "weather", application: "a", text: "rain" })).rejects.toThrow("down");
    expect(memory.records()).toEqual([]);
  });
});

describe("forgetting", () => {
  test("an application leaves nothing of it", async () => {
    const memory = made();
    const query = "Do I need an umbrella?";
    const before = await rank(memory, query, "a");
    for (const application of ["a", "b"]) {
      await memory.absorb({ entry: "weather", application, text: "Should I take an umbrella?" });
    }
    expect(memory.forget({ application: "a" })).toBe(1);
    expect(await rank(memory, query, "a")).toEqual(before);
    expect(memory.records().map(({ application }) => application)).toEqual(["b"]);
  });

  test("an entry, or everything, leaves nothing of it", async () => {
    const memory = made();
    for (const entry of ["weather", "mail"]) await memory.absorb({ entry, application: "a", text: "rain today" });
    expect(memory.forget({ entry: "weather", application: "b" })).toBe(0);
    expect(memory.forget({ entry: "weather" })).toBe(1);
    expect(memory.forget()).toBe(1);
    expect(memory.lifts("a", { stems: ["rain"], vector: embedded("rain") }).size).toBe(0);
  });
});

describe("a journal", () => {
  test("leads back to the same memory", async () => {
    type Records = ReturnType<UseMemory["records"]>;
    const kept = new Map<number, Records[number]>();
    const forgotten = (records: Records) => {
      for (const { sequence } of records) kept.delete(sequence);
    };
    const absorbed = (record: Records[number], leaving: Records[number] | undefined) => {
      kept.set(record.sequence, record);
      if (leaving !== undefined) forgotten([leaving]);
    };
    const journal = { absorbed, forgotten };
    const memory = made({ journal, knowsWord: () => true });
    for (let at = 0; at < 45; at += 1) {
      const application = at % 3 === 0 ? "a" : "b";
      await memory.absorb({ entry: at % 2 === 0 ? "weather" : "mail", application, text: `rain w${at}x umbrella` });
    }
    memory.forget({ entry: "mail", application: "a" });
    const again = made({ records: [...kept.values()].toReversed(), knowsWord: () => true });
    expect(again.records()).toEqual(memory.records());
    expect(await rank(again, "umbrella", "a")).toEqual(await rank(memory, "umbrella", "a"));
    await again.absorb({ entry: "weather", application: "c", text: "sun" });
    expect(again.records().at(-1)?.sequence).toBe(46);
  });

  test("of another model gives its words, and no vector", async () => {
    const memory = made();
    await memory.absorb({ entry: "weather", application: "a", text: "rain today" });
    const records = memory.records().map((record) => ({ ...record, modelId: "another" }));
    expect(made({ records }).records()).toEqual(records.map((record) => ({ ...record, vector: undefined })));
  });
});

function made(parts: Partial<UseMemoryParts> = {}): UseMemory {
  const defaults = { knowsWord: (word: string) => english.has(word), withoutPersonalData: (text: string) => text };
  return createUseMemory({ embedder: builtIn, ...defaults, ...parts });
}

async function rank(memory: UseMemory, query: string, application: string | undefined): Promise<readonly Ranked[]> {
  const index = createHybridIndex({ embedder: builtIn, memory });
  await index.update({
    set: [
      { id: "weather", ...toolText({ name: "forecast", description: "Temperature and pressure of a place" }) },
      { id: "mail", ...toolText({ name: "send_mail", description: "Sends a message" }) },
    ],
  });
  return index.rank(query, application === undefined ? {} : { application });
}

async function scoreOf(memory: UseMemory, id: string, query: string, application: string): Promise<number> {
  return (await rank(memory, query, application)).find((found) => found.id === id)?.score ?? 0;
}

function nearness(left: Float32Array | undefined, right: Float32Array | undefined): number {
  return (left ?? new Float32Array(0)).reduce((sum, value, at) => sum + value * (right?.[at] ?? 0), 0);
}

function embedded(text: string): Float32Array | undefined {
  const vectors = builtIn.embed([text]);
  return vectors instanceof Promise ? undefined : vectors[0];
}
