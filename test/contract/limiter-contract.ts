import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Limiter } from "../../src/pipeline/limiter.ts";
import type { RateRequest } from "../../src/pipeline/take-rate.ts";
import { takeRate } from "../../src/pipeline/take-rate.ts";
import { limiterClearContract } from "./limiter-clear-contract.ts";
import { limiterQuotaContract } from "./limiter-quota-contract.ts";
import { limiterSettleContract } from "./limiter-settle-contract.ts";
import { limiterTakeContract } from "./limiter-take-contract.ts";
import type { LimiterContractOptions, LimiterUnderTest } from "./limiter-under-test.ts";

/**
 * What every limiter promises: the arithmetic is the same in process and in a shared store. A store that many gateways
 * share gives two limiters on it.
 */
export function limiterContract(name: string, options: LimiterContractOptions): void {
  describe(`a limiter in ${name}`, () => {
    describe("a rate", () => {
      examples(options.open);
      properties(options.open, options.runs ?? 100);
    });
    limiterQuotaContract(options);
    limiterSettleContract(options);
    limiterTakeContract(options);
    limiterClearContract(options);
  });
}

function examples(open: () => Promise<LimiterUnderTest>): void {
  const perMinute = { key: "a", limit: 60, windowMs: 60_000, amount: 1 };

  test("the first request leaves the limit less its cost, which comes back after its share of the window", async () => {
    const { limiter } = await open();
    const decision = await takeRate(limiter, perMinute);
    expect(decision).toEqual({ allowed: true, remaining: 59, resetMs: 1000, retryAfterMs: 0 });
  });

  test("a whole limit passes at once, and the next request is told when one unit is back", async () => {
    const { limiter, advance } = await open();
    for (let taken = 0; taken < 60; taken += 1) expect((await takeRate(limiter, perMinute)).allowed).toBe(true);
    const refusal = { allowed: false, remaining: 0, resetMs: 60_000, retryAfterMs: 1000 };
    expect(await takeRate(limiter, perMinute)).toEqual(refusal);
    await advance(999);
    expect(await takeRate(limiter, perMinute)).toEqual({ ...refusal, resetMs: 59_001, retryAfterMs: 1 });
    await advance(1);
    expect(await takeRate(limiter, perMinute)).toMatchObject({ allowed: true, remaining: 0 });
    expect(await takeRate(limiter, perMinute)).toMatchObject({ allowed: false, retryAfterMs: 1000 });
  });

  test("a refusal costs nothing", async () => {
    const { limiter } = await open();
    await takeRate(limiter, { ...perMinute, amount: 50 });
    expect(await takeRate(limiter, { ...perMinute, amount: 11 })).toMatchObject({ allowed: false, retryAfterMs: 1000 });
    expect(await takeRate(limiter, { ...perMinute, amount: 10 })).toMatchObject({ allowed: true, remaining: 0 });
  });

  test("a cost of nothing shows what is left and changes nothing", async () => {
    const { limiter } = await open();
    await takeRate(limiter, { ...perMinute, amount: 60 });
    const look = { ...perMinute, amount: 0 };
    expect(await takeRate(limiter, look)).toEqual({ allowed: true, remaining: 0, resetMs: 60_000, retryAfterMs: 0 });
    expect(await takeRate(limiter, { ...look, key: "unknown" })).toMatchObject({
      allowed: true,
      remaining: 60,
      resetMs: 0,
    });
  });

  test.each([
    { name: "a cost above the limit", request: { amount: 61 } },
    { name: "a cost that is no number", request: { amount: Number.NaN } },
    { name: "a negative cost", request: { amount: -1 } },
    { name: "an endless cost", request: { amount: Infinity } },
    { name: "a limit of nothing", request: { limit: 0 } },
    { name: "a limit that is no number", request: { limit: Number.NaN } },
  ])("$name is refused for ever, with a whole window to wait, and takes nothing", async ({ request }) => {
    const { limiter, advance } = await open();
    const asked = { ...perMinute, ...request };
    expect(await takeRate(limiter, asked)).toMatchObject({ allowed: false, resetMs: 0, retryAfterMs: 60_000 });
    await advance(600_000);
    expect(await takeRate(limiter, asked)).toMatchObject({ allowed: false, retryAfterMs: 60_000 });
    expect(await takeRate(limiter, perMinute)).toMatchObject({ allowed: true, remaining: 59 });
  });

  test("a part of a unit costs the whole unit", async () => {
    const { limiter } = await open();
    expect(await takeRate(limiter, { ...perMinute, amount: 0.1 })).toMatchObject({ allowed: true, remaining: 59 });
  });

  test("a lower limit holds at once, and the key is free again after one of its windows", async () => {
    const { limiter, advance } = await open();
    await takeRate(limiter, { ...perMinute, amount: 60 });
    const lower = { ...perMinute, limit: 10, amount: 10 };
    expect(await takeRate(limiter, lower)).toMatchObject({ allowed: false, remaining: 0, retryAfterMs: 60_000 });
    await advance(60_000);
    expect(await takeRate(limiter, lower)).toMatchObject({ allowed: true });
  });

  test("a higher limit holds at once, less what was taken under the lower one", async () => {
    const { limiter } = await open();
    await takeRate(limiter, { ...perMinute, amount: 60 });
    expect(await takeRate(limiter, { ...perMinute, limit: 100 })).toMatchObject({ allowed: true, remaining: 39 });
  });
}

