import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../scripts/eval/random.ts";
import type { LabelledScore } from "../../src/embedding/calibration.ts";
import { calibrationSchema, fitCalibration, probabilityOf, scoreAt } from "../../src/embedding/calibration.ts";

describe.each([
  { type: "platt", count: 900 },
  { type: "isotonic", count: 20_000 },
])("$type", ({ type, count }) => {
  const pairs = drawn(count);
  const fitted = fitCalibration(pairs);

  test("is what this many pairs are fitted with", () => {
    expect(fitted.type).toBe(type);
  });

  test("finds the curve that the pairs were drawn from", () => {
    for (const score of [0.2, 0.4, 0.5, 0.6, 0.8]) {
      expect(Math.abs(probabilityOf(fitted, score) - truth(score))).toBeLessThan(0.08);
    }
  });

  test("survives being written down", () => {
    const again = calibrationSchema.parse(JSON.parse(JSON.stringify(fitted)));
    expect(probabilityOf(again, 0.37)).toBe(probabilityOf(fitted, 0.37));
  });

  test("tells the least score that a probability takes", () => {
    const score = scoreAt(fitted, 0.8) ?? Number.NaN;
    expect(probabilityOf(fitted, score)).toBeGreaterThanOrEqual(0.8);
    expect(probabilityOf(fitted, score - 0.001)).toBeLessThan(0.8);
    expect(scoreAt(fitted, 1.1)).toBeUndefined();
  });
});

test("more score never means less probability, and every probability is one", () => {
  const pair = fc.record({ score: fc.double({ min: -1, max: 1, noNaN: true }), isMatch: fc.boolean() });
  const pairs = fc.oneof(
    fc.array(pair, { minLength: 20, maxLength: 60 }),
    fc.array(pair, { minLength: 1000, maxLength: 1040 }),
  );
  fc.assert(
    fc.property(pairs, (drawnPairs) => {
      const matches = drawnPairs.filter(({ isMatch }) => isMatch).length;
      fc.pre(matches >= 10 && drawnPairs.length - matches >= 10);
      const fitted = calibrationSchema.parse(fitCalibration(drawnPairs));
      let last = 0;
      for (let score = -1.5; score <= 1.5; score += 0.05) {
        const probability = probabilityOf(fitted, score);
        expect(probability).toBeGreaterThanOrEqual(last);
        expect(probability).toBeLessThanOrEqual(1);
        last = probability;
      }
    }),
    { numRuns: 50 },
  );
});

test("scores that fall apart cleanly have a curve too", () => {
  const pairs = Array.from({ length: 40 }, (_, at) => ({ score: at / 40, isMatch: at >= 20 }));
  const fitted = fitCalibration(pairs);
  expect(probabilityOf(fitted, 0.1)).toBeLessThan(0.15);
  expect(probabilityOf(fitted, 0.9)).toBeGreaterThan(0.85);
});

test("scores that tell the opposite give the share of matches", () => {
  const pairs = Array.from({ length: 40 }, (_, at) => ({ score: at / 40, isMatch: at < 20 }));
  expect(probabilityOf(fitCalibration(pairs), 0.9)).toBeCloseTo(0.5, 6);
});

test.each([
  { name: "too few matches", pairs: Array.from({ length: 40 }, (_, at) => ({ score: 0.5, isMatch: at < 9 })) },
  { name: "nothing but matches", pairs: Array.from({ length: 40 }, () => ({ score: 0.5, isMatch: true })) },
  {
    name: "a score that is no number",
    pairs: Array.from({ length: 40 }, (_, at) => ({ score: Number.NaN, isMatch: at < 20 })),
  },
])("$name cannot be fitted", ({ pairs }) => {
  expect(() => fitCalibration(pairs)).toThrow(expect.objectContaining({ code: "request.invalid" }));
});

function truth(score: number): number {
  return 1 / (1 + Math.exp(-(10 * score - 5)));
}

function drawn(count: number): LabelledScore[] {
  const random = seededRandom(3);
  return Array.from({ length: count }, () => {
    const score = random();
    return { score, isMatch: random() < truth(score) };
  });
}
