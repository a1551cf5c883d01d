import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import type { PolicyHandlers } from "../../src/pipeline/define-policy.ts";
import type { Deny } from "../../src/pipeline/outcome.ts";
import type { ModelPrice } from "../../src/pipeline/price-table.ts";
import { costBudget } from "../../src/policies/cost-budget.ts";
import { tokenLimit } from "../../src/policies/token-limit.ts";
import { buildTools } from "../kit/exchange.ts";
import type { CallParts } from "../kit/llm-limits.ts";
import { admitCall, buildCall, usageOf } from "../kit/llm-limits.ts";

const place = { place: "llm_x/policies[0]" };
const cheap: ModelPrice = {
  input: 1_000_000_000,
  cachedInput: 100_000_000,
  output: 2_000_000_000,
  reasoning: 2_000_000_000,
};
const dear: ModelPrice = {
  input: 10_000_000_000,
  cachedInput: 10_000_000_000,
  output: 20_000_000_000,
  reasoning: 20_000_000_000,
};

function tokens(config: z.input<typeof tokenLimit.config>) {
  const tools = buildTools();
  return limited(tokenLimit.compile(tokenLimit.config.parse(config), tools, place), tools);
}

function money(config: z.input<typeof costBudget.config>) {
  const tools = buildTools();
  return limited(costBudget.compile(costBudget.config.parse(config), tools, place), tools);
}

function limited(policy: PolicyHandlers, tools: ReturnType<typeof buildTools>) {
  return {
    tools,
    async begin(parts: CallParts = {}) {
      const call = buildCall({ prices: [cheap], ...parts });
      const begun = await admitCall(policy, tools.limiter, call);
      return { ...call, begun, refusal: "type" in begun ? begun : undefined };
    },
    async call(parts: CallParts, used?: [number, number], target?: string): Promise<Deny | undefined> {
      const { begun } = await this.begin(parts);
      if ("type" in begun) return begun;
      await begun.end(used && usageOf(...used), target);
      return undefined;
    },
  };
}

/** A prompt of so many tokens by the first guess, and an answer of so many at most. */
const demand = (prompt: number, outputCap?: number) => ({ textBytes: Math.floor(prompt / 0.34), outputCap });

