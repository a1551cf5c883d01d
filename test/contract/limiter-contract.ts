import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Limiter, LimitRequest } from "../../src/pipeline/limiter.ts";

/** A limiter that has counted nothing yet, and the hand on its clock. */
export interface LimiterUnderTest {
  readonly limiter: Limiter;
  advance(ms: number): void | Promise<void>;
}

/** What every limiter promises: the arithmetic is the same in process and in a shared store. */
export function limiterContract(name: string, open: () => Promise<LimiterUnderTest>): void {
  describe(`a limiter in ${name}`, () => {
    examples(open);
    properties(open);
  });
}

function examples(open: () => Promise<LimiterUnderTest>): void {
  const perMinute = { key: "a", limit: 60, windowMs: 60_000, cost: 1 };

  test("the first request leaves the limit less its cost, which comes back after its share of the window", async () => {
    const { limiter } = await open();
    const decision = await limiter.take(perMinute);
    expect(decision).toEqual({ allowed: true, remaining: 59, resetMs: 1000, retryAfterMs: 0 });
  });

  test("a whole limit passes at once, and the next request is told when one unit is back", async () => {
    const { limiter, advance } = await open();
    for (let taken = 0; taken < 60; taken += 1) expect((await limiter.take(perMinute)).allowed).toBe(true);
    const refusal = { allowed: false, remaining: 0, resetMs: 60_000, retryAfterMs: 1000 };
    expect(await limiter.take(perMinute)).toEqual(refusal);
    await advance(999);
    expect(await limiter.take(perMinute)).toEqual({ ...refusal, resetMs: 59_001, retryAfterMs: 1 });
    await advance(1);
    expect(await limiter.take(perMinute)).toMatchObject({ allowed: true, remaining: 0 });
    expect(await limiter.take(perMinute)).toMatchObject({ allowed: false, retryAfterMs: 1000 });
  });

  test("a refusal costs nothing", async () => {
    const { limiter } = await open();
    await limiter.take({ ...perMinute, cost: 50 });
    expect(await limiter.take({ ...perMinute, cost: 11 })).toMatchObject({ allowed: false, retryAfterMs: 1000 });
    expect(await limiter.take({ ...perMinute, cost: 10 })).toMatchObject({ allowed: true, remaining: 0 });
  });

  test("a cost of nothing shows what is left and changes nothing", async () => {
    const { limiter } = await open();
    await limiter.take({ ...perMinute, cost: 60 });
    const look = { ...perMinute, cost: 0 };
    expect(await limiter.take(look)).toEqual({ allowed: true, remaining: 0, resetMs: 60_000, retryAfterMs: 0 });
    expect(await limiter.take({ ...look, key: "unknown" })).toMatchObject({ allowed: true, remaining: 60, resetMs: 0 });
  });

  test.each([
    { name: "a cost above the limit", request: { cost: 61 } },
    { name: "a cost that is no number", request: { cost: Number.NaN } },
    { name: "a negative cost", request: { cost: -1 } },
    { name: "an endless cost", request: { cost: Infinity } },
    { name: "a limit of nothing", request: { limit: 0 } },
    { name: "a limit that is no number", request: { limit: Number.NaN } },
  ])("$name is refused for ever, with a whole window to wait, and takes nothing", async ({ request }) => {
    const { limiter, advance } = await open();
    const asked = { ...perMinute, ...request };
    expect(await limiter.take(asked)).toMatchObject({ allowed: false, resetMs: 0, retryAfterMs: 60_000 });
    await advance(600_000);
    expect(await limiter.take(asked)).toMatchObject({ allowed: false, retryAfterMs: 60_000 });
    expect(await limiter.take(perMinute)).toMatchObject({ allowed: true, remaining: 59 });
  });

  test("a part of a unit costs the whole unit", async () => {
    const { limiter } = await open();
    expect(await limiter.take({ ...perMinute, cost: 0.1 })).toMatchObject({ allowed: true, remaining: 59 });
  });

  test("a lower limit holds at once, and the key is free again after one of its windows", async () => {
    const { limiter, advance } = await open();
    await limiter.take({ ...perMinute, cost: 60 });
    const lower = { ...perMinute, limit: 10, cost: 10 };
    expect(await limiter.take(lower)).toMatchObject({ allowed: false, remaining: 0, retryAfterMs: 60_000 });
    await advance(60_000);
    expect(await limiter.take(lower)).toMatchObject({ allowed: true });
  });

  test("a higher limit holds at once, less what was taken under the lower one", async () => {
    const { limiter } = await open();
    await limiter.take({ ...perMinute, cost: 60 });
    expect(await limiter.take({ ...perMinute, limit: 100 })).toMatchObject({ allowed: true, remaining: 39 });
  });
}

