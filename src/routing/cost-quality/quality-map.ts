import { z } from "zod";
import { createVectorBlock } from "../../embedding/vector-block.ts";
import { GatewayError } from "../../kernel/errors.ts";

const share = z.number().min(0).max(1);

/** What training leaves: how good each model was at prompts of each kind, and what it cost. */
export const qualityMapSchema = z.strictObject({
  version: z.int().min(1).max(1).meta({ title: "Version", description: "Of this form." }),
  modelId: z.string().min(1).max(2_000).meta({ title: "Embedder", description: "Whose vectors it was made of." }),
  dimensions: z.int().min(1).max(8_192).meta({ title: "Dimensions", description: "Numbers of one vector." }),
  prompts: z.int().min(1).max(100_000_000).meta({ title: "Prompts", description: "It was made of so many." }),
  models: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(256).meta({ title: "Name", description: "Of the model." }),
        score: share.meta({ title: "Score", description: "Its mean over all prompts." }),
        cost: z.number().min(0).max(1e12).meta({ title: "Cost", description: "Its mean for one prompt." }),
      }),
    )
    .min(1)
    .max(100)
    .meta({ title: "Models", description: "Those that it knows." }),
  centres: z.string().max(4_000_000).meta({
    title: "Centres",
    description: "Base64: a byte for each number of each kind's middle.",
  }),
  kinds: z
    .array(
      z.strictObject({
        prompts: z.int().min(0).max(100_000_000).meta({ title: "Prompts", description: "Of this kind." }),
        scores: z.array(share).min(1).max(100).meta({ title: "Scores", description: "The mean of each model there." }),
      }),
    )
    .min(1)
    .max(1_000)
    .meta({ title: "Kinds", description: "Of prompts that are alike." }),
  curve: z
    .array(
      z.strictObject({
        slack: share.meta({ title: "Slack", description: "How much worse than the best a model may be expected." }),
        quality: z.number().min(0).max(1e6).meta({
          title: "Quality",
          description: "The score then reached, as a share of the best single model's.",
        }),
        error: z.number().min(0).max(1e6).meta({ title: "Error", description: "The standard error of the quality." }),
        cost: z.number().min(0).max(1e12).meta({ title: "Cost", description: "The mean for one prompt." }),
      }),
    )
    .min(1)
    .max(1_000)
    .meta({ title: "Curve", description: "What choosing costs and reaches, by prompts left out in turn." }),
});

export type QualityMap = z.output<typeof qualityMapSchema>;

/** Kinds nearest to a prompt that have a say, and how fast the say falls with distance. */
const nearest = 16;
const width = 0.1;

/** Prompts' worth of the overall mean that is mixed in: of a kind with few prompts little is known. */
const prior = 2;

/** Expects of each model how good its answer to a prompt will be. */
export interface QualityForecast {
  /**
   * By model, 0 to 1.
   * @param vector of length one
   * @param without a prompt of the training that is not to count: its kind, and its own scores
   */
  expect(vector: Float32Array, without?: { readonly kind: number; readonly scores: readonly number[] }): Float64Array;
}

/** A forecast over kinds of prompts. */
export function createForecast(
  centres: readonly Float32Array[],
  kinds: QualityMap["kinds"],
  overall: readonly number[],
): QualityForecast {
  const block = createVectorBlock();
  for (const [slot, centre] of centres.entries()) block.set(slot, centre);
  const near = new Float64Array(centres.length);
  return {
    expect(vector, without) {
      block.score(vector, near.length, near);
      const order = highestFirst(near, nearest);
      const highest = near[order[0] ?? 0] ?? 0;
      const sums = Float64Array.from(overall, (score) => prior * score);
      let weights = prior;
      for (const kind of order) {
        const known = kinds[kind];
        if (known === undefined) continue;
        const say = Math.exp(((near[kind] ?? 0) - highest) / width);
        const isOwn = without?.kind === kind;
        weights += say * (known.prompts - Number(isOwn));
        for (const [model, score] of known.scores.entries()) {
          const own = isOwn ? (without.scores[model] ?? 0) : 0;
          sums[model] = (sums[model] ?? 0) + say * (score * known.prompts - own);
        }
      }
      return sums.map((sum) => Math.min(1, Math.max(0, sum / weights)));
    },
  };
}

