import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Charge, LimitRule, Reservation } from "../../src/pipeline/limiter.ts";
import type { LimiterContractOptions, LimiterUnderTest } from "./limiter-under-test.ts";
import { hold, quotaCharge, quotaWindowMs, standing, takeOne } from "./limiter-under-test.ts";

/** What every limiter promises of reservations and their end. */
export function limiterSettleContract({ open, runs = 100 }: LimiterContractOptions): void {
  examples(open);
  properties(open, runs);
}

function examples(open: () => Promise<LimiterUnderTest>): void {
  describe("a reservation of a quota", () => {
    test.each([
      { name: "less is given back", amounts: [2], used: 2, remaining: 8 },
      { name: "nothing is all given back", amounts: [0], used: 0, remaining: 10 },
      { name: "as much stays", amounts: [6], used: 6, remaining: 4 },
      { name: "more is taken as well", amounts: [9], used: 9, remaining: 1 },
      { name: "more than the limit is recorded", amounts: [25], used: 25, remaining: 0 },
      { name: "what is no number leaves what was reserved", amounts: [Number.NaN], used: 6, remaining: 4 },
      { name: "a negative amount leaves what was reserved", amounts: [-3], used: 6, remaining: 4 },
      { name: "no amount leaves what was reserved", amounts: [], used: 6, remaining: 4 },
      { name: "a part of a unit is a whole one", amounts: [2.1], used: 3, remaining: 7 },
    ])("settled: $name", async ({ amounts, used, remaining }) => {
      const under = await open();
      const charge = quotaCharge(under, { amount: 6 });
      const held = await hold(under.limiter, charge);
      expect(await standing(under.limiter, charge)).toMatchObject({ used: 0, reserved: 6, remaining: 4 });
      await under.limiter.settle(held, amounts);
      expect(await standing(under.limiter, charge)).toMatchObject({ used, reserved: 0, remaining });
    });

    test("that was overdrawn lets nothing more through until the next window", async () => {
      const under = await open();
      await under.limiter.settle(await hold(under.limiter, quotaCharge(under)), [25]);
      expect(await takeOne(under.limiter, quotaCharge(under))).toMatchObject({ allowed: false, remaining: 0 });
      await under.advance(quotaWindowMs);
      expect(await takeOne(under.limiter, quotaCharge(under))).toMatchObject({ allowed: true, remaining: 9 });
    });

    test("settles once: the second time does nothing", async () => {
      const under = await open();
      const charge = quotaCharge(under, { amount: 4 });
      const held = await hold(under.limiter, charge);
      await under.limiter.settle(held, [1]);
      await under.limiter.settle(held, [0]);
      await under.limiter.settle(held, [9]);
      expect(await standing(under.limiter, charge)).toMatchObject({ used: 1, reserved: 0 });
    });

    test("settled when its window is over changes nothing of the next one", async () => {
      const under = await open();
      const held = await hold(under.limiter, quotaCharge(under, { amount: 4 }));
      await under.advance(quotaWindowMs);
      await hold(under.limiter, quotaCharge(under, { amount: 3 }));
      await under.limiter.settle(held, [10]);
      expect(await standing(under.limiter, quotaCharge(under))).toMatchObject({ used: 0, reserved: 3 });
    });

    test("that nobody knows is settled and renewed without effect", async () => {
      const under = await open();
      const charge = quotaCharge(under);
      const foreign: Reservation = { id: "no-such-reservation", charges: [charge] };
      await under.limiter.settle(foreign, [5]);
      await under.limiter.renew([foreign]);
      expect(await standing(under.limiter, charge)).toMatchObject({ used: 0, reserved: 0 });
    });

    test("of nothing may be settled to something", async () => {
      const under = await open();
      const charge = quotaCharge(under, { amount: 0 });
      await under.limiter.settle(await hold(under.limiter, charge), [7]);
      expect(await takeOne(under.limiter, quotaCharge(under, { amount: 4 }))).toMatchObject({ allowed: false });
      expect(await standing(under.limiter, charge)).toMatchObject({ used: 7, remaining: 3 });
    });

    test("has an id of its own", async () => {
      const under = await open();
      const ids = new Set<string>();
      for (let take = 0; take < 10; take += 1)
        ids.add((await hold(take % 2 ? under.limiter : under.other, quotaCharge(under))).id);
      expect(ids.size).toBe(10);
    });
  });

  describe("a reservation of a rate", () => {
    const rate = (amount: number): Charge => ({
      key: "r",
      rule: { type: "rate", limit: 10, windowMs: 10_000 },
      amount,
    });

    test("settled at once to less gives the rest back, to more takes more", async () => {
      const { limiter } = await open();
      await limiter.settle(await hold(limiter, rate(8)), [3]);
      expect(await standing(limiter, rate(0))).toMatchObject({ remaining: 7 });
      await limiter.settle(await hold(limiter, rate(1)), [12]);
      expect(await takeOne(limiter, rate(1))).toMatchObject({ allowed: false, remaining: 0, retryAfterMs: 6_000 });
    });

    test("gives nothing back that has come back by itself", async () => {
      const { limiter, advance } = await open();
      const held = await hold(limiter, rate(5));
      await advance(5_000);
      await hold(limiter, rate(10));
      await limiter.settle(held, [0]);
      expect(await takeOne(limiter, rate(1))).toMatchObject({ allowed: false });
    });
  });
}

