import type { LabelledScore } from "./calibration.ts";
import { ownProfile } from "./use-profile.ts";
import type { UseRecord } from "./use-record.ts";
import { unpackVector } from "./use-record.ts";

/** Other entries that a use is scored against; spread evenly over all of them. */
const othersEach = 20;

/**
 * Pairs to calibrate with, out of what an index has learnt: each remembered use is scored against what the other uses
 * of its own entry say together (a match), and against at most 20 other entries (no match). Uses of another model and
 * entries used once give no match. The scores are cosines, as between two texts.
 */
export function scoreUses(records: readonly UseRecord[], modelId: string): readonly LabelledScore[] {
  const mine = records.filter((record) => record.modelId === modelId && record.vector !== undefined);
  const entries = [...Map.groupBy(mine, ({ entry }) => entry).values()];
  const centres = entries.map(centreOf);
  return entries.flatMap((uses, at) =>
    uses.flatMap((use): readonly LabelledScore[] => {
      const own = centreOf(uses.filter((other) => other !== use));
      const others = spread(centres, at);
      return [...scored(use, own, true), ...others.flatMap((centre) => scored(use, centre, false))];
    }),
  );
}

/** At most 20 of them, none of them the one at `except`; which ones depends on it, so that all get their turn. */
function spread<T>(all: readonly T[], except: number): readonly T[] {
  const count = Math.min(othersEach, all.length - 1);
  const stride = (all.length - 1) / Math.max(count, 1);
  return Array.from({ length: count }, (_, step) => all[(except + 1 + Math.floor(step * stride)) % all.length] as T); // within it
}

function centreOf(uses: readonly UseRecord[]): Float32Array | undefined {
  return ownProfile(
    uses.map((use) => ({ ...use, application: "" })),
    "",
  )?.vector;
}

function scored({ vector }: UseRecord, centre: Float32Array | undefined, isMatch: boolean): readonly LabelledScore[] {
  if (vector === undefined || centre === undefined) return [];
  const own = unpackVector(vector);
  if (own.length !== centre.length) return [];
  let [sum, square] = [0, 0];
  for (const [index, value] of own.entries()) {
    sum += value * (centre[index] ?? 0);
    square += value * value;
  }
  return square === 0 ? [] : [{ score: sum / Math.sqrt(square), isMatch }];
}