/** The places of the highest, at most so many, highest first. */
function highestFirst(values: Float64Array, most: number): readonly number[] {
  const found: number[] = [];
  for (let place = 0; place < values.length; place += 1) {
    const value = values[place] ?? 0;
    if (found.length === most && value <= (values[found[most - 1] ?? 0] ?? 0)) continue;
    let at = found.length === most ? most - 1 : found.length;
    for (; at > 0 && (values[found[at - 1] ?? 0] ?? 0) < value; at -= 1) found[at] = found[at - 1] ?? 0;
    found[at] = place;
  }
  return found;
}

/** The forecast of a map. Throws `resource.invalid` for a map whose parts do not fit together. */
export function forecastOf({ centres, dimensions, kinds, models }: QualityMap): QualityForecast {
  const bytes = Buffer.from(centres, "base64");
  const fits =
    bytes.length === kinds.length * dimensions && kinds.every(({ scores }) => scores.length === models.length);
  if (!fits) throw new GatewayError("resource.invalid", "The parts of the router do not fit together; train it again.");
  const vectors = kinds.map((_, kind) => unpack(bytes.subarray(kind * dimensions, (kind + 1) * dimensions)));
  return createForecast(
    vectors,
    kinds,
    models.map(({ score }) => score),
  );
}

/** A byte for each number of unit vectors, as text. */
export function packCentres(centres: readonly Float32Array[]): string {
  const bytes = centres.map((centre) => {
    const largest = centre.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
    return Buffer.from(Int8Array.from(centre, (value) => Math.round((value / largest) * 127)).buffer);
  });
  return Buffer.concat(bytes).toString("base64");
}

/** Of length one: the scale of the bytes is of no use. */
function unpack(bytes: Buffer): Float32Array {
  const vector = Float32Array.from(new Int8Array(bytes));
  const length = Math.sqrt(vector.reduce((square, value) => square + value * value, 0)) || 1;
  return vector.map((value) => value / length);
}

/**
 * The place of the cheapest that is expected at most `slack` worse than the best; of equal costs the better one. -1 where
 * there is none.
 * @param isOffered which places may be chosen
 */
export function cheapestWithin(
  expected: Float64Array,
  costs: readonly number[],
  slack: number,
  isOffered: (place: number) => boolean = () => true,
): number {
  const offered = [...expected.keys()].filter(isOffered);
  const best = Math.max(...offered.map((place) => expected[place] ?? 0));
  const enough = offered.filter((place) => (expected[place] ?? 0) >= best - slack);
  return enough.reduce((chosen, place) => {
    if (chosen < 0) return place;
    const [cost, least] = [costs[place] ?? 0, costs[chosen] ?? 0];
    const isBetter = cost === least && (expected[place] ?? 0) > (expected[chosen] ?? 0);
    return cost < least || isBetter ? place : chosen;
  }, -1);
}

/**
 * How much worse than the best a model may be expected so that the wanted quality is still reached, one standard error
 * counted against it; 0 where that is more than the map has seen.
 * @param wanted a share of the best single model's mean score; 1 is as good as that model
 */
export function slackFor({ curve }: Pick<QualityMap, "curve">, wanted: number): number {
  const reached = curve.filter(({ quality, error }) => quality - error >= wanted);
  return reached.reduce<{ slack: number; cost: number }>((least, point) => (point.cost < least.cost ? point : least), {
    slack: 0,
    cost: Number.POSITIVE_INFINITY,
  }).slack;
}
