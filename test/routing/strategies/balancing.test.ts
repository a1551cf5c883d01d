import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Strategy } from "../../../src/pipeline/define-strategy.ts";
import type { Principal } from "../../../src/pipeline/exchange.ts";
import type { CompiledTarget } from "../../../src/pipeline/target.ts";
import { leastBusy } from "../../../src/routing/strategies/least-busy.ts";
import { leastCost } from "../../../src/routing/strategies/least-cost.ts";
import { leastLatency } from "../../../src/routing/strategies/least-latency.ts";
import { roundRobin } from "../../../src/routing/strategies/round-robin.ts";
import { sticky } from "../../../src/routing/strategies/sticky.ts";
import { buildExchange, buildOperation, buildTools, keyHolder } from "../../kit/exchange.ts";
import { order, targetCalled, targetsOf } from "../../kit/targets.ts";
import { requestBody, textAdapter } from "../../kit/text-adapter.ts";

const three = targetsOf([1, 1, 1]);
const [first, second, third] = three as [CompiledTarget, CompiledTarget, CompiledTarget]; // three were asked for

test("round robin begins one further on each time, and loses no target", () => {
  const strategy = roundRobin.compile({}, buildTools());
  const begins = [0, 1, 2, 3].map(() => order(strategy, three));
  expect(begins.map(([begin]) => begin)).toEqual(["target-0", "target-1", "target-2", "target-0"]);
  for (const each of begins) expect(each.toSorted()).toEqual(["target-0", "target-1", "target-2"]);
});

test("the least busy target comes first, and an ended try makes it less busy", () => {
  const strategy = leastBusy.compile({}, buildTools());
  strategy.tried?.(first);
  strategy.tried?.(first);
  strategy.tried?.(second);
  expect(order(strategy, three)).toEqual(["target-2", "target-1", "target-0"]);
  strategy.ended?.(first, { tookMs: 1, health: "good" });
  strategy.ended?.(first, { tookMs: 1, health: "bad" });
  expect(order(strategy, three)).toEqual(["target-0", "target-2", "target-1"]);
});

describe("the least latency", () => {
  function scene() {
    const tools = buildTools();
    const strategy = leastLatency.compile({ halfLifeMs: 1_000, failureMs: 5_000 }, tools);
    const answer = (target: CompiledTarget, tookMs: number, health: "good" | "bad" | "unknown" = "good") => {
      strategy.tried?.(target);
      strategy.ended?.(target, { tookMs, health });
    };
    return { tools, strategy, answer, pair: [first, second] };
  }

  test("goes first, and the slower one is still there for a failure", () => {
    const { strategy, answer, pair } = scene();
    answer(first, 300);
    answer(second, 20);
    for (let times = 0; times < 5; times += 1) expect(order(strategy, pair)).toEqual(["target-1", "target-0"]);
  });

  test("is that of the target that nobody knows yet", () => {
    const { strategy, answer, pair } = scene();
    answer(first, 1);
    expect(order(strategy, pair)[0]).toBe("target-1");
  });

  test("counts a failure as slow, however soon it came, and a client that left not at all", () => {
    const { strategy, answer, pair } = scene();
    answer(first, 1, "bad");
    answer(second, 2_000);
    expect(order(strategy, pair)[0]).toBe("target-1");
    answer(second, 100_000, "unknown");
    expect(order(strategy, pair)[0]).toBe("target-1");
  });

  test("forgets a slow answer as time goes by", () => {
    const { tools, strategy, answer, pair } = scene();
    answer(first, 1_000);
    answer(second, 400);
    tools.clock.advance(5_000);
    answer(second, 400);
    expect(order(strategy, pair)[0]).toBe("target-0");
  });

  test("looks at how many wait there already", () => {
    const { strategy, answer, pair } = scene();
    answer(first, 100);
    answer(second, 150);
    strategy.tried?.(first);
    expect(order(strategy, pair)[0]).toBe("target-1");
  });

  test("is looked for among two at a time, and every target is in the order", () => {
    const { strategy } = scene();
    const begins = Array.from({ length: 50 }, () => order(strategy, three));
    expect(new Set(begins.map(([begin]) => begin)).size).toBe(3);
    for (const each of begins) expect(each.toSorted()).toEqual(["target-0", "target-1", "target-2"]);
  });
});

