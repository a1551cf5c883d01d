import { expect, test } from "vitest";
import { createTokenEstimates } from "../../src/pipeline/token-estimates.ts";

const demand = (textBytes: number, mediaTokens = 0) => ({ textBytes, mediaTokens, outputCap: undefined });

test("a prompt is a third of a token a byte until ten have told otherwise", () => {
  const estimates = createTokenEstimates();
  expect(estimates.promptTokens("llm_1", "m", demand(300))).toBe(102);
  for (let count = 0; count < 10; count += 1) {
    expect(estimates.promptTokens("llm_1", "m", demand(300))).toBe(102);
    estimates.note("llm_1", "m", demand(400), { inputTokens: 100, outputTokens: 50 });
  }
  expect(estimates.promptTokens("llm_1", "m", demand(400))).toBe(110); // a tenth more than seen
  expect(estimates.promptTokens("llm_1", "other", demand(300))).toBe(102);
  expect(estimates.promptTokens("llm_2", "m", demand(300))).toBe(102);
});

test("answers are as long as nine in ten lately were, and unknown before ten", () => {
  const estimates = createTokenEstimates();
  for (let count = 0; count < 9; count += 1) {
    estimates.note("llm_1", "m", demand(10), { inputTokens: 3, outputTokens: 100 });
  }
  expect(estimates.answerTokens("llm_1", "m")).toBeUndefined();
  for (let count = 0; count < 400; count += 1) {
    const outputTokens = count % 10 === 0 ? 1_000 : 100 + (count % 7);
    estimates.note("llm_1", "m", demand(10), { inputTokens: 3, outputTokens });
  }
  const learnt = estimates.answerTokens("llm_1", "m") ?? 0;
  expect(learnt).toBeGreaterThanOrEqual(100);
  expect(learnt).toBeLessThan(1_000);
});

test("an upstream that counts absurdly moves a prompt's estimate to a token a byte and no further, and pictures not at all", () => {
  const estimates = createTokenEstimates();
  for (let count = 0; count < 50; count += 1) {
    estimates.note("llm_1", "m", demand(10), { inputTokens: 1_000_000, outputTokens: 0 });
    estimates.note("llm_1", "seen", demand(10, 1_600), { inputTokens: 1_000_000, outputTokens: 0 });
  }
  expect(estimates.promptTokens("llm_1", "m", demand(100))).toBe(100);
  expect(estimates.promptTokens("llm_1", "seen", demand(100, 1_600))).toBe(34 + 1_600);
  expect(estimates.answerTokens("llm_1", "m")).toBeUndefined();
});

test("what a provider adds of its own is learnt apart, and moves nobody's estimate of text", () => {
  const estimates = createTokenEstimates();
  const kept = { ...demand(300), isPartlyKept: true };
  expect(estimates.keptTokens("llm_1", "m", kept)).toBe(4_000);
  for (let count = 0; count < 10; count += 1) {
    estimates.note("llm_1", "m", kept, { inputTokens: 90_000, outputTokens: 5 });
  }
  expect(estimates.promptTokens("llm_1", "m", kept)).toBe(102);
  expect(estimates.keptTokens("llm_1", "m", kept)).toBe(90_000);
  expect(estimates.keptTokens("llm_1", "m", demand(300))).toBe(0);
  expect(estimates.promptTokens("llm_1", "m", demand(300))).toBe(102);
  expect(estimates.answerTokens("llm_1", "m")).toBe(5);
});

test("at most 5000 pairs of API and model are remembered, and no long names", () => {
  const estimates = createTokenEstimates();
  const learn = (model: string): void => {
    for (let count = 0; count < 10; count += 1) {
      estimates.note("llm_1", model, demand(10), { inputTokens: 10, outputTokens: 7 });
    }
  };
  learn("first");
  expect(estimates.answerTokens("llm_1", "first")).toBe(7);
  for (let count = 0; count < 5_000; count += 1) {
    estimates.note("llm_1", `m${count}`, demand(10), { inputTokens: 10, outputTokens: 7 });
  }
  expect(estimates.answerTokens("llm_1", "first")).toBeUndefined();
  learn("x".repeat(300));
  expect(estimates.answerTokens("llm_1", "x".repeat(300))).toBeUndefined();
});
