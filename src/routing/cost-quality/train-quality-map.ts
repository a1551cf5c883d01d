import { clusterVectors } from "../../embedding/cluster-vectors.ts";
import { GatewayError } from "../../kernel/errors.ts";
import type { OutcomeTable } from "./outcome-table.ts";
import type { QualityMap } from "./quality-map.ts";
import { cheapestWithin, createForecast, packCentres } from "./quality-map.ts";

const leastPrompts = 50;
const promptsOfKind = 20;
const mostKinds = 300;

/** Slacks of the curve: fine where they matter, and up to where nothing but the cost does. */
const slacks = [
  ...Array.from({ length: 60 }, (_, index) => rounded(index * 0.005)),
  ...Array.from({ length: 15 }, (_, index) => rounded(0.3 + index * 0.05)),
];

/** Prompts that the curve is made of, spread over all: their number's square root is what its error falls with. */
const mostJudged = 20_000;

/**
 * Learns from outcomes which kinds of prompts each model does well at, and what quality costs. Prompts without a vector are
 * left out. Throws `request.invalid` for fewer than 50 prompts or two models.
 * @param vectors of the prompts, in order, of length one
 */
export function trainQualityMap(
  table: OutcomeTable,
  vectors: readonly (Float32Array | undefined)[],
  modelId: string,
): QualityMap {
  const known = vectors.flatMap((vector, prompt) => (vector === undefined ? [] : [{ vector, prompt }]));
  if (known.length < leastPrompts || table.models.length < 2) {
    const found = `these are ${known.length} and ${table.models.length}`;
    const message = `Training takes ${leastPrompts} prompts that the embedder knows words of, and 2 models; ${found}.`;
    throw new GatewayError("request.invalid", message);
  }
  const scores = known.map(({ prompt }) => table.scores[prompt] ?? []);
  const costs = known.map(({ prompt }) => table.costs[prompt] ?? []);
  const points = known.map(({ vector }) => vector);
  const kindsWanted = Math.min(mostKinds, Math.max(1, Math.round(points.length / promptsOfKind)));
  const { centres, clusterOf } = clusterVectors(points, kindsWanted);
  const models = table.models.map((name, model) => ({
    name,
    score: meanOf(scores.map((row) => row[model] ?? 0)),
    cost: meanOf(costs.map((row) => row[model] ?? 0)),
  }));
  const kinds = centres.map((_, kind) => {
    const rows = scores.filter((__, place) => clusterOf[place] === kind);
    return { prompts: rows.length, scores: models.map((__, model) => meanOf(rows.map((row) => row[model] ?? 0))) };
  });
  const overall = models.map(({ score }) => score);
  const forecast = createForecast(centres, kinds, overall);
  const stride = Math.max(1, Math.ceil(points.length / mostJudged));
  const judged = points.flatMap((vector, place) => {
    if (place % stride !== 0) return [];
    const own = scores[place] ?? [];
    const expected = forecast.expect(vector, { kind: clusterOf[place] ?? 0, scores: own });
    return [{ expected, scores: own, costs: costs[place] ?? [] }];
  });
  return {
    version: 1,
    modelId,
    dimensions: points[0]?.length ?? 0,
    prompts: points.length,
    models,
    centres: packCentres(centres),
    kinds: kinds.map(({ prompts, scores: means }) => ({ prompts, scores: means.map(rounded) })),
    curve: curveOf(judged, models),
  };
}

interface Judged {
  readonly expected: Float64Array;
  readonly scores: readonly number[];
  readonly costs: readonly number[];
}

function curveOf(judged: readonly Judged[], models: QualityMap["models"]): QualityMap["curve"] {
  const means = models.map(({ cost }) => cost);
  const best = models.reduce((found, { score }, place) => (score > (models[found]?.score ?? 0) ? place : found), 0);
  const bestScore = meanOf(judged.map(({ scores }) => scores[best] ?? 0)) || 1;
  return slacks.map((slack) => {
    const chosen = judged.map(({ expected }) => cheapestWithin(expected, means, slack));
    const gains = judged.map(({ scores }, place) => (scores[chosen[place] ?? 0] ?? 0) - (scores[best] ?? 0));
    const gain = meanOf(gains);
    const error = Math.sqrt(Math.max(0, meanOf(gains.map((each) => each * each)) - gain * gain) / judged.length);
    return {
      slack,
      quality: rounded(1 + gain / bestScore),
      error: rounded(error / bestScore),
      cost: meanOf(judged.map(({ costs }, place) => costs[chosen[place] ?? 0] ?? 0)),
    };
  });
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** To four places. */
function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
