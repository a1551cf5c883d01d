import { z } from "zod";
import { assertNever } from "../kernel/assert-never.ts";
import { GatewayError } from "../kernel/errors.ts";

/** A score and whether it was of a pair that belongs together. */
export interface LabelledScore {
  readonly score: number;
  readonly isMatch: boolean;
}

const finite = z.number();
const probability = z.number().min(0).max(1);

/** What turns a score into a probability. Fitted for one model and one index; it means nothing for another. */
export const calibrationSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("platt"), slope: finite.min(0), offset: finite }),
  z.strictObject({
    type: z.literal("isotonic"),
    /** Ascending scores, and the probability at each; straight lines between them. */
    points: z
      .array(z.strictObject({ score: finite, probability }))
      .min(1)
      .max(10_000),
  }),
]);

export type Calibration = z.output<typeof calibrationSchema>;

/** Fewest pairs of each kind that a fit is made of. */
const leastOfEach = 10;

/** Pairs from which on the shape of the curve is taken from them too. */
const enoughForShape = 1000;

/**
 * Fits score to probability: Platt's logistic curve, or isotonic steps from 1,000 pairs on. More score never means less
 * probability. Throws `request.invalid` for fewer than ten matches or ten others, or a score that is no number.
 */
export function fitCalibration(pairs: readonly LabelledScore[]): Calibration {
  const matches = pairs.filter(({ isMatch }) => isMatch).length;
  const others = pairs.length - matches;
  if (Math.min(matches, others) < leastOfEach) {
    const found = `these are ${matches} and ${others}`;
    throw new GatewayError("request.invalid", `A fit takes ${leastOfEach} pairs of each kind; ${found}.`);
  }
  if (!pairs.every(({ score }) => Number.isFinite(score))) {
    throw new GatewayError("request.invalid", "A score to be fitted is no number.");
  }
  return pairs.length < enoughForShape ? fitPlatt(pairs, matches, others) : fitIsotonic(pairs);
}

/** The probability, from 0 to 1, that a pair with this score belongs together. */
export function probabilityOf(calibration: Calibration, score: number): number {
  switch (calibration.type) {
    case "platt":
      return logistic(calibration.slope * score + calibration.offset);
    case "isotonic":
      return interpolate(calibration.points, score);
    default:
      return assertNever(calibration);
  }
}

/** The least score, to three places, that has at least this probability; undefined where no score from 0 to 1 has it. */
export function scoreAt(calibration: Calibration, wanted: number): number | undefined {
  for (let step = 0; step <= 1000; step += 1) {
    if (probabilityOf(calibration, step / 1000) >= wanted) return step / 1000;
  }
  return undefined;
}

/**
 * Newton's method on the likelihood, with Platt's softened targets: a set that falls apart cleanly has no finite
 * optimum otherwise. As in Lin, Lin and Weng, "A note on Platt's probabilistic outputs" (2007).
 */
function fitPlatt(pairs: readonly LabelledScore[], matches: number, others: number): Calibration {
  const high = (matches + 1) / (matches + 2);
  const low = 1 / (others + 2);
  const loss = (slope: number, offset: number): number =>
    pairs.reduce((sum, { score, isMatch }) => {
      const at = slope * score + offset;
      return sum + Math.max(at, 0) - (isMatch ? high : low) * at + Math.log1p(Math.exp(-Math.abs(at)));
    }, 0);
  let slope = 0;
  let offset = Math.log((matches + 1) / (others + 1));
  let best = loss(slope, offset);
  for (let round = 0; round < 100; round += 1) {
    const step = newtonStep(pairs, slope, offset, high, low);
    let size = 1;
    while (size > 1e-10 && loss(slope - size * step.slope, offset - size * step.offset) > best) size /= 2;
    slope -= size * step.slope;
    offset -= size * step.offset;
    const next = loss(slope, offset);
    if (size <= 1e-10 || best - next < 1e-10) break;
    best = next;
  }
  if (slope > 0) return { type: "platt", slope, offset };
  // Scores that fall where matches are: they say nothing, and the share of matches is all that is known.
  return { type: "platt", slope: 0, offset: Math.log((matches + 1) / (others + 1)) };
}

function newtonStep(pairs: readonly LabelledScore[], slope: number, offset: number, high: number, low: number) {
  let [gradientSlope, gradientOffset] = [0, 0];
  let [curveSlope, curveBoth, curveOffset] = [1e-12, 0, 1e-12]; // a little ridge keeps the matrix invertible
  for (const { score, isMatch } of pairs) {
    const estimate = logistic(slope * score + offset);
    const error = estimate - (isMatch ? high : low);
    const weight = estimate * (1 - estimate);
    gradientSlope += error * score;
    gradientOffset += error;
    curveSlope += weight * score * score;
    curveBoth += weight * score;
    curveOffset += weight;
  }
  const determinant = curveSlope * curveOffset - curveBoth * curveBoth || 1e-12;
  return {
    slope: (curveOffset * gradientSlope - curveBoth * gradientOffset) / determinant,
    offset: (curveSlope * gradientOffset - curveBoth * gradientSlope) / determinant,
  };
}

/** Pools neighbours that fall until none does. */
function fitIsotonic(pairs: readonly LabelledScore[]): Calibration {
  const pools: { scores: number; matches: number; size: number }[] = [];
  for (const { score, matches, size } of byScore(pairs)) {
    let pool = { scores: score * size, matches, size };
    let before = pools.at(-1);
    while (before !== undefined && before.matches / before.size >= pool.matches / pool.size) {
      pools.pop();
      pool = {
        scores: before.scores + pool.scores,
        matches: before.matches + pool.matches,
        size: before.size + pool.size,
      };
      before = pools.at(-1);
    }
    pools.push(pool);
  }
  return {
    type: "isotonic",
    points: pools.map(({ scores, matches, size }) => ({ score: scores / size, probability: matches / size })),
  };
}

function byScore(pairs: readonly LabelledScore[]): readonly { score: number; matches: number; size: number }[] {
  const groups = new Map<number, { score: number; matches: number; size: number }>();
  for (const { score: exact, isMatch } of pairs) {
    const score = Math.round(exact * 1000) / 1000; // at most as many points as there are thousandths
    const group = groups.get(score) ?? { score, matches: 0, size: 0 };
    groups.set(score, { score, matches: group.matches + Number(isMatch), size: group.size + 1 });
  }
  return [...groups.values()].toSorted((left, right) => left.score - right.score);
}

function interpolate(
  points: readonly { readonly score: number; readonly probability: number }[],
  score: number,
): number {
  const next = points.findIndex((point) => point.score >= score);
  const after = points[next] ?? points.at(-1);
  const before = next === -1 ? after : (points[next - 1] ?? after);
  if (before === undefined || after === undefined) return 0;
  const width = after.score - before.score;
  if (!(width > 0)) return after.probability;
  const share = (score - before.score) / width;
  return before.probability + share * (after.probability - before.probability);
}

function logistic(value: number): number {
  return 1 / (1 + Math.exp(-value));
}
