import type { ChoiceOutcome } from "./judge-router.ts";
import type { OutcomeTable } from "./outcome-table.ts";
import { cheapestWithin, forecastOf, slackFor } from "./quality-map.ts";
import { trainQualityMap } from "./train-quality-map.ts";

/** A prompt that a router was not trained on. */
export interface HeldOutPrompt extends Omit<ChoiceOutcome, "chosen"> {
  /** By model. */
  readonly expected: Float64Array;
  /** What the router would choose for a wanted quality, as the strategy takes it. */
  choose(quality: number): number;
}

/**
 * Trains on all folds but one and routes that one, in turn. A prompt's fold is its place's remainder in a shuffled order
 * that is always the same. Prompts without a vector go to the model that was best in training.
 */
export function crossValidate(
  table: OutcomeTable,
  vectors: readonly (Float32Array | undefined)[],
  { modelId, folds }: { readonly modelId: string; readonly folds: number },
): readonly HeldOutPrompt[] {
  const foldOf = shuffledFolds(table.prompts.length, folds);
  return Array.from({ length: folds }, (_, fold) => {
    const places = [...table.prompts.keys()];
    const training = places.filter((place) => foldOf[place] !== fold);
    const map = trainQualityMap(
      pick(table, training),
      training.map((place) => vectors[place]),
      modelId,
    );
    const forecast = forecastOf(map);
    const costs = map.models.map(({ cost }) => cost);
    const overall = Float64Array.from(map.models, ({ score }) => score);
    return places
      .filter((place) => foldOf[place] === fold)
      .map((place): HeldOutPrompt => {
        const vector = vectors[place];
        const expected = vector === undefined ? overall : forecast.expect(vector);
        const choose = (quality: number): number =>
          cheapestWithin(expected, costs, vector === undefined ? 0 : slackFor(map, quality));
        return { expected, choose, scores: table.scores[place] ?? [], costs: table.costs[place] ?? [] };
      });
  }).flat();
}

function pick(table: OutcomeTable, places: readonly number[]): OutcomeTable {
  return {
    ...table,
    prompts: places.map((place) => table.prompts[place] ?? ""),
    scores: places.map((place) => table.scores[place] ?? []),
    costs: places.map((place) => table.costs[place] ?? []),
  };
}

function shuffledFolds(count: number, folds: number): readonly number[] {
  const order = Array.from({ length: count }, (_, place) => place);
  let state = 11;
  for (let place = count - 1; place > 0; place -= 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const other = state % (place + 1);
    [order[place], order[other]] = [order[other] ?? 0, order[place] ?? 0];
  }
  const foldOf = Array.from({ length: count }, () => 0);
  for (const [index, place] of order.entries()) foldOf[place] = index % folds;
  return foldOf;
}
