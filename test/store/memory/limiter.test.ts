import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Charge, LimitDecision } from "../../../src/pipeline/limiter.ts";
import type { RateRequest } from "../../../src/pipeline/take-rate.ts";
import { takeRate } from "../../../src/pipeline/take-rate.ts";
import type { MemoryLimiter } from "../../../src/store/memory/limiter.ts";
import { createMemoryLimiter } from "../../../src/store/memory/limiter.ts";
import { limiterContract } from "../../contract/limiter-contract.ts";
import { manualClock } from "../../kit/manual-clock.ts";
import { twoClocks } from "../../kit/two-clocks.ts";

limiterContract("memory", {
  async open() {
    const clock = twoClocks();
    const limiter = createMemoryLimiter({ clock, maxKeys: 100 });
    return { limiter, other: limiter, now: clock.now, advance: clock.advance, jump: clock.jump };
  },
});

describe("quotas in the memory of a limiter", () => {
  const dayMs = 86_400_000;
  const ofDay = (key: string, nowMs: number, amount = 1): Charge => {
    const startsAtMs = Math.floor(nowMs / dayMs) * dayMs;
    return { key, rule: { type: "quota", limit: 5, startsAtMs, windowMs: dayMs }, amount };
  };
  const request = { limit: 10, windowMs: 1000, amount: 1 };

  test("are never forgotten while their window is open: rates give way, then new keys are refused and known ones go on", () => {
    const clock = twoClocks();
    const limiter = createMemoryLimiter({ clock, maxKeys: 3 });
    decided(limiter, { ...request, key: "rate" });
    for (const key of ["a", "b", "c"]) expect(limiter.take([ofDay(key, clock.now(), 5)]).allowed).toBe(true);
    expect(limiter.size).toBe(3);
    expect(() => limiter.take([ofDay("d", clock.now())])).toThrow(
      expect.objectContaining({ code: "limit.unavailable" }),
    );
    expect(() => decided(limiter, { ...request, key: "rate" })).toThrow("cannot be counted");
    for (const key of ["a", "b", "c"]) expect(limiter.take([ofDay(key, clock.now())]).allowed).toBe(false);
    clock.advance(dayMs + 3_600_000);
    expect(limiter.take([ofDay("d", clock.now())]).allowed).toBe(true);
  });

  test("a take for which there is no room leaves nothing counted", () => {
    const clock = twoClocks();
    const limiter = createMemoryLimiter({ clock, maxKeys: 1 });
    limiter.take([ofDay("a", clock.now())]);
    expect(() => limiter.take([ofDay("a", clock.now()), ofDay("b", clock.now())])).toThrow("cannot be counted");
    expect(limiter.look([ofDay("a", clock.now())])).toMatchObject([{ reserved: 1 }]);
  });

  test("are forgotten an hour after their window", () => {
    const clock = twoClocks();
    const limiter = createMemoryLimiter({ clock, maxKeys: 100 });
    for (let key = 0; key < 10; key += 1) limiter.take([ofDay(`${key}`, clock.now())]);
    clock.advance(2 * dayMs);
    for (let looks = 0; looks < 5; looks += 1) limiter.take([]);
    expect(limiter.size).toBe(0);
  });
});

describe("places in the memory of a limiter", () => {
  const place: Charge = { key: "p", rule: { type: "concurrent", limit: 5, leaseMs: 60_000 }, amount: 1 };

  test("are forgotten when nobody holds one any more, and not before", () => {
    const clock = twoClocks();
    const limiter = createMemoryLimiter({ clock, maxKeys: 100 });
    const [kept, freed] = [limiter.take([{ ...place, key: "kept" }]), limiter.take([{ ...place, key: "freed" }])];
    if (freed.reservation) limiter.settle(freed.reservation, [1]);
    for (let minute = 0; minute < 10; minute += 1) {
      clock.advance(50_000);
      if (kept.reservation) limiter.renew([kept.reservation]);
      limiter.take([]);
    }
    expect(limiter.size).toBe(1);
    expect(limiter.look([{ ...place, key: "kept" }])).toMatchObject([{ reserved: 1 }]);
  });
});

test("a reservation of another limiter is nobody's here", () => {
  const clock = twoClocks();
  const [one, two] = [createMemoryLimiter({ clock, maxKeys: 9 }), createMemoryLimiter({ clock, maxKeys: 9 })];
  const charge: Charge = { key: "p", rule: { type: "concurrent", limit: 1, leaseMs: 60_000 }, amount: 1 };
  const { reservation } = one.take([charge]);
  two.take([charge]);
  if (reservation) two.settle(reservation, [1]);
  expect(two.take([charge]).allowed).toBe(false);
});

describe("the memory of a limiter in memory", () => {
  const request = { limit: 10, windowMs: 1000, amount: 1 };

  test("never holds more keys than it may", () => {
    const limiter = createMemoryLimiter({ clock: manualClock(), maxKeys: 3 });
    for (let key = 0; key < 100; key += 1) decided(limiter, { ...request, key: `key-${key}` });
    expect(limiter.size).toBe(3);
  });

  test("forgets keys that are free again as others come, and does not remember what took nothing", () => {
    const clock = manualClock();
    const limiter = createMemoryLimiter({ clock, maxKeys: 1000 });
    for (let key = 0; key < 100; key += 1) decided(limiter, { ...request, key: `early-${key}` });
    expect(limiter.size).toBe(100);
    clock.advance(100);
    for (let look = 0; look < 25; look += 1) decided(limiter, { ...request, key: "look", amount: 0 });
    decided(limiter, { ...request, key: "refused", amount: 11 });
    expect(limiter.size).toBe(0);
  });

  test("keeps a key that is at its limit while a flood of others passes", () => {
    const limiter = createMemoryLimiter({ clock: manualClock(), maxKeys: 3 });
    decided(limiter, { ...request, key: "full", amount: 10 });
    for (let key = 0; key < 1000; key += 1) decided(limiter, { ...request, key: `key-${key}`, amount: 9 });
    expect(decided(limiter, { ...request, key: "full" }).allowed).toBe(false);
  });

  test("when it is full it forgets the one key that would be free the soonest, whatever the order of use", () => {
    const use = fc.record({ name: fc.nat(20), amount: fc.integer({ min: 1, max: 4 }), slow: fc.boolean() });
    fc.assert(
      fc.property(fc.array(use, { minLength: 1, maxLength: 40 }), (uses) => {
        const asked = uses.map(({ name, amount, slow }) => {
          return { key: `${name}/${slow}`, amount, limit: 10, windowMs: slow ? 1000 : 100 };
        });
        const maxKeys = new Set(asked.map(({ key }) => key)).size;
        const limiter = createMemoryLimiter({ clock: manualClock(), maxKeys });
        const resets = new Map(asked.map((taken) => [taken.key, decided(limiter, taken).resetMs]));
        decided(limiter, { ...request, key: "newcomer" });
        const left = new Map(asked.map((taken) => [taken.key, decided(limiter, { ...taken, amount: 0 }).resetMs]));
        const forgotten = [...resets]
          .filter(([key, resetMs]) => left.get(key) !== resetMs)
          .map(([, resetMs]) => resetMs);
        expect(forgotten).toEqual([Math.min(...resets.values())]);
      }),
    );
  });
});

function decided(limiter: MemoryLimiter, request: RateRequest): LimitDecision {
  const decision = takeRate(limiter, request);
  if (decision instanceof Promise) throw new Error("a limiter in memory answers at once");
  return decision;
}
