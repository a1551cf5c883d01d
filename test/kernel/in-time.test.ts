import { expect, test } from "vitest";
import { inTime } from "../../src/kernel/in-time.ts";
import { manualClock } from "../kit/manual-clock.ts";

test("what is there already is not waited for", () => {
  expect(inTime(7, 10, manualClock())).toBe(7);
});

test("what comes in time is as it is", async () => {
  const clock = manualClock();
  await expect(inTime(Promise.resolve(7), 10, clock)).resolves.toBe(7);
  await expect(inTime(Promise.reject(new Error("broken")), 10, clock)).rejects.toThrow("broken");
});

test("what does not is a timeout", async () => {
  const clock = manualClock();
  const waiting = inTime(new Promise(() => undefined), 10, clock);
  clock.advance(10);
  await expect(waiting).rejects.toMatchObject({ code: "upstream.timeout", detail: "more than 10 ms" });
});
