import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LimiterContractOptions, LimiterUnderTest } from "./limiter-under-test.ts";
import { hold, quotaCharge, quotaWindowMs, standing, takeOne } from "./limiter-under-test.ts";

/** What every limiter promises of windows that begin at a time of day. */
export function limiterQuotaContract({ open, runs = 100 }: LimiterContractOptions): void {
  describe("a quota", () => {
    test("of N lets exactly N through, then refuses until the window is over", async () => {
      const under = await open();
      const { limiter, advance } = under;
      const charge = quotaCharge(under, { limit: 3 });
      for (let left = 2; left >= 0; left -= 1)
        expect(await takeOne(limiter, charge)).toMatchObject({ allowed: true, remaining: left, retryAfterMs: 0 });
      const refused = await takeOne(limiter, charge);
      expect(refused).toMatchObject({ allowed: false, remaining: 0 });
      expect(refused.held).toBeUndefined();
      expect(refused.retryAfterMs).toBe(refused.resetMs);
      expect(refused.retryAfterMs).toBeGreaterThan(0);
      expect(refused.retryAfterMs).toBeLessThanOrEqual(quotaWindowMs);
      await advance(refused.retryAfterMs);
      expect(await takeOne(limiter, quotaCharge(under, { limit: 3, amount: 3 }))).toMatchObject({ allowed: true });
    });

    test.each([
      { name: "a limit of nothing", parts: { limit: 0 } },
      { name: "an amount above the limit", parts: { amount: 11 } },
      { name: "an amount that is no number", parts: { amount: Number.NaN } },
      { name: "a negative amount", parts: { amount: -1 } },
      { name: "an endless amount", parts: { amount: Infinity } },
      { name: "a limit that is no number", parts: { limit: Number.NaN } },
      { name: "a negative limit", parts: { limit: -5 } },
    ])("$name is refused, with a whole window to wait, and takes nothing", async ({ parts }) => {
      const under = await open();
      const refused = await takeOne(under.limiter, quotaCharge(under, parts));
      expect(refused).toMatchObject({ allowed: false, retryAfterMs: quotaWindowMs });
      expect(await standing(under.limiter, quotaCharge(under))).toMatchObject({ used: 0, reserved: 0, remaining: 10 });
    });

    test("of nothing lets an amount of nothing through", async () => {
      const under = await open();
      expect(await takeOne(under.limiter, quotaCharge(under, { limit: 0, amount: 0 }))).toMatchObject({
        allowed: true,
      });
    });

    test("counts a part of a unit as a whole one", async () => {
      const under = await open();
      expect(await takeOne(under.limiter, quotaCharge(under, { amount: 0.2 }))).toMatchObject({ remaining: 9 });
    });

    test("holds at once when its limit is changed, and keeps what was taken", async () => {
      const under = await open();
      await hold(under.limiter, quotaCharge(under, { amount: 6 }));
      expect(await takeOne(under.limiter, quotaCharge(under, { limit: 5 }))).toMatchObject({
        allowed: false,
        remaining: 0,
      });
      expect(await takeOne(under.limiter, quotaCharge(under, { limit: 8, amount: 2 }))).toMatchObject({
        allowed: true,
        remaining: 0,
      });
    });

    test("counts what is as large as a number can be told exactly", async () => {
      const under = await open();
      const most = Number.MAX_SAFE_INTEGER;
      const charge = quotaCharge(under, { limit: most, amount: most - 1 });
      expect(await takeOne(under.limiter, charge)).toMatchObject({ allowed: true, remaining: 1 });
      expect(await takeOne(under.limiter, charge)).toMatchObject({ allowed: false, remaining: 1 });
      expect(await takeOne(under.limiter, { ...charge, amount: 1 })).toMatchObject({ allowed: true, remaining: 0 });
    });
  });

  aboutTime(open, runs);
}

function aboutTime(open: () => Promise<LimiterUnderTest>, runs: number): void {
  describe("a quota while clocks move", () => {
    test("that has seen a window never goes back to an earlier one", async () => {
      const under = await open();
      await hold(under.limiter, quotaCharge(under, { amount: 10 }));
      expect(await takeOne(under.limiter, quotaCharge(under, { windows: 1, amount: 4 }))).toMatchObject({
        remaining: 6,
      });
      const back = await takeOne(under.limiter, quotaCharge(under));
      expect(back).toMatchObject({ allowed: true, remaining: 5 });
      expect(await takeOne(under.limiter, quotaCharge(under, { windows: 1 }))).toMatchObject({ remaining: 4 });
    });

    test("gives no window twice, however its start goes back and forth", async () => {
      const moves = fc.array(
        fc.record({ windows: fc.integer({ min: -3, max: 3 }), amount: fc.integer({ min: 1, max: 10 }) }),
        {
          maxLength: 30,
        },
      );
      await fc.assert(
        fc.asyncProperty(moves, async (all) => {
          const under = await open();
          const perWindow = new Map<number, number>();
          let latest = -Infinity;
          for (const { windows, amount } of all) {
            latest = Math.max(latest, windows);
            const { allowed } = await takeOne(under.limiter, quotaCharge(under, { windows, amount }));
            const taken = perWindow.get(latest) ?? 0;
            expect(allowed).toBe(taken + amount <= 10);
            if (allowed) perWindow.set(latest, taken + amount);
          }
        }),
        { numRuns: runs },
      );
    });

    test("gives no fresh window when the time of day is set back and forth within it, whatever passes meanwhile", async () => {
      const under = await open();
      const { limiter, jump, advance } = under;
      if (jump === undefined) return;
      const whole = quotaCharge(under, { amount: 10, windowMs: 86_400_000 });
      await hold(limiter, whole);
      for (const ms of [86_399_000, -86_399_000, 3 * 86_400_000, -3 * 86_400_000, -86_400_000, 86_400_000]) {
        await jump(ms);
        await advance(60_000);
        await limiter.take([quotaCharge(under, { key: "somebody else" })]);
        expect(await takeOne(limiter, { ...whole, amount: 1 })).toMatchObject({ allowed: false });
      }
    });

    test("over windows that overlap takes from all of them or from none", async () => {
      const under = await open();
      const hour = quotaCharge(under, { key: "hour", limit: 5 });
      const day = quotaCharge(under, { key: "day", limit: 8, windowMs: 86_400_000 });
      for (let taken = 0; taken < 5; taken += 1) await hold(under.limiter, hour, day);
      const { allowed, decisions } = await under.limiter.take([hour, day]);
      expect(allowed).toBe(false);
      expect(decisions).toMatchObject([
        { allowed: false, remaining: 0 },
        { allowed: true, remaining: 3 },
      ]);
      expect(await standing(under.limiter, day)).toMatchObject({ reserved: 5 });
    });
  });
}
