import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toNanos } from "../../src/core/money.ts";
import { GatewayError } from "../../src/kernel/errors.ts";
import type { AttemptBill } from "../../src/pipeline/attempt-cost.ts";
import { attemptBills, costColumns, noCost, sumOfBills, withRouteCost } from "../../src/pipeline/attempt-cost.ts";
import type { AttemptRecord } from "../../src/pipeline/event.ts";
import type { Usage } from "../../src/pipeline/exchange.ts";
import type { Outcome } from "../../src/pipeline/outcome.ts";
import type { ModelPrice } from "../../src/pipeline/price-table.ts";
import type { CallParts } from "../kit/llm-limits.ts";
import { buildCall, usageOf } from "../kit/llm-limits.ts";

/** 2 a million in, 8 out, a tenth for what was kept. */
const price: ModelPrice = {
  input: 2_000_000_000,
  cachedInput: 200_000_000,
  output: 8_000_000_000,
  reasoning: 8_000_000_000,
};

interface Try {
  readonly usage?: Usage;
  readonly errorCode?: string;
  /** Which of the prices; the first when absent. */
  readonly at?: number;
}

const answered: Outcome = {
  type: "answer",
  answer: { status: 200, headers: {}, body: { type: "whole", frame: { bytes: new Uint8Array(), message: () => 0 } } },
};

/** The bills of a call that was tried so, one after the other. */
function billsOf(tries: readonly Try[], parts: CallParts = {}, outcome = answered): readonly AttemptBill[] {
  const { exchange, operation } = buildCall({ prices: [price], ...parts });
  for (const { usage, errorCode, at = 0 } of tries) {
    const attempt: AttemptRecord = {
      operationId: operation.id,
      target: `t${at}`,
      provider: `t${at}`,
      model: "small",
      startedAtMs: 0,
      status: errorCode === undefined ? 200 : undefined,
      errorCode,
      firstByteMs: 1,
      durationMs: 1,
      usage,
    };
    exchange.attempts.push(attempt);
  }
  operation.usage = tries.at(-1)?.usage;
  return attemptBills(exchange, operation, outcome);
}

describe("one try", () => {
  test("costs what its tokens cost, those that were kept less", () => {
    // 900 × 2 + 100 × 0.2 + 50 × 8 = 2220 millionths
    const [bill] = billsOf([{ usage: usageOf(1_000, 50, { cachedInputTokens: 100 }) }]);
    expect(bill && costColumns(bill)).toEqual({ cost: "0.00222", cost_currency: "USD", cost_source: "actual" });
  });

  test("costs nothing when it was refused", () => {
    expect(sumOfBills(billsOf([{}]))).toEqual({ cost: "0.00", cost_currency: "USD", cost_source: "actual" });
  });

  test("of a model without a price has no cost, rather than none to pay", () => {
    const [bill] = billsOf([{ usage: usageOf(1_000, 50) }], { prices: [undefined] });
    expect(bill && costColumns(bill)).toEqual({ cost: null, cost_currency: null, cost_source: "unknown" });
  });

  test.each([
    ["more tokens than any model reads", { inputTokens: 1e12 }],
    ["no number", { inputTokens: Number.NaN }],
    ["a part of a token", { outputTokens: 0.5 }],
    ["fewer than none", { cachedInputTokens: -1 }],
    ["no number of audio tokens", { audioInputTokens: Number.NaN }],
    ["no number of tokens that were kept", { cacheWriteTokens: Number.POSITIVE_INFINITY }],
  ])("that tells of %s has no cost", (_name, more) => {
    const [bill] = billsOf([{ usage: usageOf(10, 5, more) }]);
    expect(bill).toMatchObject({ nanos: null, source: "unknown", usage: undefined });
  });

  test.each([
    ["flex", 50, "0.0012", "actual"],
    ["default", undefined, "0.0024", "actual"],
    ["unheard-of", undefined, "0.0024", "estimated"],
  ])("served by the tier %s costs its share, the whole where nobody has priced it", (tier, percent, cost, source) => {
    const tiers = percent === undefined ? {} : { [tier]: percent };
    const bills = billsOf([{ usage: usageOf(1_000, 50, { serviceTier: tier }) }], { prices: [{ ...price, tiers }] });
    expect(sumOfBills(bills)).toEqual({ cost, cost_currency: "USD", cost_source: source });
  });

  test("whose usage was estimated has an estimated cost", () => {
    const bills = billsOf([{ usage: usageOf(1_000, 50, { source: "estimated" }) }]);
    expect(sumOfBills(bills)).toMatchObject({ cost: "0.0024", cost_source: "estimated" });
  });

  test.each(["upstream.timeout", "client.closed", "exchange.deadline"] as const)(
    "that ended by %s is billed for the prompt, as estimated",
    (code) => {
      const failed: Outcome = { type: "failed", error: new GatewayError(code, "Over.") };
      const bills = billsOf([{ errorCode: code }], { demand: { textBytes: 4_000, mediaTokens: 100 } }, failed);
      // a quarter of a token a byte, and the picture: 1,100 × 2
      expect(sumOfBills(bills)).toEqual({ cost: "0.0022", cost_currency: "USD", cost_source: "estimated" });
    },
  );

  test("tells the day of a built-in price, and the currency of the operator's own", () => {
    const [builtIn] = billsOf([{ usage: usageOf(1, 1) }], { prices: [{ ...price, asOf: "2026-11-01" }] });
    const [own] = billsOf([{ usage: usageOf(1, 1) }], { prices: [{ ...price, currency: "EUR" }] });
    expect([builtIn?.priceAsOf, builtIn?.currency]).toEqual(["2026-11-01", "USD"]);
    expect([own?.priceAsOf, own?.currency]).toEqual([null, "EUR"]);
  });
});