function chosenFor(strategy: Strategy, targets: readonly CompiledTarget[], key: string, said = "hi", headers = {}) {
  const principal: Principal = { ...keyHolder, keyId: key as NonNullable<Principal["keyId"]> }; // an id of the test's own
  const operation = buildOperation({
    body: requestBody(["messages[0].content", said], ["messages[2].content", "more"]),
  });
  const chosen = strategy.choose(targets, buildExchange({ principal, inbound: { headers } }), operation);
  if (chosen instanceof Promise) throw new Error("it answers at once");
  return chosen.map(({ id }) => id);
}

describe("sticky", () => {
  test("keeps a conversation at its target, whatever comes behind its beginning", () => {
    const strategy = sticky.compile(sticky.config.parse({}), buildTools());
    const many = targetsOf([1, 1, 1, 1, 1]);
    for (const said of ["a", "b", "c", "d"]) {
      expect(chosenFor(strategy, many, "key_1", said)).toEqual(chosenFor(strategy, many, "key_1", said));
    }
    const begins = new Set(Array.from({ length: 40 }, (_, at) => chosenFor(strategy, many, "key_1", `${at}`)[0]));
    expect(begins.size).toBe(5);
  });

  test("goes by a header, and by the caller where that is missing", () => {
    const strategy = sticky.compile(sticky.config.parse({ by: "header", header: "X-Session" }), buildTools());
    const many = targetsOf([1, 1, 1, 1, 1]);
    const of = (session?: string, said = "a") =>
      chosenFor(strategy, many, "key_1", said, session === undefined ? {} : { "x-session": session })[0];
    expect(of("s1", "a")).toBe(of("s1", "b"));
    expect(new Set(Array.from({ length: 40 }, (_, at) => of(`s${at}`))).size).toBe(5);
    expect(of(undefined, "a")).toBe(of(undefined, "b"));
  });

  test("moves only what stood at a target that goes away", () => {
    const strategy = sticky.compile(sticky.config.parse({ by: "caller" }), buildTools());
    fc.assert(
      fc.property(fc.string(), fc.nat(4), (key, gone) => {
        const many = targetsOf([1, 1, 1, 1, 1]);
        const before = chosenFor(strategy, many, key)[0];
        const left = many.filter((_, at) => at !== gone);
        const after = chosenFor(strategy, left, key)[0];
        if (before !== `target-${gone}`) expect(after).toBe(before);
      }),
    );
  });

  test("shares out by weight, and leaves a reserve of weight 0 for last", () => {
    const strategy = sticky.compile(sticky.config.parse({ by: "caller" }), buildTools());
    const weighted = [targetCalled("big", 3), targetCalled("small", 1), targetCalled("spare", 0)];
    const orders = Array.from({ length: 2_000 }, (_, at) => chosenFor(strategy, weighted, `key_${at}`));
    const share = orders.filter(([begin]) => begin === "big").length / orders.length;
    expect(Math.abs(share - 0.75)).toBeLessThan(0.05);
    expect(orders.every((each) => each.at(-1) === "spare")).toBe(true);
  });
});

describe("the least cost", () => {
  const rates = (input: number, output: number) => ({ input, cachedInput: input, output, reasoning: output });
  const priced = (id: string, input: number, output: number) => ({
    ...targetCalled(id),
    priceOf: () => rates(input * 1e9, output * 1e9),
  });
  const adapter = (textBytes: number, outputCap: number | undefined) => ({
    ...textAdapter,
    tokenDemand: () => ({ textBytes, mediaTokens: 0, outputCap }),
  });
  const targets = [targetCalled("unknown"), priced("wordy", 1, 20), priced("bookish", 4, 4)];

  test.each([
    { name: "a long prompt with a short answer", textBytes: 400_000, outputCap: 10, best: "wordy" },
    { name: "a short prompt with a long answer", textBytes: 40, outputCap: undefined, best: "bookish" },
  ])("goes first for $name; without a price a target is last", ({ textBytes, outputCap, best }) => {
    const strategy = leastCost.compile(leastCost.config.parse({}), buildTools());
    const chosen = strategy.choose(
      targets,
      buildExchange({ adapter: adapter(textBytes, outputCap) }),
      buildOperation(),
    );
    if (chosen instanceof Promise) throw new Error("it answers at once");
    expect([chosen[0]?.id, chosen.at(-1)?.id]).toEqual([best, "unknown"]);
  });

  test("is nobody's where no tokens are paid: the list's order stands", () => {
    const strategy = leastCost.compile(leastCost.config.parse({}), buildTools());
    expect(order(strategy, [third, first])).toEqual(["target-2", "target-0"]);
  });
});
