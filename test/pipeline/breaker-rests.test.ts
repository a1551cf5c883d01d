import { describe, expect, test } from "vitest";
import { createBreaker } from "../../src/pipeline/breaker.ts";
import type { TargetRest } from "../../src/pipeline/rest-board.ts";
import { manualClock } from "../kit/manual-clock.ts";

const settings = { failures: 2, openMs: 1_000 };

function openBreaker() {
  const clock = manualClock();
  const told: TargetRest[] = [];
  return { clock, told, breaker: createBreaker(clock, (rest) => told.push(rest)) };
}

const heard = (restMs: number, asked = false): TargetRest => ({ target: "a", model: "", restMs, asked });

describe("what a gateway tells others of a target", () => {
  test("is that it rests now, not that it failed once, and that a trial ended the rest", () => {
    const { breaker, clock, told } = openBreaker();
    breaker.note("a", "bad", settings, { model: "m" });
    expect(told).toEqual([]);
    breaker.note("a", "bad", settings, { model: "m" });
    expect(told).toEqual([{ target: "a", model: "m", restMs: 1_000, asked: false }]);
    clock.advance(1_000);
    expect(breaker.admits("a", settings, "m")).toBe(true);
    breaker.note("a", "good", settings, { model: "m" });
    expect(told.slice(1)).toEqual([{ target: "a", model: "m", restMs: 0, asked: false }]);
    breaker.note("a", "good", settings, { model: "m" });
    expect(told).toHaveLength(2);
  });

  test("is a rest that the target asked for, as long as it may be", () => {
    const { breaker, told } = openBreaker();
    breaker.note("a", "good", { ...settings, longestRestMs: 5_000 }, { restMs: 60_000 });
    expect(told).toEqual([{ target: "a", model: "", restMs: 5_000, asked: true }]);
  });

  test("is a trial's failure, and never what it has heard itself", () => {
    const { breaker, clock, told } = openBreaker();
    breaker.hear(heard(500));
    expect(told).toEqual([]);
    clock.advance(500);
    expect(breaker.admits("a", settings)).toBe(true);
    breaker.note("a", "bad", settings);
    expect(told).toEqual([{ target: "a", model: "", restMs: 1_000, asked: false }]);
  });
});

describe("a rest that another gateway tells of", () => {
  test("keeps requests away until its end, and then one tries", () => {
    const { breaker, clock } = openBreaker();
    breaker.hear(heard(500));
    expect([breaker.admits("a", settings), breaker.restMs("a")]).toEqual([false, 500]);
    clock.advance(500);
    expect([breaker.admits("a", settings), breaker.admits("a", settings)]).toEqual([true, false]);
  });

  test("ends when it is called off", () => {
    const { breaker } = openBreaker();
    breaker.hear(heard(500));
    breaker.hear(heard(0));
    expect(breaker.view("a")).toEqual({ state: "closed", failures: 0, restMs: 0 });
  });

  test("ends, for the others too, when a request that was under way is answered; one that was asked for does not", () => {
    const { breaker, told } = openBreaker();
    breaker.hear(heard(500, true));
    breaker.note("a", "good", settings);
    expect([breaker.admits("a", settings), told]).toEqual([false, []]);
    breaker.hear(heard(500));
    breaker.note("a", "good", settings);
    expect([breaker.admits("a", settings), told]).toEqual([true, [heard(0)]]);
  });

  test("changes nothing about a rest of the gateway's own, nor does its end", () => {
    const { breaker, clock } = openBreaker();
    for (const _ of [1, 2]) breaker.note("a", "bad", settings);
    breaker.hear(heard(60_000));
    breaker.hear(heard(0));
    expect(breaker.restMs("a")).toBe(1_000);
    clock.advance(1_000);
    expect(breaker.admits("a", settings)).toBe(true);
  });

  test("is not heard during a trial, whose result decides", () => {
    const { breaker, clock } = openBreaker();
    breaker.hear(heard(500));
    clock.advance(500);
    expect(breaker.admits("a", settings)).toBe(true);
    breaker.hear(heard(9_000));
    breaker.note("a", "good", settings);
    expect(breaker.admits("a", settings)).toBe(true);
  });

  test("keeps nobody away where the breaker is switched off", () => {
    const { breaker } = openBreaker();
    breaker.hear(heard(500));
    expect(breaker.admits("a", { failures: 0, openMs: 0 })).toBe(true);
  });
});
