// long: the promises of the cache, in memory, on disk and among callers, are tested together
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CompiledEmbedder } from "../../src/embedding/define-embedder.ts";
import { openaiShaped } from "../../src/embedding/openai-shaped.ts";
import type { VectorCache } from "../../src/embedding/vector-cache.ts";
import { createVectorCache } from "../../src/embedding/vector-cache.ts";
import { GatewayError } from "../../src/kernel/errors.ts";
import type { Log } from "../../src/kernel/log.ts";
import { fakeEmbeddings } from "../kit/embedder-tools.ts";
import { eventually } from "../kit/eventually.ts";

const mebibyte = 1_048_576;

interface CountingEmbedder extends CompiledEmbedder {
  readonly calls: readonly (readonly string[])[];
}

/** A model whose vectors show which model made them. */
function model(
  modelId: string,
  options: { length?: number; hold?: Promise<void>; fail?: () => boolean } = {},
): CountingEmbedder {
  const calls: (readonly string[])[] = [];
  return {
    modelId,
    dimensions: undefined,
    thresholds: { route: 0, tool: 0, guard: 0, cache: 0 },
    calls,
    async embed(texts) {
      calls.push(texts);
      await options.hold;
      if (options.fail?.() === true) throw new GatewayError("upstream.unavailable", "down");
      return texts.map((text) => (text === "" ? undefined : vectorOf(modelId, text, options.length ?? 4)));
    },
  };
}

function vectorOf(modelId: string, text: string, length: number): Float32Array {
  return Float32Array.from({ length }, (_, index) => text.length + modelId.length / 1_000 + index / 10);
}

const warnings: string[] = [];
const silent = (): void => undefined;
const log: Log = { debug: silent, info: silent, error: silent, warn: (_, message) => warnings.push(message) };

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gatehouse-vectors-"));
  path = join(folder, "vectors.bin");
  warnings.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function openCache(maxBytes = mebibyte): VectorCache {
  return createVectorCache({ path, maxBytes, log });
}

describe("a vector that was made", () => {
  test("is not made again, here or after a restart, and what was not is asked for in one call", async () => {
    const first = model("m");
    {
      await using cache = openCache();
      await cache.over(first).embed(["a", "bb"]);
      await cache.over(first).embed(["bb", "ccc", "a", "dddd"]);
      expect(first.calls).toEqual([
        ["a", "bb"],
        ["ccc", "dddd"],
      ]);
    }
    await using again = openCache();
    const second = model("m");
    const vectors = await again.over(second).embed(["dddd", "a", "new"]);
    expect(second.calls).toEqual([["new"]]);
    expect(vectors).toEqual(["dddd", "a", "new"].map((text) => vectorOf("m", text, 4)));
  });

  test("comes without a wait", async () => {
    await using cache = openCache();
    const embedder = cache.over(model("m"));
    await embedder.embed(["a"]);
    expect(embedder.embed(["a"])).toEqual([vectorOf("m", "a", 4)]);
  });

  test("is kept under the text's hash; the text is nowhere in the file", async () => {
    await using cache = openCache();
    await cache.over(model("m")).embed(["a sentence that nobody should find"]);
    await cache.flush();
    const bytes = readFileSync(path);
    expect(bytes.includes("sentence")).toBe(false);
    expect(bytes.length).toBeGreaterThan(40);
    expect(statSync(path).mode & 0o077).toBe(0);
  });

  test("of one model never answers for another, in memory and from disk", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom("m1", "m22", "m333"), fc.string({ minLength: 1, maxLength: 6 })), {
          maxLength: 30,
        }),
        fc.boolean(),
        async (asked, restart) => {
          rmSync(path, { force: true });
          let cache = openCache();
          for (const [index, [modelId, text]] of asked.entries()) {
            if (restart && index === Math.floor(asked.length / 2)) {
              await cache[Symbol.asyncDispose]();
              cache = openCache();
            }
            expect(await cache.over(model(modelId)).embed([text])).toEqual([vectorOf(modelId, text, 4)]);
          }
          await cache[Symbol.asyncDispose]();
        },
      ),
      { numRuns: 30 },
    );
  });

  test("is not of use when the model has changed: all are made again in batches, and the old ones stay for the way back", async () => {
    await using cache = openCache();
    const texts = Array.from({ length: 300 }, (_, index) => `text ${"x".repeat(index)}`);
    const plugin = openaiShaped.find(({ id }) => id === "openai");
    const fake = fakeEmbeddings();
    const remote = (name: string): CompiledEmbedder => {
      const config = plugin?.config.parse({ apiKey: "${secret:openai-key}", model: name, maxBatchTexts: 100 });
      if (plugin === undefined) throw new Error("no embedder");
      return cache.over(plugin.compile(config, fake.tools));
    };
    await remote("old").embed(texts);
    await remote("new").embed(texts);
    expect(fake.calls.map(({ input }) => input.length)).toEqual([100, 100, 100, 100, 100, 100]);
    await remote("old").embed(texts);
    expect(fake.calls).toHaveLength(6);
  });

  test("is forgotten with all others of its model when the model begins to give another length", async () => {
    {
      await using cache = openCache();
      await cache.over(model("m", { length: 4 })).embed(["a", "bb"]);
    }
    await using cache = openCache();
    const changed = model("m", { length: 6 });
    const vectors = await cache.over(changed).embed(["a", "bb", "ccc"]);
    expect(vectors.map((vector) => vector?.length)).toEqual([6, 6, 6]);
    expect(changed.calls).toEqual([["ccc"], ["a", "bb"]]);
    expect(warnings).toEqual(["a model's vectors have another length now"]);
  });

  test("that there is none of a text is remembered too", async () => {
    await using cache = openCache();
    const embedder = model("m");
    expect(await cache.over(embedder).embed(["", "a"])).toEqual([undefined, vectorOf("m", "a", 4)]);
    expect(await cache.over(embedder).embed([""])).toEqual([undefined]);
    expect(embedder.calls).toHaveLength(1);
  });

  test("of a cheap model is not kept at all", () => {
    const cheap = { ...model("m"), cheap: true };
    expect(openCache().over(cheap)).toBe(cheap);
  });
});

