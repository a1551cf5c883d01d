import fc from "fast-check";
import { expect, test } from "vitest";
import type { AlertFinding, AlertStanding } from "../../src/core/alert-state.ts";
import { stepAlert } from "../../src/core/alert-state.ts";

const start: AlertStanding = { state: "ok", sinceMs: 0, calmSinceMs: null, toldAtMs: null };
const findings: Readonly<Record<string, AlertFinding>> = {
  breach: { isBreached: true, isBack: false },
  between: { isBreached: false, isBack: false },
  back: { isBreached: false, isBack: true },
};
const plain = { forSeconds: 0, resolveAfterSeconds: 0, cooldownSeconds: 0 };

/** What is told, step by step, of findings a minute apart. */
function run(spec: typeof plain, ...names: readonly string[]): readonly string[] {
  let standing = start;
  return names.map((name, minute) => {
    const finding = findings[name] ?? { isBreached: false, isBack: true };
    const step = stepAlert(spec, standing, finding, minute * 60_000);
    standing = step.standing;
    return step.event === undefined ? standing.state : `${step.event}${step.isTold ? "!" : ""}`;
  });
}

test("it fires at once, is told once, and its end is told", () => {
  expect(run(plain, "back", "breach", "breach", "back", "back")).toEqual(["ok", "fired!", "firing", "resolved!", "ok"]);
});

test("it fires only when its condition has held for long enough without a break", () => {
  const spec = { ...plain, forSeconds: 120 };
  expect(run(spec, "breach", "breach", "back", "breach", "breach", "breach")).toEqual([
    "pending",
    "pending",
    "ok",
    "pending",
    "pending",
    "fired!",
  ]);
});

test("a value between the threshold and where it resolves keeps it firing", () => {
  expect(run(plain, "breach", "between", "between", "back")).toEqual(["fired!", "firing", "firing", "resolved!"]);
});

test("it is over only when it has been back for long enough", () => {
  const spec = { ...plain, resolveAfterSeconds: 60 };
  expect(run(spec, "breach", "back", "between", "back", "back")).toEqual([
    "fired!",
    "firing",
    "firing",
    "firing",
    "resolved!",
  ]);
});

test("within the cool-down it fires without being told, and so is its end", () => {
  const spec = { ...plain, cooldownSeconds: 180 };
  expect(run(spec, "breach", "back", "breach", "back", "breach", "back")).toEqual([
    "fired!",
    "resolved!",
    "fired",
    "resolved",
    "fired!",
    "resolved!",
  ]);
});

test("whatever is found, firing and its end take turns, and who hears of an end has heard of its beginning", () => {
  const seconds = fc.constantFrom(0, 60, 120, 300);
  const spec = fc.record({ forSeconds: seconds, resolveAfterSeconds: seconds, cooldownSeconds: seconds });
  fc.assert(
    fc.property(spec, fc.array(fc.constantFrom("breach", "between", "back")), (given, names) => {
      const events = run(given, ...names).filter((each) => each.startsWith("fired") || each.startsWith("resolved"));
      for (const [place, event] of events.entries()) {
        expect(event.startsWith(place % 2 === 0 ? "fired" : "resolved")).toBe(true);
        if (event === "resolved!") expect(events[place - 1]).toBe("fired!");
        if (event === "resolved") expect(events[place - 1]).toBe("fired");
      }
    }),
  );
});
