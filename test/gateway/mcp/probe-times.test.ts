import { expect, test } from "vitest";
import { createProbeTimes } from "../../../src/gateway/mcp/probe-times.ts";

test("a target's time is shared by those that hold it, and forgotten when the last has released it", () => {
  const times = createProbeTimes();
  const [first, second, other] = [times.hold("a"), times.hold("a"), times.hold("b")];
  first.set(5);
  expect([second.get(), other.get()]).toEqual([5, undefined]);
  first.release();
  expect(times.hold("a").get()).toBe(5);
  other.set(7);
  other.release();
  expect(times.hold("b").get()).toBeUndefined();
});