function properties(open: () => Promise<LimiterUnderTest>, runs: number): void {
  describe("reservations of many callers", () => {
    test("two hundred at once never pass the limit, and all that it says are admitted", async () => {
      const under = await open();
      const charge = quotaCharge(under, { limit: 57 });
      const callers = Array.from({ length: 200 }, (_, caller) => (caller % 2 === 0 ? under.limiter : under.other));
      const taken = await Promise.all(callers.map(async (limiter) => limiter.take([charge])));
      expect(taken.filter(({ allowed }) => allowed)).toHaveLength(57);
    });

    test("two hundred at once with all sorts of amounts never pass any of several limits", async () => {
      const under = await open();
      const amounts = Array.from({ length: 200 }, (_, caller) => 1 + ((caller * 7) % 13));
      const chargesOf = (amount: number, caller: number): readonly Charge[] => [
        quotaCharge(under, { key: "team", limit: 300, amount }),
        quotaCharge(under, { key: `application ${caller % 3}`, limit: 120, amount }),
        { key: "rate", rule: { type: "rate", limit: 250, windowMs: 3_600_000_000 }, amount },
        { key: "places", rule: { type: "concurrent", limit: 60, leaseMs: 600_000 }, amount: 1 },
      ];
      const taken = await Promise.all(
        amounts.map(async (amount, caller) =>
          (caller % 2 ? under.limiter : under.other).take(chargesOf(amount, caller)),
        ),
      );
      const admitted = amounts.flatMap((amount, caller) => (taken[caller]?.allowed ? [{ amount, caller }] : []));
      const sum = (some: typeof admitted): number => some.reduce((total, { amount }) => total + amount, 0);
      expect(sum(admitted)).toBeLessThanOrEqual(250);
      expect(admitted.length).toBeLessThanOrEqual(60);
      for (const third of [0, 1, 2])
        expect(sum(admitted.filter(({ caller }) => caller % 3 === third))).toBeLessThanOrEqual(120);
      expect(await standing(under.limiter, chargesOf(0, 0)[0] ?? quotaCharge(under))).toMatchObject({
        reserved: sum(admitted),
      });
    });

    const moves = fc.array(
      fc.oneof(
        fc.record({ take: fc.integer({ min: 0, max: 60 }) }),
        fc.record({ settle: fc.nat(10), share: fc.double({ min: 0, max: 2, noNaN: true }) }),
      ),
      { maxLength: 60 },
    );

    test.each([
      { name: "pass the limit by no more than what they used beyond their reservation", mayGrow: true },
      { name: "never pass the limit where reservations bound what is used", mayGrow: false },
    ])("$name", async ({ mayGrow }) => {
      await fc.assert(
        fc.asyncProperty(moves, async (all) => {
          const under = await open();
          const counted = quotaCharge(under, { limit: 100 });
          const running: Reservation[] = [];
          let beyond = 0;
          for (const move of all) {
            const { limiter } = under;
            if ("take" in move) {
              const { reservation } = await limiter.take([{ ...counted, amount: move.take }]);
              if (reservation !== undefined) running.push(reservation);
            } else {
              const [held] = running.splice(move.settle, 1);
              if (held === undefined) continue;
              const reserved = held.charges[0]?.amount ?? 0;
              const actual = Math.floor(reserved * (mayGrow ? move.share : Math.min(move.share, 1)));
              beyond += Math.max(actual - reserved, 0);
              await limiter.settle(held, [actual]);
            }
            const { used, reserved } = await standing(limiter, counted);
            expect(used + reserved).toBeLessThanOrEqual(100 + beyond);
          }
        }),
        { numRuns: runs },
      );
    });

    test("of a rate: what was really used never passes what the rate allows, however it is settled", async () => {
      const steps = fc.array(
        fc.record({
          wait: fc.nat(400),
          take: fc.integer({ min: 1, max: 10 }),
          settleAfter: fc.nat(3),
          share: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
        { maxLength: 25 },
      );
      await fc.assert(
        fc.asyncProperty(steps, async (all) => {
          const { limiter, advance } = await open();
          const rule: LimitRule = { type: "rate", limit: 10, windowMs: 1_000 };
          const uses: { atMs: number; amount: number }[] = [];
          const unsettled: { step: number; held: Reservation; actual: number }[] = [];
          let nowMs = 0;
          for (const [step, { wait, take, settleAfter, share }] of all.entries()) {
            await advance(wait);
            nowMs += wait;
            for (const due of unsettled.filter((held) => held.step <= step))
              await limiter.settle(due.held, [due.actual]);
            const { reservation } = await limiter.take([{ key: "r", rule, amount: take }]);
            if (reservation === undefined) continue;
            const actual = Math.floor(take * share);
            uses.push({ atMs: nowMs, amount: actual });
            unsettled.push({ step: step + settleAfter, held: reservation, actual });
          }
          expectWithinRate(uses, 10, 1_000);
        }),
        { numRuns: runs },
      );
    });
  });
}

function expectWithinRate(uses: readonly { atMs: number; amount: number }[], limit: number, windowMs: number): void {
  for (const [start, first] of uses.entries()) {
    let sum = 0;
    for (const { atMs, amount } of uses.slice(start)) {
      sum += amount;
      expect(sum * windowMs).toBeLessThanOrEqual(limit * (windowMs + atMs - first.atMs));
    }
  }
}