describe("tokens", () => {
  test("are reserved by the prompt and what bounds the answer, and settled to what was used", async () => {
    const limit = tokens({ tokens: 1_000, reservePrompt: "bound" });
    const first = await limit.begin({ demand: { textBytes: 100, outputCap: 400 } });
    expect(first.exchange.responseHeaders).toMatchObject({
      "x-ratelimit-limit-tokens": "1000",
      "x-ratelimit-remaining-tokens": "500",
    });
    expect((await limit.begin({ demand: { textBytes: 101, outputCap: 400 } })).refusal).toMatchObject({
      code: "limit.exceeded",
    });
    if (!("end" in first.begun)) return expect.unreachable();
    await first.begun.end(usageOf(30, 20));
    expect((await limit.begin({ demand: { textBytes: 550, outputCap: 400 } })).refusal).toBeUndefined();
  });

  test.each([
    ["prompt", 10],
    ["completion", 7],
    ["total", 17],
  ] as const)("of kind %s are those that count", async (count, used) => {
    const limit = tokens({ tokens: 100, count });
    await limit.call({ demand: { textBytes: 0, outputCap: 1 } }, [10, 7]);
    const { exchange } = await limit.begin({ demand: { textBytes: 0, outputCap: 0 } });
    expect(exchange.responseHeaders["x-ratelimit-remaining-tokens"]).toBe(String(100 - used));
  });

  test("pass the limit by nobody's call where answers are bounded, whatever is in flight", async () => {
    const calls = fc.array(
      fc.record({
        prompt: fc.integer({ min: 0, max: 400 }),
        cap: fc.integer({ min: 0, max: 400 }),
        used: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      { minLength: 1, maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(calls, async (all) => {
        const limit = tokens({ tokens: 1_000, window: "day", reservePrompt: "bound" });
        let spent = 0;
        await Promise.all(
          all.map(async ({ prompt, cap, used }) => {
            const { begun } = await limit.begin({ demand: { textBytes: prompt, outputCap: cap } });
            if ("type" in begun) return;
            const [input, output] = [Math.floor(prompt * used), Math.floor(cap * used)];
            spent += input + output;
            await begun.end(usageOf(input, output));
          }),
        );
        expect(spent).toBeLessThanOrEqual(1_000);
      }),
      { numRuns: 40 },
    );
  });

  test("of a first call are not refused for an answer that could be long: it reserves the whole limit at most", async () => {
    const limit = tokens({ tokens: 100, reserveOutput: 10_000 });
    expect(await limit.call({ demand: demand(20) }, [20, 30])).toBeUndefined();
    const { refusal } = await limit.begin({ demand: demand(20) });
    expect(refusal).toMatchObject({ code: "limit.exceeded" }); // and the next waits for room for as much
  });

  test("that a provider adds of what it keeps are reserved too, and are no reason to refuse a first call", async () => {
    const kept = { textBytes: 0, outputCap: 100, isPartlyKept: true };
    const large = tokens({ tokens: 10_000 });
    expect((await large.begin({ demand: kept })).exchange.responseHeaders).toMatchObject({
      "x-ratelimit-remaining-tokens": String(10_000 - 4_100),
    });
    const small = tokens({ tokens: 1_000 });
    const first = await small.begin({ demand: kept });
    expect(first.refusal).toBeUndefined();
    expect(first.exchange.responseHeaders["x-ratelimit-remaining-tokens"]).toBe("0"); // and nobody beside it
    expect((await tokens({ tokens: 1_000 }).begin({ demand: { ...kept, outputCap: 1_001 } })).refusal).toMatchObject({
      code: "limit.budget",
    });
  });

  test("of a request that can never fit are refused for good, with a way out", async () => {
    const limit = tokens({ tokens: 100 });
    const tooLong = await limit.begin({ demand: demand(200) });
    expect(tooLong.refusal).toMatchObject({
      code: "limit.budget",
      message: expect.stringContaining("shorten the prompt"),
    });
    expect(tooLong.refusal?.retryAfterMs).toBeUndefined();
    expect((await limit.begin({ demand: demand(10, 1_000) })).refusal?.code).toBe("limit.budget");
  });

  test("that an answer took beyond its reservation are charged", async () => {
    const limit = tokens({ tokens: 1_000, reserveOutput: 10 });
    await limit.call({ demand: demand(10) }, [10, 5_000]);
    expect((await limit.begin({ demand: demand(1) })).refusal).toMatchObject({ code: "limit.exceeded" });
  });

  test("that an answer may take are told to whoever can cut it, where long answers are cut", async () => {
    const { operation } = await tokens({ tokens: 1_000, reserveOutput: 10, longAnswer: "cut" }).begin({
      demand: demand(10),
    });
    expect(operation.cutAfterTokens).toBe(10);
    const charged = await tokens({ tokens: 1_000, reserveOutput: 10 }).begin({ demand: demand(10) });
    expect(charged.operation.cutAfterTokens).toBeUndefined();
  });

  test("of answers are reserved as they were lately, once ten have told", async () => {
    const limit = tokens({ tokens: 100_000, reserveOutput: 5_000, reservePrompt: "bound" });
    for (let count = 0; count < 10; count += 1) await limit.call({ demand: { textBytes: 10 } }, [0, 100]);
    const { exchange } = await limit.begin({ demand: { textBytes: 0 } });
    expect(exchange.responseHeaders["x-ratelimit-remaining-tokens"]).toBe(String(100_000 - 1_000 - 100));
  });

  test.each([
    ["is missing", undefined, 0],
    ["is negative", usageOf(-5, 10), 50],
    ["is absurd", usageOf(1e300, 1), 50],
    ["is beyond what any model does", usageOf(60_000_000, 1), 50],
    ["is no number", usageOf(Number.NaN, 1), 50],
    ["is a fraction", usageOf(1.5, 1), 50],
  ])("stay as they were reserved, or nothing where nothing was sent, when usage %s", async (_name, usage, kept) => {
    const limit = tokens({ tokens: 1_000, reservePrompt: "bound" });
    const { begun } = await limit.begin({ demand: { textBytes: 20, outputCap: 30 } });
    if ("type" in begun) return expect.unreachable();
    await begun.end(usage);
    const { exchange } = await limit.begin({ demand: { textBytes: 0, outputCap: 0 } });
    expect(exchange.responseHeaders["x-ratelimit-remaining-tokens"]).toBe(String(1_000 - kept));
  });

  test("are nobody's where the operation asks no model", async () => {
    const limit = tokens({ tokens: 0 });
    const call = buildCall();
    const adapter = { ...call.exchange.api.adapter, tokenDemand: () => undefined };
    const exchange = { ...call.exchange, api: { ...call.exchange.api, adapter } };
    const policy = tokenLimit.compile(tokenLimit.config.parse({ tokens: 0 }), limit.tools, place);
    expect(policy.charges?.(exchange, call.operation)).toBeUndefined();
  });

  test("of a limit of nought are refused, and no retry is promised", async () => {
    const { refusal } = await tokens({ tokens: 0, window: "minute" }).begin({ demand: demand(1) });
    expect(refusal).toMatchObject({ code: "limit.budget" });
    expect(refusal?.retryAfterMs).toBeUndefined();
  });

  test("come back when the window is over, and a month's are told as a budget", async () => {
    const month = tokens({ tokens: 10, window: "month" });
    await month.call({ demand: demand(5, 5) }, [5, 5]);
    const { refusal } = await month.begin({ demand: demand(5, 5) });
    expect(refusal).toMatchObject({ code: "limit.budget", message: "The limit of 10 tokens a month is used up." });
    expect(refusal?.retryAfterMs).toBeGreaterThan(60_000);
    month.tools.clock.advance(31 * 86_400_000);
    expect(await month.call({ demand: demand(5, 5) }, [5, 5])).toBeUndefined();
  });

  test("that roll come back evenly", async () => {
    const limit = tokens({ tokens: 100, window: { milliseconds: 1_000 }, align: "rolling" });
    await limit.call({ demand: { textBytes: 0, outputCap: 100 } }, [0, 100]);
    expect((await limit.begin({ demand: { textBytes: 0, outputCap: 50 } })).refusal).toBeDefined();
    limit.tools.clock.advance(500);
    expect((await limit.begin({ demand: { textBytes: 0, outputCap: 50 } })).refusal).toBeUndefined();
  });
});

describe("money", () => {
  test("is reserved at the dearest target that may serve, and settled at the one that did", async () => {
    const budget = money({ amount: "0.01", window: "day" }); // 10,000,000 billionths
    const parts = { demand: { textBytes: 0, outputCap: 500 }, prices: [cheap, dear] };
    const first = await budget.begin(parts); // 500 at 20,000
    expect(first.refusal).toBeUndefined();
    expect((await budget.begin({ ...parts, demand: { textBytes: 0, outputCap: 1 } })).refusal?.code).toBe(
      "limit.budget",
    );
    if (!("end" in first.begun)) return expect.unreachable();
    await first.begun.end(usageOf(0, 500), "t0"); // 500 at 2,000: a tenth
    expect((await budget.begin({ ...parts, demand: { textBytes: 0, outputCap: 450 } })).refusal).toBeUndefined();
    expect((await budget.begin({ ...parts, demand: { textBytes: 0, outputCap: 1 } })).refusal?.code).toBe(
      "limit.budget",
    );
  });

  test("is settled for every try that was billed: what timed out, what broke off, and what answered and was refused here", () => {
    const policy = costBudget.compile(costBudget.config.parse({ amount: "1.00", window: "day" }), buildTools(), place);
    const { exchange, operation } = buildCall({ prices: [cheap, dear], demand: { textBytes: 3_000, outputCap: 100 } });
    const charges = policy.charges?.(exchange, operation) ?? [];
    const attempt = { operationId: operation.id, provider: "p", model: undefined, startedAtMs: 0, status: undefined };
    const ended = { ...attempt, firstByteMs: undefined, durationMs: 1 };
    exchange.attempts.push({ ...ended, target: "t0", errorCode: "upstream.timeout" });
    exchange.attempts.push({ ...ended, target: "t1", errorCode: "upstream.reset", usage: usageOf(10, 5) });
    exchange.attempts.push({ ...ended, target: "t1", errorCode: "upstream.unreachable" });
    exchange.attempts.push({ ...ended, target: "t0", errorCode: undefined });
    operation.usage = usageOf(900, 100);
    const refusal = { type: "deny", code: "guardrail.denied", message: "No." } as const;
    const promptTokens = 1_020; // 3,000 bytes at 0.34, the first guess
    const spentNanos = promptTokens * 1_000 + (10 * 10_000 + 5 * 20_000) + (900 * 1_000 + 100 * 2_000);
    expect(policy.settle?.(exchange, operation, { type: "denied", deny: refusal, by: "regex" }, charges)).toEqual([
      spentNanos,
    ]);
  });

  test("never passes the budget where answers are bounded, to the billionth", async () => {
    const budget = money({ amount: "0.000001", window: "month" }); // 1,000 billionths
    const one: ModelPrice = { input: 0, cachedInput: 0, output: 1_000_000, reasoning: 1_000_000 }; // one a token
    const parts = { demand: { textBytes: 0, outputCap: 100 }, prices: [one] };
    const ended = await Promise.all(Array.from({ length: 200 }, () => budget.call(parts, [0, 100])));
    expect(ended.filter((refusal) => refusal === undefined)).toHaveLength(10);
  });

  test("of a model without a price is refused with its name, unless such are free", async () => {
    const parts = { prices: [cheap, undefined], operation: { name: "new-model" } };
    const { refusal } = await money({}).begin(parts);
    expect(refusal).toMatchObject({
      code: "limit.unpriced",
      param: "model",
      message: expect.stringContaining("new-model"),
    });
    expect(await money({ unpriced: "free" }).call(parts, [10, 10], "t1")).toBeUndefined();
  });

  test("of a budget of nought lets nothing through that costs anything", async () => {
    expect((await money({ amount: "0" }).begin({ demand: demand(1, 1) })).refusal?.code).toBe("limit.budget");
  });

  test("shows in no header of requests or tokens", async () => {
    const { exchange } = await money({}).begin({ demand: demand(1, 1) });
    expect(exchange.responseHeaders).toEqual({});
  });

  test("that an unbounded answer may cost is what the rest of the whole budget pays for", async () => {
    const { operation, refusal } = await money({ amount: "0.000002", longAnswer: "cut" }).begin({
      demand: { textBytes: 0 },
    });
    expect(refusal).toBeUndefined();
    expect(operation.cutAfterTokens).toBe(1); // 2,000 billionths at 2,000 a token
  });
});
