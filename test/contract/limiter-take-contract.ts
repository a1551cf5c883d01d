import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Charge } from "../../src/pipeline/limiter.ts";
import type { LimiterContractOptions, LimiterUnderTest } from "./limiter-under-test.ts";
import { hold, quotaCharge, standing, takeOne } from "./limiter-under-test.ts";

/** What every limiter promises of several charges in one take, and of places that are held. */
export function limiterTakeContract({ open, runs = 100 }: LimiterContractOptions): void {
  severalCharges(open, runs);
  keys(open);
  places(open);
}

function severalCharges(open: () => Promise<LimiterUnderTest>, runs: number): void {
  describe("several charges", () => {
    const rate = (amount: number): Charge => ({
      key: "r",
      rule: { type: "rate", limit: 10, windowMs: 10_000 },
      amount,
    });
    const place = (limit: number): Charge => ({
      key: "c",
      rule: { type: "concurrent", limit, leaseMs: 60_000 },
      amount: 1,
    });

    test("are all counted, or none when one of them does not fit", async () => {
      const under = await open();
      const { limiter } = under;
      const quota = quotaCharge(under, { amount: 4 });
      await hold(limiter, rate(4), quota, place(9));
      const refused = await limiter.take([rate(4), place(9), { ...quota, amount: 7 }]);
      expect(refused.allowed).toBe(false);
      expect(refused.decisions).toMatchObject([
        { allowed: true, remaining: 6 },
        { allowed: true, remaining: 8 },
        { allowed: false, remaining: 6 },
      ]);
      expect(await standing(limiter, quota)).toMatchObject({ reserved: 4 });
      expect(await standing(limiter, place(9))).toMatchObject({ reserved: 1 });
      expect(await takeOne(limiter, rate(6))).toMatchObject({ allowed: true });
    });

    test("on one key add up", async () => {
      const under = await open();
      const six = quotaCharge(under, { amount: 6 });
      expect((await under.limiter.take([six, six])).allowed).toBe(false);
      const five = { ...six, amount: 5 };
      const both = await under.limiter.take([five, five]);
      expect(both).toMatchObject({ allowed: true, decisions: [{ remaining: 0 }, { remaining: 0 }] });
    });

    test("that enforce nothing refuse nothing, and count only where they fit", async () => {
      const under = await open();
      const watched = quotaCharge(under, { key: "watched", limit: 3, amount: 2, enforce: false });
      const real = quotaCharge(under, { key: "real" });
      await hold(under.limiter, watched, real);
      const second = await under.limiter.take([watched, real]);
      expect(second).toMatchObject({ allowed: true, decisions: [{ allowed: false, remaining: 1 }, { allowed: true }] });
      expect(await standing(under.limiter, watched)).toMatchObject({ reserved: 2 });
      if (second.reservation) await under.limiter.settle(second.reservation, [3, 1]);
      expect(await standing(under.limiter, watched)).toMatchObject({ used: 0, reserved: 2 });
      expect(await standing(under.limiter, real)).toMatchObject({ used: 1, reserved: 1 });
    });

    test("of none are admitted and hold nothing", async () => {
      const { limiter } = await open();
      const taken = await limiter.take([]);
      expect(taken).toMatchObject({ allowed: true, decisions: [] });
      if (taken.reservation) await limiter.settle(taken.reservation, []);
    });

    test("are counted as a plain list of sums would count them", async () => {
      const takes = fc.array(
        fc.array(fc.record({ key: fc.constantFrom("a", "b", "c"), amount: fc.integer({ min: 0, max: 6 }) }), {
          maxLength: 4,
        }),
        { maxLength: 20 },
      );
      await fc.assert(
        fc.asyncProperty(takes, async (all) => {
          const under = await open();
          const sums = new Map<string, number>();
          for (const asked of all) {
            const next = new Map(sums);
            for (const { key, amount } of asked) next.set(key, (next.get(key) ?? 0) + amount);
            const fits = [...next.values()].every((sum) => sum <= 10);
            const { allowed } = await under.limiter.take(asked.map((parts) => quotaCharge(under, parts)));
            expect(allowed).toBe(fits);
            if (fits) for (const [key, sum] of next) sums.set(key, sum);
            for (const key of ["a", "b", "c"])
              expect((await standing(under.limiter, quotaCharge(under, { key }))).reserved).toBe(sums.get(key) ?? 0);
          }
        }),
        { numRuns: runs },
      );
    });
  });
}

