import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CompiledEmbedder } from "../../src/embedding/define-embedder.ts";
import { onnx } from "../../src/embedding/onnx.ts";
import { createOnnxEmbedder } from "../../src/embedding/onnx-embedder.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { GatewayError } from "../../src/kernel/errors.ts";
import { fakeEmbeddings } from "../kit/embedder-tools.ts";
import { onnxIsInstalled } from "./install-onnx.ts";
import { writeTinyModel } from "./tiny-model.ts";

const words = { red: [1, 0, 0], blue: [0, 1, 0], sky: [0, 0.6, 0.8], rot: [1, 0, 0], 天: [0, 0, 1] };

let folder = "";
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "gatehouse-onnx-")), "tiny");
  writeTinyModel(folder, { words });
});
afterEach(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

const made: CompiledEmbedder[] = [];
afterEach(async () => {
  for (const embedder of made.splice(0)) await embedder.dispose?.();
});

function embedderOf(
  more: Partial<Parameters<typeof createOnnxEmbedder>[0]> = {},
  clock = systemClock,
): CompiledEmbedder {
  const thresholds = { route: 0.4, tool: 0.4, guard: 0.4, cache: 0.4 };
  const config = { ...onnx.config.parse({ model: folder, dtype: "fp32" }), thresholds };
  const packageFrom = [join(import.meta.dirname, "package.json")];
  const embedder = createOnnxEmbedder({ ...config, packageFrom, ...more }, { ...fakeEmbeddings().tools, clock });
  made.push(embedder);
  return embedder;
}

async function failure(of: unknown): Promise<GatewayError> {
  const caught: unknown = await Promise.resolve(of).catch((error: unknown) => error);
  if (caught instanceof GatewayError) return caught;
  throw new Error(`no GatewayError but ${String(caught)}`);
}

describe("what needs no package", () => {
  test.each(["tokenizer.json", "config.json", "onnx"])(
    "a folder without %s is named with what it lacks",
    async (name) => {
      rmSync(join(folder, name), { recursive: true });
      const error = await failure(embedderOf().embed(["red"]));
      expect(error.code).toBe("config.invalid");
      expect(error.message).toContain(`it lacks ${name}`);
      expect(() => embedderOf().modelId).toThrow(error.message);
    },
  );

  test("a folder without the weights that were chosen is named", async () => {
    const error = await failure(embedderOf({ dtype: "q8" }).embed(["red"]));
    expect(error.message).toContain("onnx/model_quantized.onnx");
  });

  test("where the package is not installed, the command that installs it is told", async () => {
    const error = await failure(embedderOf({ packageFrom: [join(tmpdir(), "package.json")] }).embed(["red"]));
    expect(error.message).toContain("npm install @huggingface/transformers");
  });

  test("the id names the weights and the manner, not the place", () => {
    const id = embedderOf().modelId;
    expect(id).toMatch(/^onnx\/tiny-[0-9a-f]{12}@fp32,mean$/);
    expect(embedderOf({ pooling: "cls" }).modelId).not.toBe(id);
    expect(embedderOf({ prefix: "query: " }).modelId).not.toBe(id);
    writeTinyModel(folder, { words: { ...words, more: [1, 1, 1] } });
    expect(embedderOf().modelId).not.toBe(id);
  });
});

describe.skipIf(!onnxIsInstalled())("a tiny model through transformers.js", () => {
  test("gives unit vectors of the mean of its tokens, in order and in several runs", async () => {
    const embedder = embedderOf({ maxBatchTexts: 2 });
    expect(embedder.dimensions).toBeUndefined();
    const [red, rot, both, sky, again] = await embedder.embed(["red", "rot", "Red blue", "sky", "red"]);
    expect(dot(red, rot)).toBeCloseTo(1, 5);
    expect(dot(red, again)).toBeCloseTo(1, 5);
    expect(dot(red, both)).toBeCloseTo(Math.SQRT1_2, 5);
    expect(dot(both, both)).toBeCloseTo(1, 5);
    expect(dot(red, sky)).toBeCloseTo(0, 5);
    expect(embedder.dimensions).toBe(3);
  });

  test("knows nothing of an empty text and of unknown words; other letters than Latin are words like any", async () => {
    const vectors = await embedderOf().embed(["", "  ", "unheard of", "天"]);
    expect(vectors.map((vector) => vector?.length)).toEqual([undefined, undefined, undefined, 3]);
  });

  test("reads the head of a text of 1 MB", async () => {
    const [vector] = await embedderOf().embed(["red ".repeat(262_144)]);
    expect(vector?.[0]).toBeCloseTo(1, 5);
  });

  test("that is damaged is a fault of the configuration, with what the library says", async () => {
    writeTinyModel(folder, { words, wrong: "cut-short" });
    const error = await failure(embedderOf().embed(["red"]));
    expect(error.code).toBe("config.invalid");
    expect(error.message).toMatch(/^The ONNX model cannot be loaded: .{10}/);
  });

  test("of the hub is not fetched unless that is allowed", async () => {
    const error = await failure(embedderOf({ model: "nobody/no-such-model", cacheFolder: folder }).embed(["red"]));
    expect(error.code).toBe("config.invalid");
  });

  test("that takes too long is ended, and the next text begins a new thread", async () => {
    const limits = { now: 0 };
    const clock = {
      ...systemClock,
      after: (ms: number, call: () => void) => systemClock.after(ms === 50 ? limits.now : ms, call),
    };
    const embedder = embedderOf({ timeoutMs: 50 }, clock);
    const error = await failure(embedder.embed(Array.from({ length: 32 }, () => "red blue ".repeat(2_000))));
    expect(error.code).toBe("upstream.timeout");
    limits.now = 20_000;
    expect((await embedder.embed(["red"]))[0]).toHaveLength(3);
  });

  test("holds nobody who has left", async () => {
    const error = await failure(embedderOf().embed(["red"], AbortSignal.abort()));
    expect(error.code).toBe("client.closed");
  });
});

function dot(left: Float32Array | undefined, right: Float32Array | undefined): number {
  return Array.from(left ?? []).reduce((sum, number, index) => sum + number * (right?.[index] ?? Number.NaN), 0);
}