function properties(open: () => Promise<LimiterUnderTest>, numRuns: number): void {
  const limits = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 2_000_000_000 }));
  const windows = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 2_678_400_000 }));
  /** Requests in turn: how long after the one before (a share of the window), and how much of the limit, or all that is left. */
  const steps = fc.array(
    fc.record({
      wait: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 0.5, noNaN: true })),
      share: fc.oneof(fc.constant("rest" as const), fc.double({ min: 0, max: 1.2, noNaN: true })),
    }),
    { maxLength: 40 },
  );

  test("no stretch of time sees more than the limit and what comes back meanwhile", async () => {
    await fc.assert(
      fc.asyncProperty(limits, windows, steps, async (limit, windowMs, requests) => {
        const { limiter, advance } = await open();
        const admitted: { atMs: bigint; amount: bigint }[] = [];
        let nowMs = 0;
        for (const { wait, share } of requests) {
          const waitMs = Math.floor(wait * windowMs);
          await advance(waitMs);
          nowMs += waitMs;
          const amount = await costOf(share, limiter, { key: "a", limit, windowMs });
          const { allowed } = await takeRate(limiter, { key: "a", limit, windowMs, amount });
          if (allowed) admitted.push({ atMs: BigInt(nowMs), amount: BigInt(amount) });
        }
        for (const [start, first] of admitted.entries()) {
          let sum = 0n;
          for (const { atMs, amount } of admitted.slice(start)) {
            sum += amount;
            // sum <= limit * (1 + elapsed / window), without a division
            expect(sum * BigInt(windowMs) <= BigInt(limit) * (BigInt(windowMs) + atMs - first.atMs)).toBe(true);
          }
        }
      }),
      { numRuns },
    );
  });

  test("a caller who takes all that there is, again and again, gets no more either, however large the figures", async () => {
    const large = fc.integer({ min: 1_000_000_000, max: 2_000_000_000 });
    await fc.assert(
      fc.asyncProperty(
        fc.noBias(large),
        fc.noBias(large),
        fc.integer({ min: 2, max: 9 }),
        async (limit, windowMs, parts) => {
          const { limiter, advance } = await open();
          let sum = 0n;
          const waitMs = Math.floor(windowMs / parts);
          for (let turn = 0; turn < 30; turn += 1) {
            const amount = (await takeRate(limiter, { key: "a", limit, windowMs, amount: 0 })).remaining;
            expect((await takeRate(limiter, { key: "a", limit, windowMs, amount })).allowed).toBe(true);
            sum += BigInt(amount);
            expect(sum * BigInt(windowMs) <= BigInt(limit) * BigInt(windowMs + turn * waitMs)).toBe(true);
            await advance(waitMs);
          }
        },
      ),
      { numRuns },
    );
  });

  test("what is left is never negative nor above the limit, and waiting as told is enough", async () => {
    await fc.assert(
      fc.asyncProperty(limits, windows, steps, async (limit, windowMs, requests) => {
        const { limiter, advance } = await open();
        for (const { wait, share } of requests) {
          await advance(Math.floor(wait * windowMs));
          const counted = { key: "a", limit, windowMs };
          const request = { ...counted, amount: await costOf(share, limiter, counted) };
          const decision = await takeRate(limiter, request);
          expect(decision.remaining).toBeGreaterThanOrEqual(0);
          expect(decision.remaining).toBeLessThanOrEqual(limit);
          expect(decision.allowed).toBe(decision.retryAfterMs === 0);
          if (decision.allowed || request.amount > limit) continue;
          await advance(decision.retryAfterMs);
          expect((await takeRate(limiter, request)).allowed).toBe(true);
        }
      }),
      { numRuns },
    );
  });

  test("told room is real: what is left can be taken at once, and one unit more cannot", async () => {
    await fc.assert(
      fc.asyncProperty(limits, windows, steps, async (limit, windowMs, requests) => {
        const { limiter, advance } = await open();
        const take = (amount: number) => takeRate(limiter, { key: "a", limit, windowMs, amount });
        for (const { wait, share } of requests) {
          await advance(Math.floor(wait * windowMs));
          await take(await costOf(share, limiter, { key: "a", limit, windowMs }));
        }
        const { remaining } = await take(0);
        expect((await take(remaining + 1)).allowed).toBe(false);
        expect((await take(remaining)).allowed).toBe(true);
      }),
      { numRuns },
    );
  });

  test("after the time to the reset the whole limit is there again, and after a window at the latest", async () => {
    await fc.assert(
      fc.asyncProperty(limits, windows, steps, async (limit, windowMs, requests) => {
        const { limiter, advance } = await open();
        let resetMs = 0;
        for (const { wait, share } of requests) {
          await advance(Math.floor(wait * windowMs));
          const counted = { key: "a", limit, windowMs };
          resetMs = (await takeRate(limiter, { ...counted, amount: await costOf(share, limiter, counted) })).resetMs;
        }
        // Limits too fine to count exactly come back a millionth slower.
        expect(resetMs).toBeLessThanOrEqual(Math.ceil(windowMs * 1.000_001));
        await advance(resetMs);
        expect(await takeRate(limiter, { key: "a", limit, windowMs, amount: limit })).toMatchObject({ allowed: true });
      }),
      { numRuns },
    );
  });

  test("keys do not see each other", async () => {
    const mixed = fc.array(
      fc.record({ key: fc.constantFrom("a", "b"), wait: fc.nat(20), amount: fc.integer({ min: 1, max: 6 }) }),
    );
    await fc.assert(
      fc.asyncProperty(mixed, async (requests) => {
        const both = await open();
        const alone = { a: await open(), b: await open() };
        for (const { key, wait, amount } of requests) {
          for (const { advance } of [both, alone.a, alone.b]) await advance(wait);
          const request = { key, limit: 10, windowMs: 100, amount };
          const one = key === "a" ? alone.a : alone.b;
          expect(await takeRate(both.limiter, request)).toEqual(await takeRate(one.limiter, request));
        }
      }),
      { numRuns },
    );
  });
}

async function costOf(share: number | "rest", limiter: Limiter, counted: Omit<RateRequest, "amount">): Promise<number> {
  if (share !== "rest") return Math.ceil(share * counted.limit);
  return (await takeRate(limiter, { ...counted, amount: 0 })).remaining;
}