function keys(open: () => Promise<LimiterUnderTest>): void {
  describe("keys", () => {
    test("of any text are apart from each other", async () => {
      const under = await open();
      const hostile = [
        "",
        "__proto__",
        "constructor",
        "toString",
        "a",
        "a\0",
        "a\n",
        "a\r\nb",
        "{a}",
        "a:b",
        "*",
        "\u{1f511}",
      ];
      const long = ["x".repeat(10_000), `${"x".repeat(10_000)}y`, "\ud800"];
      for (const key of [...hostile, ...long]) await hold(under.limiter, quotaCharge(under, { key, limit: 1 }));
      for (const key of [...hostile, ...long])
        expect(await takeOne(under.other, quotaCharge(under, { key, limit: 1 }))).toMatchObject({ allowed: false });
    });

    test("count apart for each type of rule", async () => {
      const under = await open();
      const rules = [
        { type: "rate", limit: 1, windowMs: 1_000_000 },
        { type: "concurrent", limit: 1, leaseMs: 1_000_000 },
        quotaCharge(under, { limit: 1 }).rule,
      ] as const;
      for (const rule of rules) await hold(under.limiter, { key: "same", rule, amount: 1 });
      for (const rule of rules)
        expect(await takeOne(under.limiter, { key: "same", rule, amount: 1 })).toMatchObject({ allowed: false });
    });
  });
}

function places(open: () => Promise<LimiterUnderTest>): void {
  describe("places", () => {
    const leaseMs = 60_000;
    const place = (limit: number, amount = 1): Charge => ({
      key: "p",
      rule: { type: "concurrent", limit, leaseMs },
      amount,
    });

    test("of N hold N at one time, and each is free when it is settled, whatever it says it used", async () => {
      const { limiter, other } = await open();
      const first = await hold(limiter, place(2));
      await hold(other, place(2));
      const refused = await takeOne(limiter, place(2));
      expect(refused).toMatchObject({ allowed: false, remaining: 0, retryAfterMs: 1_000 });
      await limiter.settle(first, [Number.NaN]);
      await hold(limiter, place(2));
      expect(await takeOne(limiter, place(2))).toMatchObject({ allowed: false });
    });

    test("of nothing hold nothing", async () => {
      const { limiter } = await open();
      expect(await takeOne(limiter, place(0))).toMatchObject({ allowed: false });
    });

    test("weigh as much as they say", async () => {
      const { limiter } = await open();
      await hold(limiter, place(10, 7));
      expect(await takeOne(limiter, place(10, 4))).toMatchObject({ allowed: false, remaining: 3 });
      expect(await takeOne(limiter, place(10, 3))).toMatchObject({ allowed: true, remaining: 0 });
    });

    test("whose holder has died are free when their lease is over, and settling them then does nothing", async () => {
      const { limiter, advance } = await open();
      const dead = await hold(limiter, place(1));
      await advance(leaseMs - 1_000);
      expect(await takeOne(limiter, place(1))).toMatchObject({ allowed: false });
      await advance(1_000);
      await hold(limiter, place(1));
      await limiter.settle(dead, [1]);
      expect(await takeOne(limiter, place(1))).toMatchObject({ allowed: false });
    });

    test("stay held for as long as they are renewed, and are free when they are settled then", async () => {
      const { limiter, advance } = await open();
      const held = await hold(limiter, place(1));
      for (let renewals = 0; renewals < 5; renewals += 1) {
        await advance(leaseMs - 1_000);
        await limiter.renew([held]);
      }
      expect(await takeOne(limiter, place(1))).toMatchObject({ allowed: false });
      await limiter.settle(held, [1]);
      expect(await takeOne(limiter, place(1))).toMatchObject({ allowed: true });
    });

    test("that are renewed too late are held again, past the limit, and freed once", async () => {
      const { limiter, advance } = await open();
      const late = await hold(limiter, place(1));
      await advance(2 * leaseMs);
      const next = await hold(limiter, place(1));
      await limiter.renew([late]);
      expect(await standing(limiter, place(1))).toMatchObject({ reserved: 2, remaining: 0 });
      await limiter.settle(next, [1]);
      expect(await takeOne(limiter, place(1))).toMatchObject({ allowed: false });
      await limiter.settle(late, [1]);
      expect(await takeOne(limiter, place(1))).toMatchObject({ allowed: true });
    });

    test("that were given back are not renewed", async () => {
      const { limiter } = await open();
      const held = await hold(limiter, place(1));
      await limiter.settle(held, [1]);
      await limiter.renew([held]);
      expect(await takeOne(limiter, place(1))).toMatchObject({ allowed: true });
    });
  });
}
