import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { builtInModelFolder } from "../../src/embedding/static-embedder.ts";
import { loadStaticModel } from "../../src/embedding/static-model.ts";

const folder = mkdtempSync(join(tmpdir(), "static-model-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("the model that ships", () => {
  const model = loadStaticModel(builtInModelFolder);

  test.each([
    ["get_weather_forecast", "what is the weather like in Paris tomorrow", 0.4996],
    ["createCalendarEvent", "schedule a meeting with Anna", 0.4895],
    ["Café résumé", "cafe resume", 1],
    ["delete the file", "compose a birthday poem", 0.1195],
  ])("%s and %s are as near as its description says", (left, right, cosine) => {
    expect(Math.abs(dot(model.embed(left), model.embed(right)) - cosine)).toBeLessThanOrEqual(0.002);
  });

  test("cuts text into the tokens that its description says", () => {
    const tokens = [4889, 4916, 5019, 7650, 5473, 14482, 709, 201];
    expect(model.tokenizer.tokenize("getUserToken kubectl-apply xyzzyq")).toEqual(tokens);
  });

  test("gives vectors of length one and 256 dimensions", () => {
    const vector = model.embed("list the open pull requests");
    expect(vector).toHaveLength(256);
    expect(dot(vector, vector)).toBeCloseTo(1, 5);
  });

  test.each(["", "   ", "привет мир", "…🙂"])("knows nothing in %j", (text) => {
    expect(model.embed(text)).toBeUndefined();
  });

  test("takes a megabyte of text", () => {
    expect(model.embed("weather ".repeat(131_072))).toHaveLength(256);
  });

  test("travels with the sources that it is made of", () => {
    const notice = readFileSync(join(builtInModelFolder, "NOTICE"), "utf8");
    for (const source of ["tldr-pages/tldr", "Princeton WordNet", "PowerShell-Docs", "NLU-Evaluation-Data", "BERT"]) {
      expect(notice).toContain(source);
    }
    const manifest: { files?: string[] } = JSON.parse(
      readFileSync(join(import.meta.dirname, "../../package.json"), "utf8"),
    );
    expect(manifest.files ?? ["assets"]).toContain("assets");
  });
});

describe("a folder", () => {
  test("of a small model of the same format is used, and named by its weights", () => {
    const small = loadStaticModel(write({}));
    expect(small.id).toMatch(/^tiny@[0-9a-f]{12}$/);
    expect([...(small.embed("b a") ?? [])]).toEqual([Math.fround(0.6), Math.fround(0.8)]);
    expect(loadStaticModel(write({ values: [6, 0, 0, 9] })).id).not.toBe(small.id);
  });

  test("whose tokens cancel out gives no vector", () => {
    expect(loadStaticModel(write({ values: [5, 5, -5, -5] })).embed("a b")).toBeUndefined();
  });

  test.each([
    { name: "with other magic", faults: { magic: "SEM2" }, message: "does not begin with SEM1" },
    { name: "of another version", faults: { version: 2 }, message: "version 2" },
    { name: "that is cut short", faults: { values: [1, 2, 3] }, message: "need 28" },
    { name: "with a scale that is no number", faults: { scale: Number.NaN }, message: "scale" },
    { name: "with too few tokens", faults: { vocabulary: "a\n" }, message: "1 tokens" },
    { name: "with another format in its description", faults: { format: "ONNX" }, message: "config.json" },
  ])("$name is refused", ({ faults, message }) => {
    expect(() => loadStaticModel(write(faults))).toThrow(
      expect.objectContaining({ code: "config.invalid", message: expect.stringContaining(message) }),
    );
  });

  test("that is not there is refused by the name of the file", () => {
    expect(() => loadStaticModel(join(folder, "nowhere"))).toThrow(/config\.json cannot be read/);
  });
});

interface Tiny {
  magic?: string;
  version?: number;
  scale?: number;
  values?: number[];
  vocabulary?: string;
  format?: string;
}

function write({
  magic = "SEM1",
  version = 1,
  scale = 1,
  values = [6, 0, 0, 8],
  vocabulary = "a\nb\n",
  format = "SEM1",
}: Tiny) {
  const header = Buffer.alloc(24);
  header.write(magic, "latin1");
  for (const [at, value] of [version, 2, 2].entries()) header.writeUInt32LE(value, 4 + 4 * at);
  header.writeFloatLE(scale, 16);
  header.writeFloatLE(1, 20);
  writeFileSync(join(folder, "model.bin"), Buffer.concat([header, Uint8Array.from(values, (value) => value & 255)]));
  writeFileSync(join(folder, "vocab.txt"), vocabulary);
  writeFileSync(join(folder, "config.json"), JSON.stringify({ name: "tiny", format, version: 1 }));
  return folder;
}

function dot(left: Float32Array | undefined, right: Float32Array | undefined): number {
  return (left ?? new Float32Array(0)).reduce((sum, value, at) => sum + value * (right?.[at] ?? Number.NaN), 0);
}
