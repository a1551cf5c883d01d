import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { weighted } from "../../../src/routing/strategies/weighted.ts";
import { buildTools } from "../../kit/exchange.ts";
import { order, targetsOf } from "../../kit/targets.ts";

const weights = fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 6 });

describe("the weighted strategy", () => {
  test("puts each target first exactly as often as its weight says", () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 5 }), (list, rounds) => {
        fc.pre(list.some((weight) => weight > 0));
        const targets = targetsOf(list);
        const strategy = weighted.compile({}, buildTools());
        const sum = list.reduce((total, weight) => total + weight, 0);
        const first = Array.from({ length: rounds * sum }, () => order(strategy, targets)[0]);
        for (const [index, weight] of list.entries()) {
          const expected = list.length === 1 ? rounds * sum : rounds * weight;
          expect(first.filter((id) => id === `target-${index}`)).toHaveLength(expected);
        }
      }),
    );
  });

  test("never answers a target that was not offered, and always all that were", () => {
    const offers = fc.array(fc.subarray([0, 1, 2, 3, 4, 5], { minLength: 1 }), { maxLength: 50 });
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 9 }), { minLength: 6, maxLength: 6 }), offers, (list, asked) => {
        const all = targetsOf(list);
        const strategy = weighted.compile({}, buildTools());
        for (const indexes of asked) {
          const offered = all.filter((_, index) => indexes.includes(index));
          expect(order(strategy, offered).toSorted()).toEqual(offered.map(({ id }) => id).toSorted());
        }
      }),
    );
  });

  test("mixes evenly and sends no bursts to the heaviest", () => {
    const strategy = weighted.compile({}, buildTools());
    const targets = targetsOf([5, 1, 1]);
    const first = Array.from({ length: 7 }, () => order(strategy, targets)[0]?.at(-1));
    expect(first.join("")).toBe("0010200");
  });

  test("lets the others follow by weight, and those of weight 0 at the end", () => {
    const strategy = weighted.compile({}, buildTools());
    expect(order(strategy, targetsOf([0, 1, 9, 3]))).toEqual(["target-2", "target-3", "target-1", "target-0"]);
  });

  test("keeps the order of the list when all are reserves", () => {
    expect(order(weighted.compile({}, buildTools()), targetsOf([0, 0]))).toEqual(["target-0", "target-1"]);
  });

  test("counts each upstream block for itself", () => {
    const targets = targetsOf([1, 1]);
    expect(order(weighted.compile({}, buildTools()), targets)[0]).toBe("target-0");
    expect(order(weighted.compile({}, buildTools()), targets)[0]).toBe("target-0");
  });
});