describe("several who ask at the same time", () => {
  test("wait for one call, and each text is in it once", async () => {
    await using cache = openCache();
    const gate = Promise.withResolvers<void>();
    const slow = model("m", { hold: gate.promise });
    const embedder = cache.over(slow);
    const asked = [embedder.embed(["a", "bb", "a"]), embedder.embed(["bb", "ccc"])].map(asPromise);
    gate.resolve();
    const [one, two] = await Promise.all(asked);
    expect(slow.calls.flat().toSorted()).toEqual(["a", "bb", "ccc"]);
    expect(one?.[1]).toBe(two?.[0]);
  });

  test("are not harmed by one who leaves; when the last has left the work ends", async () => {
    await using cache = openCache();
    const gate = Promise.withResolvers<void>();
    const signals: AbortSignal[] = [];
    const slow = model("m", { hold: gate.promise });
    const embedder = cache.over({
      ...slow,
      embed(texts, signal) {
        if (signal !== undefined) signals.push(signal);
        return slow.embed(texts, signal);
      },
    });
    const [first, second] = [new AbortController(), new AbortController()];
    const waiting = [embedder.embed(["a"], first.signal), embedder.embed(["a"], second.signal)].map(asPromise);
    const results = Promise.allSettled(waiting);
    await eventually("the call", () => signals.length === 1);
    first.abort();
    await waiting[0]?.catch(() => undefined);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    second.abort();
    expect((await results).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    gate.resolve();
    expect(await embedder.embed(["a"])).toEqual([vectorOf("m", "a", 4)]);
  });

  test("all hear of a failure, and the next try is a new one", async () => {
    await using cache = openCache();
    let down = true;
    const failing = model("m", { fail: () => down });
    const embedder = cache.over(failing);
    const results = await Promise.allSettled([embedder.embed(["a"]), embedder.embed(["a", "bb"])].map(asPromise));
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    down = false;
    expect((await embedder.embed(["a"]))[0]).toHaveLength(4);
  });
});

describe("the bounds", () => {
  test("the least recently used goes first", async () => {
    await using cache = openCache(3 * (250 + 16));
    const embedder = model("m");
    const over = cache.over(embedder);
    for (const text of ["a", "bb", "ccc"]) await over.embed([text]);
    await over.embed(["a"]); // used again, so "bb" is the oldest now
    await over.embed(["dddd"]);
    expect(cache.size.vectors).toBe(3);
    await over.embed(["a", "ccc", "dddd"]);
    expect(embedder.calls).toHaveLength(4);
    await over.embed(["bb"]);
    expect(embedder.calls).toHaveLength(5);
  });

  test("the file is written anew before it is twice the memory's bound, and has then what memory has", async () => {
    const maxBytes = 20 * (250 + 16);
    let cache = openCache(maxBytes);
    for (let count = 0; count < 500; count += 1) {
      await cache.over(model("m")).embed(["x".repeat(count + 1)]);
      await cache.flush();
      expect(statSync(path).size).toBeLessThanOrEqual(2 * maxBytes);
    }
    await cache[Symbol.asyncDispose]();
    cache = openCache(maxBytes);
    const embedder = model("m");
    await cache.over(embedder).embed(Array.from({ length: 20 }, (_, index) => "x".repeat(481 + index)));
    expect(embedder.calls).toEqual([]);
    await cache[Symbol.asyncDispose]();
  });
});

describe("a file", () => {
  async function fill(count: number): Promise<Buffer> {
    await using cache = openCache();
    for (let index = 0; index < count; index += 1) await cache.over(model("m")).embed(["y".repeat(index + 1)]);
    await cache.flush();
    return readFileSync(path);
  }

  test("that is cut off anywhere gives what is whole, and goes on from there", async () => {
    const whole = await fill(8);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length }), async (length) => {
        writeFileSync(path, whole);
        truncateSync(path, length);
        {
          await using cache = openCache();
          for (let index = 0; index < 8; index += 1) {
            const text = "y".repeat(index + 1);
            expect(await cache.over(model("m")).embed([text])).toEqual([vectorOf("m", text, 4)]);
          }
        }
        await using again = openCache();
        const embedder = model("m");
        for (let index = 0; index < 8; index += 1) await again.over(embedder).embed(["y".repeat(index + 1)]);
        expect(embedder.calls).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  test("that was altered anywhere gives no wrong vector", async () => {
    const whole = await fill(8);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const bytes = Buffer.from(whole);
        bytes[at] = (bytes[at] ?? 0) ^ flip;
        writeFileSync(path, bytes);
        await using cache = openCache();
        for (let index = 0; index < 8; index += 1) {
          const text = "y".repeat(index + 1);
          expect(await cache.over(model("m")).embed([text])).toEqual([vectorOf("m", text, 4)]);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("of another format is begun anew, and says so", async () => {
    writeFileSync(path, "something else altogether");
    await using cache = openCache();
    await cache.over(model("m")).embed(["a"]);
    await cache.flush();
    expect(readFileSync(path).toString("latin1", 0, 4)).toBe("GHVC");
    expect(warnings).toEqual(["the end of the kept vectors was not readable"]);
  });

  test("that cannot be opened leaves a cache in memory", async () => {
    const embedder = model("m");
    await using cache = createVectorCache({ path: join(folder, "missing", "vectors.bin"), maxBytes: mebibyte, log });
    await cache.over(embedder).embed(["a"]);
    await cache.over(embedder).embed(["a"]);
    expect(embedder.calls).toHaveLength(1);
    expect(warnings).toEqual(["vectors are not kept on disk"]);
  });

  test("holds after kill -9 what was said to be safe", async () => {
    const child = spawn(process.execPath, [join(import.meta.dirname, "vector-child.ts"), path]);
    const { promise, resolve } = Promise.withResolvers<number>();
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      const safe = Number(said.trimEnd().split("\n").at(-1));
      if (safe >= 50 && said.endsWith("\n")) resolve(safe);
    });
    const safe = await promise;
    child.kill("SIGKILL");
    await new Promise((closed) => child.once("close", closed));
    await using cache = openCache();
    const embedder = model("openai/text-embedding-3-small");
    await cache.over(embedder).embed(Array.from({ length: safe + 1 }, (_, index) => `text ${index}`));
    expect(embedder.calls).toEqual([]);
  });
});

async function asPromise<Value>(value: Value | Promise<Value>): Promise<Value> {
  return value;
}
