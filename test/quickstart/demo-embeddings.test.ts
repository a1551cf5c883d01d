import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DemoModel } from "../../src/quickstart/demo-model.ts";
import { startDemoModel } from "../../src/quickstart/demo-model.ts";
import { manualClock } from "../kit/manual-clock.ts";

let model: DemoModel;
let client: OpenAI;

beforeAll(async () => {
  model = await startDemoModel({ clock: manualClock() });
  client = new OpenAI({ apiKey: "unused", baseURL: model.baseUrl, maxRetries: 0 });
});

afterAll(() => model[Symbol.asyncDispose]());

describe("embeddings and models", () => {
  const embed = async (input: string): Promise<number[]> => {
    const answer = await client.embeddings.create({ model: "demo-1", input, encoding_format: "float" });
    return answer.data[0]?.embedding ?? [];
  };
  const dot = (left: number[], right: number[]): number =>
    left.reduce((sum, value, at) => sum + value * (right[at] ?? 0), 0);

  test("vectors have length one, and texts of like words are nearer than others", async () => {
    const [cat, cats, tax] = await Promise.all([
      embed("the cat sat here"),
      embed("the cat sat there"),
      embed("tax form 1040"),
    ]);
    expect(dot(cat, cat)).toBeCloseTo(1, 5);
    expect(dot(cat, cats)).toBeGreaterThan(dot(cat, tax));
  });

  test("base64, which the SDK asks for by itself, means the same numbers", async () => {
    const decoded = await client.embeddings.create({ model: "demo-1", input: "hello", dimensions: 16 });
    const floats = await client.embeddings.create({
      model: "demo-1",
      input: "hello",
      dimensions: 16,
      encoding_format: "float",
    });
    expect([...(decoded.data[0]?.embedding ?? [])]).toEqual(floats.data[0]?.embedding);
    expect(decoded.usage.total_tokens).toBe(1);
  });

  test("each input gets its own vector, tokens too", async () => {
    const texts = await client.embeddings.create({ model: "demo-1", input: ["a", "b", "a"] });
    expect(texts.data.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(texts.data[2]?.embedding).toEqual(texts.data[0]?.embedding);
    expect((await client.embeddings.create({ model: "demo-1", input: [[1, 2], [3]] })).data).toHaveLength(2);
  });

  test("there is one model", async () => {
    expect((await Array.fromAsync(client.models.list())).map(({ id }) => id)).toEqual(["demo-1", "demo-2"]);
    expect(await client.models.retrieve("demo-1")).toMatchObject({ object: "model" });
  });
});
