import { describe, expect, test } from "vitest";
import { createLoginGate } from "../../src/core/login-gate.ts";
import { manualClock } from "../kit/manual-clock.ts";
import { rejection } from "./core-fixture.ts";

const wrong = async () => false;
const right = async () => true;

describe("a name that has failed five times", () => {
  test("waits, twice as long after each failure, up to a quarter of an hour", async () => {
    const clock = manualClock();
    const gate = createLoginGate(clock);
    for (let failed = 0; failed < 5; failed += 1) expect(await gate.check("alice", wrong)).toBe(false);
    const waits: (number | undefined)[] = [];
    for (let failed = 0; failed < 12; failed += 1) {
      const { code, retryAfterMs } = await rejection(gate.check("alice", right));
      expect(code).toBe("limit.exceeded");
      waits.push(retryAfterMs);
      clock.advance(retryAfterMs ?? 0);
      await gate.check("alice", wrong);
    }
    expect(waits.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(waits.at(-1)).toBe(900_000);
  });

  test("holds nobody else back, and begins anew after the right password", async () => {
    const clock = manualClock();
    const gate = createLoginGate(clock);
    for (let failed = 0; failed < 5; failed += 1) await gate.check("alice", wrong);
    expect(await gate.check("bob", right)).toBe(true);
    clock.advance(1_000);
    expect(await gate.check("alice", right)).toBe(true);
    for (let failed = 0; failed < 5; failed += 1) expect(await gate.check("alice", wrong)).toBe(false);
  });

  test("begins anew after an hour without a failure", async () => {
    const clock = manualClock();
    const gate = createLoginGate(clock);
    for (let failed = 0; failed < 5; failed += 1) await gate.check("alice", wrong);
    clock.advance(3_600_000);
    for (let failed = 0; failed < 5; failed += 1) expect(await gate.check("alice", wrong)).toBe(false);
  });
});

describe("many at the same time", () => {
  test("two are checked at once, a hundred wait, and the rest are asked to come back", async () => {
    const gate = createLoginGate(manualClock());
    let running = 0;
    let most = 0;
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    const slow = async () => {
      running += 1;
      most = Math.max(most, running);
      await opened;
      running -= 1;
      return true;
    };
    const all = Array.from({ length: 110 }, (_, index) => gate.check(`user-${index}`, slow));
    const settled = Promise.allSettled(all);
    open();
    const refused = (await settled).filter(({ status }) => status === "rejected");
    expect(refused).toHaveLength(8);
    expect(most).toBe(2);
    expect(await gate.check("later", right)).toBe(true);
  });

  test("guesses of one name that wait in line do not get past its limit", async () => {
    const gate = createLoginGate(manualClock());
    let checked = 0;
    const guess = async () => {
      checked += 1;
      return false;
    };
    await Promise.allSettled(Array.from({ length: 50 }, () => gate.check("alice", guess)));
    expect(checked).toBeLessThanOrEqual(6);
  });
});

describe("a name that is guessed at from one address", () => {
  test("waits there, and its owner elsewhere does not", async () => {
    const gate = createLoginGate(manualClock());
    for (let failed = 0; failed < 5; failed += 1) await gate.check("alice", wrong, "192.0.2.1");
    expect(await rejection(gate.check("alice", right, "192.0.2.1"))).toMatchObject({ code: "limit.exceeded" });
    expect(await gate.check("alice", right, "198.51.100.7")).toBe(true);
  });

  test("waits everywhere after ten times as many failures, but for where it has come in before", async () => {
    const gate = createLoginGate(manualClock());
    expect(await gate.check("alice", right, "198.51.100.7")).toBe(true);
    for (let failed = 0; failed < 50; failed += 1) await gate.check("alice", wrong, `192.0.2.${failed}`);
    expect(await rejection(gate.check("alice", right, "203.0.113.1"))).toMatchObject({ code: "limit.exceeded" });
    expect(await gate.check("alice", right, "198.51.100.7")).toBe(true);
    expect(await gate.check("bob", right, "203.0.113.1")).toBe(true);
  });
});
