import { expect, test } from "vitest";
import { createBudgetBoard } from "../../src/pipeline/budget-board.ts";
import type { NamedCounter } from "../../src/pipeline/define-policy.ts";
import { createMemoryLimiter } from "../../src/store/memory/limiter.ts";
import { attachPolicy, limitsChain } from "../kit/limits.ts";
import { manualClock } from "../kit/manual-clock.ts";

const hour = 3_600_000;

function boardOf(rule: NamedCounter["counter"]["rule"]) {
  const clock = manualClock();
  const limiter = createMemoryLimiter({ clock, maxKeys: 10 });
  const counter = { key: "k", rule };
  const counters = (): readonly NamedCounter[] => [{ measure: "requests", title: "so many", counter }];
  const attachment = attachPolicy({ charges: () => undefined, counters });
  const holders = new Map([["app_1", limitsChain(attachment)]]);
  const board = createBudgetBoard({ clock, limiter, holders: () => holders, budgetsOf: () => undefined });
  const look = async () => (await board.look({ kind: "Application", id: "app_1" }))[0];
  return { clock, limiter, board, look, take: (amount: number) => limiter.take([{ ...counter, amount }]) };
}

test("what is used by the end of a window is told from the pace so far, once there is one", async () => {
  const startsAtMs = manualClock().now();
  const { clock, limiter, look, take } = boardOf({ type: "quota", limit: 100, startsAtMs, windowMs: 100 * hour });
  const { reservation } = take(20);
  if (reservation !== undefined) limiter.settle(reservation, [15]);
  take(5); // still runs
  expect(await look()).toMatchObject({ used: 15, reserved: 5, projected: undefined });
  clock.advance(10 * hour);
  expect((await look())?.projected).toBe(200);
  clock.advance(90 * hour);
  expect((await look())?.projected).toBe(20);
  clock.advance(hour); // the window is over, and nobody has asked for the next
  expect((await look())?.projected).toBeUndefined();
});

test("a limit that comes back evenly has no end to project to", async () => {
  const { look, take } = boardOf({ type: "rate", limit: 10, windowMs: hour });
  take(5);
  expect(await look()).toMatchObject({ used: 5, projected: undefined });
});

test("a clear forgets what the holder has used", async () => {
  const startsAtMs = manualClock().now();
  const { board, look, take } = boardOf({ type: "quota", limit: 10, startsAtMs, windowMs: hour });
  take(4);
  await board.clear({ kind: "Application", id: "nobody" });
  expect(await look()).toMatchObject({ reserved: 4 });
  await board.clear({ kind: "Application", id: "app_1" });
  expect(await look()).toMatchObject({ used: 0, reserved: 4 }); // what runs is charged when it ends
});