function properties(open: () => Promise<LimiterUnderTest>): void {
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
        const admitted: { atMs: bigint; cost: bigint }[] = [];
        let nowMs = 0;
        for (const { wait, share } of requests) {
          const waitMs = Math.floor(wait * windowMs);
          await advance(waitMs);
          nowMs += waitMs;
          const cost = await costOf(share, limiter, { key: "a", limit, windowMs });
          const { allowed } = await limiter.take({ key: "a", limit, windowMs, cost });
          if (allowed) admitted.push({ atMs: BigInt(nowMs), cost: BigInt(cost) });
        }
        for (const [start, first] of admitted.entries()) {
          let sum = 0n;
          for (const { atMs, cost } of admitted.slice(start)) {
            sum += cost;
            // sum <= limit * (1 + elapsed / window), without a division
            expect(sum * BigInt(windowMs) <= BigInt(limit) * (BigInt(windowMs) + atMs - first.atMs)).toBe(true);
          }
        }
      }),
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
            const cost = (await limiter.take({ key: "a", limit, windowMs, cost: 0 })).remaining;
            expect((await limiter.take({ key: "a", limit, windowMs, cost })).allowed).toBe(true);
            sum += BigInt(cost);
            expect(sum * BigInt(windowMs) <= BigInt(limit) * BigInt(windowMs + turn * waitMs)).toBe(true);
            await advance(waitMs);
          }
        },
      ),
    );
  });

  test("what is left is never negative nor above the limit, and waiting as told is enough", async () => {
    await fc.assert(
      fc.asyncProperty(limits, windows, steps, async (limit, windowMs, requests) => {
        const { limiter, advance } = await open();
        for (const { wait, share } of requests) {
          await advance(Math.floor(wait * windowMs));
          const counted = { key: "a", limit, windowMs };
          const request = { ...counted, cost: await costOf(share, limiter, counted) };
          const decision = await limiter.take(request);
          expect(decision.remaining).toBeGreaterThanOrEqual(0);
          expect(decision.remaining).toBeLessThanOrEqual(limit);
          expect(decision.allowed).toBe(decision.retryAfterMs === 0);
          if (decision.allowed || request.cost > limit) continue;
          await advance(decision.retryAfterMs);
          expect((await limiter.take(request)).allowed).toBe(true);
        }
      }),
    );
  });

  test("told room is real: what is left can be taken at once, and one unit more cannot", async () => {
    await fc.assert(
      fc.asyncProperty(limits, windows, steps, async (limit, windowMs, requests) => {
        const { limiter, advance } = await open();
        const take = (cost: number) => limiter.take({ key: "a", limit, windowMs, cost });
        for (const { wait, share } of requests) {
          await advance(Math.floor(wait * windowMs));
          await take(await costOf(share, limiter, { key: "a", limit, windowMs }));
        }
        const { remaining } = await take(0);
        expect((await take(remaining + 1)).allowed).toBe(false);
        expect((await take(remaining)).allowed).toBe(true);
      }),
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
          resetMs = (await limiter.take({ ...counted, cost: await costOf(share, limiter, counted) })).resetMs;
        }
        // Limits too fine to count exactly come back a millionth slower.
        expect(resetMs).toBeLessThanOrEqual(Math.ceil(windowMs * 1.000_001));
        await advance(resetMs);
        expect(await limiter.take({ key: "a", limit, windowMs, cost: limit })).toMatchObject({ allowed: true });
      }),
    );
  });

  test("keys do not see each other", async () => {
    const mixed = fc.array(
      fc.record({ key: fc.constantFrom("a", "b"), wait: fc.nat(20), cost: fc.integer({ min: 1, max: 6 }) }),
    );
    await fc.assert(
      fc.asyncProperty(mixed, async (requests) => {
        const both = await open();
        const alone = { a: await open(), b: await open() };
        for (const { key, wait, cost } of requests) {
          for (const { advance } of [both, alone.a, alone.b]) await advance(wait);
          const request = { key, limit: 10, windowMs: 100, cost };
          const one = key === "a" ? alone.a : alone.b;
          expect(await both.limiter.take(request)).toEqual(await one.limiter.take(request));
        }
      }),
    );
  });
}

async function costOf(share: number | "rest", limiter: Limiter, counted: Omit<LimitRequest, "cost">): Promise<number> {
  if (share !== "rest") return Math.ceil(share * counted.limit);
  return (await limiter.take({ ...counted, cost: 0 })).remaining;
}
