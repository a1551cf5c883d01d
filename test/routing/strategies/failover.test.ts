import { expect, test } from "vitest";
import { failover } from "../../../src/routing/strategies/failover.ts";
import { buildTools } from "../../kit/exchange.ts";
import { order, targetsOf } from "../../kit/targets.ts";

test("the failover strategy keeps the order of the list, whatever the weights", () => {
  const strategy = failover.compile({}, buildTools());
  for (let times = 0; times < 3; times += 1) {
    expect(order(strategy, targetsOf([1, 9, 0]))).toEqual(["target-0", "target-1", "target-2"]);
  }
});
