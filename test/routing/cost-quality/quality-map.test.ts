import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crossValidate } from "../../../src/routing/cost-quality/cross-validate.ts";
import { judgeChoices, judgePair } from "../../../src/routing/cost-quality/judge-router.ts";
import { readOutcomes } from "../../../src/routing/cost-quality/outcome-table.ts";
import {
  cheapestWithin,
  forecastOf,
  qualityMapSchema,
  slackFor,
} from "../../../src/routing/cost-quality/quality-map.ts";
import { trainQualityMap } from "../../../src/routing/cost-quality/train-quality-map.ts";
import { builtIn } from "../../kit/built-in-embedder.ts";
import { asCsv, twoKinds } from "./outcomes.ts";

const table = twoKinds();
const vectors = await builtIn.embed(table.prompts);
const map = trainQualityMap(table, vectors, builtIn.modelId);

describe("what training leaves", () => {
  test("is JSON of its schema that forecasts as before it was written", async () => {
    const read = qualityMapSchema.parse(JSON.parse(JSON.stringify(map)));
    expect(read).toEqual(map);
    const [poem, code] = await builtIn.embed([
      "a limerick please, and a haiku about spring",
      "this function does not compile",
    ]);
    if (poem === undefined || code === undefined) return expect.unreachable();
    const forecast = forecastOf(read);
    const [large = 0, small = 0] = forecast.expect(poem);
    expect(large - small).toBeLessThan(0.1);
    const [strong = 0, weak = 0] = forecast.expect(code);
    expect(strong - weak).toBeGreaterThan(0.5);
  });

  test("knows what each quality costs: as good as the best for far less, and no cheaper than the cheapest", () => {
    const slack = slackFor(map, 0.99);
    const point = map.curve.find((each) => each.slack === slack);
    expect(point?.cost).toBeLessThan(7);
    expect(point?.cost).toBeGreaterThanOrEqual(1);
    expect(slackFor(map, 5)).toBe(0);
  });

  test("holds at prompts that it was not trained on", () => {
    const held = crossValidate(table, vectors, { modelId: builtIn.modelId, folds: 5 });
    expect(held).toHaveLength(100);
    const report = judgeChoices(
      held.map(({ scores, costs, choose }) => ({ scores, costs, chosen: choose(0.99) })),
      table.models,
    );
    expect(report.score / report.bestSingle.score).toBeGreaterThan(0.95);
    expect(report.cost).toBeLessThan(0.85 * report.bestSingle.cost);
    expect(report.oracle).toEqual({ score: expect.closeTo(0.9), cost: expect.closeTo(5.5) });
    expect(report.regret).toBeCloseTo(0.9 - report.score);
  });

  test("is refused where its parts do not fit together", () => {
    expect(() => forecastOf({ ...map, dimensions: 3 })).toThrow("do not fit together");
    expect(() => forecastOf({ ...map, models: map.models.slice(1) })).toThrow("do not fit together");
  });

  test("is not made of too few prompts, of one model, or of texts that mean nothing", () => {
    const few = { ...table, prompts: table.prompts.slice(0, 10) };
    expect(() => trainQualityMap(few, vectors.slice(0, 10), "m")).toThrow("these are 10 and 2");
    const nothing = vectors.map(() => undefined);
    expect(() => trainQualityMap(table, nothing, "m")).toThrow("these are 0 and 2");
  });
});

test("the cheapest that is good enough is never dearer than the best, nor worse than the slack allows", () => {
  const unit = fc.double({ min: 0, max: 1, noNaN: true });
  const models = fc.array(fc.tuple(unit, unit), { minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(models, unit, (all, slack) => {
      const expected = Float64Array.from(all, ([score]) => score);
      const costs = all.map(([, cost]) => cost);
      const chosen = cheapestWithin(expected, costs, slack);
      const best = Math.max(...expected);
      expect(expected[chosen]).toBeGreaterThanOrEqual(best - slack);
      expect(costs[chosen]).toBeLessThanOrEqual(costs[expected.indexOf(best)] ?? 0);
    }),
  );
  expect(cheapestWithin(Float64Array.of(1, 0.9), [2, 1], 0.2, () => false)).toBe(-1);
  expect(cheapestWithin(Float64Array.of(1, 0.9), [2, 1], 0.2, (place) => place === 0)).toBe(0);
});

describe("outcomes", () => {
  test("are read from CSV, quotes, line feeds and a byte order mark included", () => {
    expect(readOutcomes(asCsv(table))).toEqual(table);
    const read = readOutcomes('\uFEFFmodel,cost,score,prompt,note\r\nm,1,0.5,"a ""b""\nc",x\r\n\r\n');
    expect(read).toMatchObject({ prompts: ['a "b"\nc'], models: ["m"], scores: [[0.5]], costs: [[1]] });
  });

  test("of prompts that lack a model are left out and counted", () => {
    const read = readOutcomes("prompt,model,score,cost\na,m,1,1\na,n,1,1\nb,m,1,1\n");
    expect(read).toMatchObject({ prompts: ["a"], incomplete: 1 });
  });

  test.each([
    ["a score above 1", "prompt,model,score,cost\na,m,1,1\na,m,2,1\n", "Outcome 2"],
    ["no score", "prompt,model,score,cost\na,m,,1\n", "Outcome 1"],
    ["a cost below 0", "prompt,model,score,cost\na,m,1,-1\n", "Outcome 1"],
    ["no such column", "text,model,score,cost\na,m,1,1\n", "Outcome 1"],
    ["an open quote", 'prompt,model,score,cost\n"a,m,1,1\n', "no CSV"],
    ["a line of more cells", "prompt,model,score,cost\na,m,1,1,5\n", "no CSV"],
  ])("with %s are refused by the line", (_, csv, says) => {
    expect(() => readOutcomes(csv)).toThrow(says);
  });
});

describe("a weak and a strong model", () => {
  const outcomes = Array.from({ length: 10 }, (_, place) => ({ weak: 0, strong: Number(place < 5) }));

  test("who knows where the strong one helps needs it there only", () => {
    const known = outcomes.map((outcome) => ({ ...outcome, expectedGain: outcome.strong }));
    expect(judgePair(known)).toEqual({ apgr: expect.closeTo(0.75), cpt50: 0.3, cpt80: 0.4 });
  });

  test("who is always wrong about it needs it nearly everywhere", () => {
    const wrong = outcomes.map((outcome) => ({ ...outcome, expectedGain: -outcome.strong }));
    expect(judgePair(wrong)).toEqual({ apgr: expect.closeTo(0.25), cpt50: 0.8, cpt80: 0.9 });
  });

  test("without a gap there is nothing to recover", () => {
    expect(judgePair([{ weak: 1, strong: 1, expectedGain: 0 }]).apgr).toBeNaN();
  });
});
