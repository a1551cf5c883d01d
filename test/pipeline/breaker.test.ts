import { describe, expect, test } from "vitest";
import { createBreaker } from "../../src/pipeline/breaker.ts";
import { manualClock } from "../kit/manual-clock.ts";

const settings = { failures: 1, openMs: 1_000 };

function openBreaker() {
  const clock = manualClock();
  const breaker = createBreaker(clock);
  breaker.note("a", "bad", settings);
  return { breaker, clock, admits: () => breaker.admits("a", settings) };
}

describe("after the rest of a target", () => {
  test("one request at a time may try it", () => {
    const { clock, admits } = openBreaker();
    clock.advance(1_000);
    expect([admits(), admits()]).toEqual([true, false]);
  });

  test("a trial whose client left says nothing, and the next request is the trial at once", () => {
    const { breaker, clock, admits } = openBreaker();
    clock.advance(1_000);
    expect(admits()).toBe(true);
    clock.advance(10);
    breaker.note("a", "unknown", settings);
    expect(breaker.restMs("a")).toBe(0);
    expect([admits(), admits()]).toEqual([true, false]);
  });

  test("a trial that fails costs another rest, and one that works ends it", () => {
    const { breaker, clock, admits } = openBreaker();
    clock.advance(1_000);
    admits();
    breaker.note("a", "bad", settings);
    expect([admits(), breaker.restMs("a")]).toEqual([false, 1_000]);
    clock.advance(1_000);
    admits();
    breaker.note("a", "good", settings);
    expect([admits(), admits()]).toEqual([true, true]);
  });

  test("a trial that never reports holds the others back for one rest only", () => {
    const { clock, admits } = openBreaker();
    clock.advance(1_000);
    admits();
    clock.advance(1_000);
    expect(admits()).toBe(true);
  });
});

test("a client that leaves while a target rests does not shorten the rest", () => {
  const { breaker, clock, admits } = openBreaker();
  clock.advance(500);
  breaker.note("a", "unknown", settings);
  expect([admits(), breaker.restMs("a")]).toEqual([false, 500]);
});