describe("several tries", () => {
  test("are each charged at their own target's price: what timed out, what broke off, and what answered", () => {
    const bills = billsOf(
      [
        { errorCode: "upstream.timeout" },
        { errorCode: "upstream.reset", usage: usageOf(1_000, 10, { source: "estimated" }), at: 1 },
        { errorCode: "upstream.unreachable" },
        { usage: usageOf(900, 100) },
      ],
      { prices: [price, { ...price, input: 1_000_000_000 }], demand: { textBytes: 4_000 } },
    );
    // 1000×2; 1000×1 + 10×8; nothing; 900×2 + 100×8
    expect(bills.map(({ nanos }) => nanos)).toEqual([2_000_000, 1_080_000, 0, 2_600_000]);
    expect(sumOfBills(bills)).toEqual({ cost: "0.00568", cost_currency: "USD", cost_source: "estimated" });
  });

  test("have no sum when one of them has no price", () => {
    const bills = billsOf([{ usage: usageOf(10, 5), at: 1 }, { usage: usageOf(10, 5) }], {
      prices: [price, undefined],
    });
    expect(sumOfBills(bills)).toEqual({ cost: null, cost_currency: null, cost_source: "unknown" });
  });

  test("in two currencies are not added up, unless one of them cost nothing", () => {
    const prices = [price, { ...price, currency: "EUR" }];
    const mixed = billsOf([{ usage: usageOf(10, 5), at: 1 }, { usage: usageOf(10, 5) }], { prices });
    expect(sumOfBills(mixed)).toEqual({ cost: null, cost_currency: null, cost_source: "unknown" });
    const refused = billsOf([{ at: 1 }, { usage: usageOf(1_000, 50) }], { prices });
    expect(sumOfBills(refused)).toEqual({ cost: "0.0024", cost_currency: "USD", cost_source: "actual" });
  });

  test("together cost what they cost one by one, whatever they used", () => {
    const count = fc.nat(2_000_000);
    const used = fc.record({ input: count, output: count, cached: count, written: count, audio: count });
    const rate = fc.nat(200_000_000_000);
    fc.assert(
      fc.property(fc.array(used, { minLength: 1, maxLength: 5 }), rate, rate, (uses, input, output) => {
        const own = { input, cachedInput: Math.floor(input / 10), output, reasoning: output };
        const tries = uses.map((each) => ({
          usage: usageOf(each.input, each.output, {
            cachedInputTokens: each.cached,
            cacheWriteTokens: each.written,
            audioOutputTokens: each.audio,
          }),
        }));
        const bills = billsOf(tries, { prices: [own] });
        const sum = bills.reduce((nanos, bill) => nanos + toNanos(costColumns(bill).cost ?? "x"), 0);
        expect(toNanos(sumOfBills(bills).cost ?? "x")).toBe(sum);
      }),
    );
  });
});

test("what asks no model for anything costs nothing, whatever is told of tokens", () => {
  const { exchange, operation } = buildCall({ prices: [price] });
  const adapter = { ...exchange.api.adapter, tokenDemand: () => undefined };
  const attempt = { operationId: operation.id, target: "t0", provider: "t0", model: "small", startedAtMs: 0 };
  exchange.attempts.push({ ...attempt, status: 200, errorCode: undefined, firstByteMs: 1, durationMs: 1 });
  operation.usage = usageOf(10, 5);
  const bills = attemptBills({ ...exchange, api: { ...exchange.api, adapter } }, operation, answered);
  expect(sumOfBills(bills)).toEqual({ cost: "0.00", cost_currency: "USD", cost_source: "actual" });
});

test("an exchange without a try has no cost", () => {
  expect(sumOfBills(billsOf([]))).toEqual({ cost: null, cost_currency: null, cost_source: null });
});

describe("an operation whose way a model has chosen", () => {
  const route = {
    strategy: "intelligent",
    route: "code",
    reason: "matched",
    scores: [],
    tookMs: 1,
    classifierTokens: { input: 90, output: 5, isEstimated: false },
    classifierCost: { nanos: 110_000, currency: "USD" },
  };
  const known = { cost: "0.002", cost_currency: "USD", cost_source: "actual" } as const;

  test("costs what both models cost, also where no try was made", () => {
    expect(withRouteCost(known, route)).toEqual({ ...known, cost: "0.00211" });
    expect(withRouteCost(noCost, route)).toEqual({ ...known, cost: "0.00011" });
    expect(
      withRouteCost(known, { ...route, classifierTokens: { ...route.classifierTokens, isEstimated: true } }),
    ).toEqual({ ...known, cost: "0.00211", cost_source: "estimated" });
  });

  test("costs what is not known where one of them is not, or is in another currency", () => {
    const unknown = { ...noCost, cost_source: "unknown" } as const;
    expect(withRouteCost(unknown, route)).toEqual(unknown);
    expect(withRouteCost({ ...known, cost_currency: "EUR" }, route)).toEqual(unknown);
  });

  test("costs what its tries cost where nothing was asked, or nobody knows a price of the model that was", () => {
    const { classifierCost: _, ...unpriced } = route;
    for (const each of [undefined, unpriced]) expect(withRouteCost(known, each)).toBe(known);
  });
});
