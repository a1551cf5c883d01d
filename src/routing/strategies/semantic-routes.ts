import type { VectorBlock } from "../../embedding/vector-block.ts";
import { createVectorBlock } from "../../embedding/vector-block.ts";
import type { TextEmbedder } from "../../pipeline/plugin.ts";

/** A route as it is configured. */
export interface RouteSpec {
  readonly name: string;
  readonly utterances: readonly string[];
  readonly negative: readonly string[];
  readonly threshold?: number | undefined;
}

interface CompiledRoute {
  readonly name: string;
  readonly threshold: number;
  /** Where its examples stand in the block: from the first on, utterances before what it is not. */
  readonly from: number;
  readonly negativeFrom: number;
  readonly to: number;
}

/** Tells how probable each route is, by its place. */
interface Head {
  probabilities(vector: Float32Array): Float64Array;
}

export interface CompiledRoutes {
  /** Whose vectors these are. */
  readonly modelId: string;
  readonly routes: readonly CompiledRoute[];
  /** All examples of all routes. */
  readonly block: VectorBlock;
  readonly head: Head;
}

type FitHead = (
  examples: readonly { readonly route: number; readonly vector: Float32Array }[],
  routes: number,
  signal?: AbortSignal,
) => Promise<Head>;

/** Embeds all examples in one go and fits the head. Rejects when the embedder does; then nothing is half made. */
export async function compileRoutes(
  specs: readonly RouteSpec[],
  embedder: TextEmbedder,
  fit: FitHead,
  signal: AbortSignal,
): Promise<CompiledRoutes> {
  const texts = specs.flatMap(({ utterances, negative }) => [...utterances, ...negative]);
  const vectors = await embedder.embed(texts, signal);
  const block = createVectorBlock();
  for (const [slot, vector] of vectors.entries()) block.set(slot, vector);
  let to = 0;
  const routes = specs.map(({ name, threshold = embedder.thresholds.route, utterances, negative }) => {
    const from = to;
    const negativeFrom = from + utterances.length;
    to = negativeFrom + negative.length;
    return { name, threshold, from, negativeFrom, to };
  });
  const examples = routes.flatMap(({ from, negativeFrom }, route) =>
    vectors.slice(from, negativeFrom).flatMap((vector) => (vector === undefined ? [] : [{ route, vector }])),
  );
  return { modelId: embedder.modelId, routes, block, head: await fit(examples, routes.length, signal) };
}

/** What a text's vector matches, and why. */
export interface ChosenRoute {
  readonly route: string | undefined;
  readonly reason: "matched" | "below-threshold" | "ambiguous";
  readonly scores: readonly { readonly route: string; readonly score: number }[];
}

const told = 3;

/**
 * The best route of those that pass their own threshold. A second one that is nearly as probable makes it ambiguous: then
 * none is chosen.
 * @param margin of probabilities between the best two
 */
export function chooseRoute(
  { routes, block, head }: CompiledRoutes,
  vector: Float32Array,
  margin: number,
): ChosenRoute {
  const all = new Float64Array(routes.at(-1)?.to ?? 0);
  block.score(vector, all.length, all);
  const likeness = routes.map(({ from, negativeFrom }) => highest(all, from, negativeFrom));
  const best = routes.map((_, index) => index).toSorted((a, b) => (likeness[b] ?? 0) - (likeness[a] ?? 0));
  const scores = best.slice(0, told).map((index) => ({
    route: routes[index]?.name ?? "",
    score: Math.round(Math.max(likeness[index] ?? 0, 0) * 10_000) / 10_000,
  }));
  const passing = best.filter((index) => {
    const route = routes[index];
    const score = likeness[index] ?? 0;
    return route !== undefined && score >= route.threshold && highest(all, route.negativeFrom, route.to) < score;
  });
  if (passing.length === 0) return { route: undefined, reason: "below-threshold", scores };
  const probable = passing.length === 1 ? new Float64Array(0) : head.probabilities(vector);
  const [first, second] = passing.toSorted((a, b) => (probable[b] ?? 0) - (probable[a] ?? 0));
  const gap = second === undefined ? 1 : (probable[first ?? 0] ?? 0) - (probable[second] ?? 0);
  if (gap < margin) return { route: undefined, reason: "ambiguous", scores };
  return { route: routes[first ?? 0]?.name, reason: "matched", scores };
}

/** The highest of a part of the scores; -1 where the part is empty. */
function highest(scores: Float64Array, from: number, to: number): number {
  let best = -1;
  for (let at = from; at < to; at += 1) best = Math.max(best, scores[at] ?? -1);
  return best;
}
