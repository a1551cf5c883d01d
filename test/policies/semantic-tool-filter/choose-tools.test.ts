import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ChoiceRules } from "../../../src/policies/semantic-tool-filter/choose-tools.ts";
import { chooseTools, mostRanked } from "../../../src/policies/semantic-tool-filter/choose-tools.ts";

const rules: ChoiceRules = { selection: "rank", limit: 2, threshold: 0.5, minKeep: 0, withoutText: "keep" };
const ranked = [
  { id: "best", score: 0.9 },
  { id: "good", score: 0.6 },
  { id: "poor", score: 0.2 },
];
const candidates = ["poor", "none", "good", "best"].map((id) => ({ id, isNeeded: false }));

function chosen(given: Partial<ChoiceRules>, from = candidates, found = ranked): readonly string[] {
  const stays = chooseTools(from, found, { ...rules, ...given });
  return from.flatMap(({ id }, at) => (stays[at] ? [id] : []));
}

describe("a choice of tools", () => {
  test.each([
    { name: "by rank keeps the best so many, in the list's order", given: {}, kept: ["good", "best"] },
    { name: "by threshold keeps all that reach it", given: { selection: "threshold" }, kept: ["good", "best"] },
    {
      name: "by threshold keeps one that just reaches it",
      given: { selection: "threshold", threshold: 0.9 },
      kept: ["best"],
    },
    { name: "by both keeps no more than the limit", given: { selection: "rank+threshold", limit: 1 }, kept: ["best"] },
    {
      name: "by both keeps none below the threshold",
      given: { selection: "rank+threshold", limit: 4, threshold: 0.7 },
      kept: ["best"],
    },
    { name: "may keep none", given: { selection: "threshold", threshold: 1 }, kept: [] },
    {
      name: "keeps at least so many of the best",
      given: { selection: "threshold", threshold: 1, minKeep: 2 },
      kept: ["good", "best"],
    },
    {
      name: "fills up with what scores nothing",
      given: { selection: "threshold", minKeep: 4 },
      kept: ["poor", "none", "good", "best"],
    },
  ] as const)("$name", ({ given, kept }) => {
    expect(chosen(given)).toEqual(kept);
  });

  test("never removes what is needed, and counts it beside the limit", () => {
    const some = candidates.map((each) => ({ ...each, isNeeded: each.id === "none" }));
    expect(chosen({}, some)).toEqual(["none", "good", "best"]);
  });

  test("keeps or drops tools without text as it is told", () => {
    const some = [
      { id: undefined, isNeeded: false },
      { id: undefined, isNeeded: true },
    ];
    expect(chooseTools(some, [], rules)).toEqual([true, true]);
    expect(chooseTools(some, [], { ...rules, withoutText: "drop" })).toEqual([false, true]);
  });

  test("keeps tools of one name together", () => {
    expect(chosen({ limit: 1 }, [...candidates, { id: "best", isNeeded: false }])).toEqual(["best", "best"]);
  });

  test("never keeps fewer than it has to, nor loses what is needed, whatever the scores", () => {
    const tool = fc.record({ id: fc.constantFrom("a", "b", "c", "d"), isNeeded: fc.boolean() });
    const score = fc.record({
      id: fc.constantFrom("a", "b", "c", "d"),
      score: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    const given = fc.record({
      selection: fc.constantFrom("rank", "threshold", "rank+threshold" as const),
      limit: fc.integer({ min: 1, max: 5 }),
      minKeep: fc.integer({ min: 0, max: 5 }),
      threshold: fc.double({ min: 0, max: 1, noNaN: true }),
      withoutText: fc.constantFrom("keep", "drop" as const),
    });
    fc.assert(
      fc.property(
        fc.array(tool),
        fc.uniqueArray(score, { selector: ({ id }) => id }),
        given,
        (tools, scores, choice) => {
          const here = scores.filter(({ id }) => tools.some((each) => each.id === id));
          const stays = chooseTools(tools, here, choice);
          const names = new Set(tools.filter((_, at) => stays[at]).map(({ id }) => id));
          const all = new Set(tools.map(({ id }) => id));
          expect(stays).toHaveLength(tools.length);
          expect(tools.every(({ isNeeded }, at) => !isNeeded || stays[at] === true)).toBe(true);
          expect(names.size).toBeGreaterThanOrEqual(Math.min(choice.minKeep, all.size));
        },
      ),
    );
  });
});

test("as many are ranked as a choice has to know", () => {
  expect(mostRanked(rules, 200)).toBe(20);
  expect(mostRanked({ ...rules, limit: 50 }, 200)).toBe(50);
  expect(mostRanked({ ...rules, selection: "threshold" }, 200)).toBe(200);
  expect(mostRanked(rules, 3)).toBe(3);
});
