import { expect, test } from "vitest";
import { createFailureRest } from "../../src/embedding/failure-rest.ts";
import { manualClock } from "../kit/manual-clock.ts";

test("calls rest after failures in a row, and a success between them begins the count anew", () => {
  const clock = manualClock();
  const rest = createFailureRest({ clock, failures: 2, openMs: 1_000 });
  for (const health of ["bad", "good", "bad"] as const) rest.note(health);
  expect(rest.waitMs()).toBe(0);
  rest.note("bad");
  expect(rest.waitMs()).toBe(1_000);
  clock.advance(999);
  expect(rest.waitMs()).toBe(1);
});

test("after the rest one may try; a failure begins another rest, a success ends it, and one that told nothing frees the trial", () => {
  const clock = manualClock();
  const rest = createFailureRest({ clock, failures: 1, openMs: 1_000 });
  rest.note("bad");
  clock.advance(1_000);
  expect([rest.waitMs(), rest.waitMs()]).toEqual([0, 1_000]);
  rest.note("bad");
  expect(rest.waitMs()).toBe(1_000);
  clock.advance(1_000);
  expect(rest.waitMs()).toBe(0);
  rest.note("unknown");
  expect(rest.waitMs()).toBe(0);
  rest.note("good");
  expect([rest.waitMs(), rest.waitMs()]).toEqual([0, 0]);
});

test("with no number of failures it never rests", () => {
  const rest = createFailureRest({ clock: manualClock(), failures: 0, openMs: 1_000 });
  for (let count = 0; count < 100; count += 1) rest.note("bad");
  expect(rest.waitMs()).toBe(0);
});
