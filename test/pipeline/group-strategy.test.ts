import { expect, test } from "vitest";
import type { Strategy } from "../../src/pipeline/define-strategy.ts";
import { groupStrategy } from "../../src/pipeline/group-strategy.ts";
import { failover } from "../../src/routing/strategies/failover.ts";
import { roundRobin } from "../../src/routing/strategies/round-robin.ts";
import { weighted } from "../../src/routing/strategies/weighted.ts";
import { buildExchange, buildOperation, buildTools } from "../kit/exchange.ts";
import { order, targetCalled } from "../kit/targets.ts";

const tools = buildTools();
const inOrder = () => failover.compile({}, tools);
const [a1, a2, b1, b2, alone] = ["a1", "a2", "b1", "b2", "alone"].map((id) => targetCalled(id)) as [
  ReturnType<typeof targetCalled>,
  ReturnType<typeof targetCalled>,
  ReturnType<typeof targetCalled>,
  ReturnType<typeof targetCalled>,
  ReturnType<typeof targetCalled>,
]; // five names make five
const all = [a1, a2, b1, b2, alone];

const grouped = (outer: Strategy, inner: () => Strategy) =>
  groupStrategy(outer, [
    { name: "a", weight: 3, strategy: inner(), members: [a1, a2] },
    { name: "b", weight: 1, strategy: inner(), members: [b1, b2] },
  ]);

test("what fails in a group falls over within it first, then to the next group and the targets of none", () => {
  expect(order(grouped(inOrder(), inOrder), all)).toEqual(["a1", "a2", "b1", "b2", "alone"]);
});

test("each group has its own strategy", () => {
  const strategy = grouped(inOrder(), () => roundRobin.compile({}, tools));
  expect([order(strategy, all)[0], order(strategy, all)[0], order(strategy, all)[0]]).toEqual(["a1", "a2", "a1"]);
});

test("a group has one share, however many targets are in it", () => {
  const strategy = grouped(weighted.compile({}, tools), inOrder);
  const first = Array.from({ length: 50 }, () => order(strategy, all)[0]);
  expect([first.filter((id) => id === "a1").length, first.filter((id) => id === "b1").length]).toEqual([30, 10]);
});

test("what is not open is not chosen, and a group without any that is does not stand in the way", () => {
  const strategy = grouped(inOrder(), inOrder);
  expect(order(strategy, [a2, b2])).toEqual(["a2", "b2"]);
  expect(order(strategy, [b1, alone])).toEqual(["b1", "alone"]);
});

test("both strategies hear of each try, the outer one by the group's name", () => {
  const heard: string[] = [];
  const listening = (who: string): Strategy => ({
    choose: (targets) => targets,
    tried: ({ id }) => void heard.push(`${who} ${id}`),
    ended: ({ id }, { health }) => void heard.push(`${who} ${id} ${health}`),
  });
  const strategy = groupStrategy(listening("outer"), [
    { name: "a", weight: 1, strategy: listening("inner"), members: [a1, a2] },
  ]);
  strategy.tried?.(a2);
  strategy.ended?.(alone, { tookMs: 1, health: "good" });
  expect(heard).toEqual(["outer a", "inner a2", "outer alone good"]);
});

test("strategies that take their time are waited for", async () => {
  const late = (): Strategy => ({ choose: async (targets) => targets.toReversed() });
  const chosen = await grouped(late(), late).choose(all, buildExchange(), buildOperation());
  expect(chosen.map(({ id }) => id)).toEqual(["alone", "b2", "b1", "a2", "a1"]);
});
