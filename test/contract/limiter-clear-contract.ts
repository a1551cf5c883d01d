import { describe, expect, test } from "vitest";
import type { Charge } from "../../src/pipeline/limiter.ts";
import type { LimiterContractOptions } from "./limiter-under-test.ts";
import { hold, quotaCharge, standing, takeOne } from "./limiter-under-test.ts";

/** What every limiter promises of counters that somebody clears. */
export function limiterClearContract({ open }: LimiterContractOptions): void {
  describe("clearing", () => {
    test("a quota forgets what was used, keeps what is held, and that is settled as ever", async () => {
      const under = await open();
      const { limiter, other } = under;
      const charge = quotaCharge(under, { amount: 3 });
      await limiter.settle(await hold(limiter, charge), [6]);
      const held = await hold(limiter, charge);
      await other.clear([charge]);
      expect(await standing(limiter, charge)).toMatchObject({ used: 0, reserved: 3, remaining: 7 });
      await limiter.settle(held, [5]);
      expect(await standing(limiter, charge)).toMatchObject({ used: 5, reserved: 0, remaining: 5 });
    });

    test("a quota that had gone on to a window of another clock counts in the present one again", async () => {
      const under = await open();
      const { limiter } = under;
      const present = quotaCharge(under, { amount: 10 });
      const held = await hold(limiter, quotaCharge(under, { amount: 10, windows: 1_000 }));
      expect(await takeOne(limiter, present)).toMatchObject({ allowed: false });
      await limiter.clear([present]);
      await limiter.settle(held, [10]); // of a window that is no more
      expect(await takeOne(limiter, present)).toMatchObject({ allowed: true, remaining: 0 });
      expect(await takeOne(limiter, present)).toMatchObject({ allowed: false });
    });

    test("a rate is wholly free again, and no freer", async () => {
      const { limiter } = await open();
      const charge: Charge = { key: "r", rule: { type: "rate", limit: 4, windowMs: 60_000 }, amount: 4 };
      const held = await hold(limiter, charge);
      await limiter.clear([charge]);
      await limiter.settle(held, [0]);
      expect(await takeOne(limiter, charge)).toMatchObject({ allowed: true, remaining: 0 });
      expect(await takeOne(limiter, charge)).toMatchObject({ allowed: false });
    });

    test("places stay with who holds them; other keys and unknown ones stay as they are", async () => {
      const under = await open();
      const { limiter } = under;
      const places: Charge = { key: "c", rule: { type: "concurrent", limit: 1, leaseMs: 60_000 }, amount: 1 };
      await hold(limiter, places);
      const one = quotaCharge(under, { key: "one", amount: 2 });
      await limiter.settle(await hold(limiter, one), [2]);
      await limiter.clear([places, quotaCharge(under, { key: "two" }), { ...places, key: "nobody" }]);
      await limiter.clear([]);
      expect(await takeOne(limiter, places)).toMatchObject({ allowed: false });
      expect(await standing(limiter, one)).toMatchObject({ used: 2 });
    });
  });
}
