import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readBuiltInPrices } from "../../src/built-in-prices.ts";
import { accountPrices, costOf, createPriceTable, dearest, tierPercent } from "../../src/pipeline/price-table.ts";

const price = { input: 2_500_000_000, cachedInput: 1_250_000_000, output: 10_000_000_000, reasoning: 12_000_000_000 };

describe("the cost of tokens", () => {
  test("is what each kind costs, cached input and reasoning among the rest", () => {
    const tokens = { inputTokens: 1_000, cachedInputTokens: 400, outputTokens: 200, reasoningTokens: 50 };
    expect(costOf(price, tokens)).toBe(600 * 2_500 + 400 * 1_250 + 150 * 10_000 + 50 * 12_000);
  });

  test("counts a part of a billionth as a whole, once", () => {
    expect(costOf({ ...price, input: 1, cachedInput: 1 }, { inputTokens: 3, outputTokens: 0 })).toBe(1);
  });

  test("of a long prompt is by its own prices, from one token above the bound", () => {
    const long = { above: 100, input: 5_000_000_000, cachedInput: 0, output: 0, reasoning: 0 };
    expect(costOf({ ...price, long }, { inputTokens: 100, outputTokens: 0 })).toBe(250_000);
    expect(costOf({ ...price, long }, { inputTokens: 101, outputTokens: 0 })).toBe(505_000);
  });

  test("of cache writes, of an hour and of five minutes, and of audio is by their own prices", () => {
    const more = { cacheWrite: 3_000_000_000, cacheWriteHour: 5_000_000_000, audioInput: 40_000_000_000 };
    const dear = { ...price, ...more, audioOutput: 80_000_000_000 };
    const tokens = { inputTokens: 1_000, cachedInputTokens: 100, cacheWriteTokens: 300, cacheWriteHourTokens: 200 };
    const all = { ...tokens, audioInputTokens: 50, outputTokens: 60, audioOutputTokens: 20 };
    const inputs = 100 * 1_250 + 200 * 5_000 + 100 * 3_000 + 50 * 40_000 + 550 * 2_500;
    expect(costOf(dear, all)).toBe(inputs + 20 * 80_000 + 40 * 10_000);
    expect(costOf(price, all)).toBe(100 * 1_250 + 900 * 2_500 + 60 * 10_000); // as plain ones, where none is given
  });

  test("counts no token twice when an upstream tells of more of a kind than of all", () => {
    const tokens = { inputTokens: 10, cachedInputTokens: 8, cacheWriteTokens: 8, cacheWriteHourTokens: 99 };
    const cost = costOf({ ...price, cacheWrite: 5_000_000_000 }, { ...tokens, outputTokens: 0 });
    expect(cost).toBe(8 * 1_250 + 2 * 5_000);
  });

  test("is a share of the price in another service tier, and the whole in one that nobody has priced", () => {
    const tokens = { inputTokens: 1_000, outputTokens: 0 };
    const tiered = { ...price, tiers: { flex: 50, priority: 175 } };
    const costs = ["default", "flex", "priority", "unheard", "constructor"].map((serviceTier) => [
      costOf(tiered, { ...tokens, serviceTier }),
      tierPercent(tiered, { ...tokens, serviceTier }),
    ]);
    const whole = 2_500_000;
    expect(costs).toEqual([
      [whole, 100],
      [whole / 2, 50],
      [whole * 1.75, 175],
      [whole, undefined],
      [whole, undefined],
    ]);
    expect(dearest([tiered]).input).toBe(4_375_000_000);
  });

  test("is never less than that of fewer tokens, nor more than by the dearest price, and always counted exactly", () => {
    const count = fc.integer({ min: 0, max: 50_000_000 });
    const rate = fc.integer({ min: 0, max: 9_000_000_000_000 });
    const rates = fc.record({ input: rate, cachedInput: rate, output: rate, reasoning: rate });
    fc.assert(
      fc.property(
        rates,
        count,
        count,
        count,
        count,
        (anyRates, inputTokens, cachedInputTokens, outputTokens, reasoningTokens) => {
          const tokens = { inputTokens, cachedInputTokens, outputTokens, reasoningTokens };
          const cost = costOf(anyRates, tokens);
          expect(Number.isSafeInteger(cost)).toBe(true);
          expect(costOf(dearest([anyRates]), { inputTokens, outputTokens })).toBeGreaterThanOrEqual(cost);
          expect(costOf(anyRates, { ...tokens, outputTokens: outputTokens + 1 })).toBeGreaterThanOrEqual(cost);
        },
      ),
    );
  });
});

describe("prices of an account", () => {
  const builtIn = createPriceTable({
    asOf: "2026-01-01",
    providers: { openai: { source: "https://example.com", models: { "gpt-x": { input: "1", output: "2" } } } },
  }).provider("openai");

  test("are the operator's where it has written any, else the built-in ones, else unknown", () => {
    const of = accountPrices({ "gpt-*": { input: "3", output: "4" } }, builtIn);
    expect(of("gpt-x")?.input).toBe(3_000_000_000);
    expect(accountPrices(undefined, builtIn)("gpt-x")?.input).toBe(1_000_000_000);
    expect(of("other")).toBeUndefined();
    expect(of("other")).toBeUndefined(); // as the first time
  });

  test("of a dated version are those of its model", () => {
    expect(builtIn("gpt-x-2026-02-03")?.output).toBe(2_000_000_000);
    expect(builtIn("gpt-x-20260203")?.output).toBe(2_000_000_000);
    expect(builtIn("gpt-x-mini")).toBeUndefined();
  });

  test("are not remembered for names that callers make up at length", () => {
    const of = accountPrices({ "*": { input: "3", output: "4" } }, builtIn);
    for (let count = 0; count < 3_000; count += 1) expect(of(`${"x".repeat(300)}${count}`)?.input).toBe(3_000_000_000);
  });
});

test("the built-in prices are dated, name their source, and hold the models that most ask for", () => {
  const table = readBuiltInPrices();
  expect(table.asOf).toMatch(/^2026-/);
  for (const [provider, model] of [
    ["openai", "gpt-5"],
    ["openai", "gpt-4o-mini-2024-07-18"],
    ["mistral", "mistral-small-latest"],
    ["vllm", "gatehouse/demo"],
  ] as const) {
    expect([model, table.provider(provider)(model)]).not.toContain(undefined);
  }
  const { providers } = JSON.parse(readFileSync("assets/prices.json", "utf8"));
  for (const name of ["openai", "anthropic", "google", "mistral"]) expect(providers[name].source).toMatch(/^https:/);
  expect(table.provider("ollama")("gpt-5")).toBeUndefined(); // a model of that name on one's own machine
  for (const { models, checked = {} } of Object.values<{ models: object; checked?: object }>(providers)) {
    for (const [model, { on, at }] of Object.entries(checked)) {
      expect(Object.keys(models)).toContain(model);
      expect(on <= table.asOf).toBe(true);
      expect(at).toMatch(/^https:/);
    }
  }
});
