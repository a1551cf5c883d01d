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

describe("a target that asks for a rest", () => {
  const patient = { failures: 5, openMs: 1_000, longestRestMs: 60_000 };
  const resting = (restMs: number, settings = patient) => {
    const clock = manualClock();
    const breaker = createBreaker(clock);
    breaker.note("a", "bad", settings, { restMs });
    return { clock, breaker };
  };

  test("gets it at once and as long as it asked, but no longer than is allowed", () => {
    expect(resting(20_000).breaker.restMs("a")).toBe(20_000);
    expect(resting(9_000_000).breaker.restMs("a")).toBe(60_000);
    expect(resting(20_000).breaker.admits("a", patient)).toBe(false);
  });

  test("gets it after a success too, when nothing is left of its limit", () => {
    const breaker = createBreaker(manualClock());
    breaker.note("a", "good", patient, { restMs: 500 });
    expect(breaker.restMs("a")).toBe(500);
  });

  test("keeps it over answers to requests that were under way, and over shorter wishes", () => {
    const { breaker } = resting(20_000);
    breaker.note("a", "good", patient);
    breaker.note("a", "bad", patient);
    breaker.note("a", "bad", patient, { restMs: 100 });
    expect(breaker.restMs("a")).toBe(20_000);
  });

  test("is tried by one request when it is over, and may ask again", () => {
    const { breaker, clock } = resting(20_000);
    clock.advance(20_000);
    expect([breaker.admits("a", patient), breaker.admits("a", patient)]).toEqual([true, false]);
    breaker.note("a", "bad", patient, { restMs: 300 });
    expect(breaker.restMs("a")).toBe(300);
  });

  test("gets none where nothing is ever left alone", () => {
    expect(resting(20_000, { ...patient, failures: 0 }).breaker.restMs("a")).toBe(0);
  });
});

test("a model that is down leaves the other models of its target as they were", () => {
  const breaker = createBreaker(manualClock());
  breaker.note("a", "bad", settings, { model: "large" });
  const rests = [breaker.restMs("a", "large"), breaker.restMs("a", "small"), breaker.restMs("b", "large")];
  expect(rests).toEqual([1_000, 0, 0]);
  expect(breaker.view("a")).toMatchObject({ state: "open", restMs: 1_000 });
});

test("names of models that nobody has heard of fill no memory", () => {
  const breaker = createBreaker(manualClock());
  for (let name = 0; name < 1_001; name += 1) breaker.note("a", "bad", settings, { model: `made-up-${name}` });
  expect([breaker.restMs("a", "made-up-0"), breaker.restMs("a", "made-up-1000")]).toEqual([0, 1_000]);
});

describe("a target that has recovered", () => {
  const ramped = { ...settings, rampMs: 10_000 };

  function recovered() {
    const clock = manualClock();
    const breaker = createBreaker(clock);
    breaker.note("a", "bad", ramped);
    clock.advance(1_000);
    breaker.admits("a", ramped);
    breaker.note("a", "good", ramped);
    const shareOf = (asked: number) =>
      Array.from({ length: asked }, () => breaker.isEasing("a", ramped)).filter((isEasing) => !isEasing).length;
    return { breaker, clock, shareOf };
  }

  test("gets its share back little by little", () => {
    const { clock, shareOf } = recovered();
    const shares = [0, 2_500, 2_500, 2_500, 2_500].map((ms) => {
      clock.advance(ms);
      return shareOf(100);
    });
    expect(shares).toEqual([0, 25, 50, 75, 100]);
  });

  test("is left alone again at its first failure", () => {
    const { breaker } = recovered();
    breaker.note("a", "bad", ramped);
    expect(breaker.admits("a", ramped)).toBe(false);
  });

  test("is always admitted where there is nowhere else to go", () => {
    expect(recovered().breaker.admits("a", ramped)).toBe(true);
  });
});
