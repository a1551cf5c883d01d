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
  readonly utterances: readonly Float32Array[];
  readonly negative: readonly Float32Array[];
}

/** Tells how probable each route is, by its place. */
interface Head {
  probabilities(vector: Float32Array): Float64Array;
}

export interface CompiledRoutes {
  /** Whose vectors these are. */
  readonly modelId: string;
  readonly routes: readonly CompiledRoute[];
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
  let at = 0;
  const take = (count: number): Float32Array[] => {
    const taken = vectors.slice(at, at + count).filter((vector) => vector !== undefined);
    at += count;
    return taken;
  };
  const routes = specs.map(({ name, threshold, utterances, negative }) => ({
    name,
    threshold: threshold ?? embedder.thresholds.route,
    utterances: take(utterances.length),
    negative: take(negative.length),
  }));
  const examples = routes.flatMap((each, route) => each.utterances.map((vector) => ({ route, vector })));
  return { modelId: embedder.modelId, routes, head: await fit(examples, routes.length, signal) };
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
export function chooseRoute({ routes, head }: CompiledRoutes, vector: Float32Array, margin: number): ChosenRoute {
  const likeness = routes.map(({ utterances }) => nearest(utterances, vector));
  const best = routes.map((_, index) => index).toSorted((a, b) => (likeness[b] ?? 0) - (likeness[a] ?? 0));
  const scores = best.slice(0, told).map((index) => ({
    route: routes[index]?.name ?? "",
    score: Math.round(Math.max(likeness[index] ?? 0, 0) * 10_000) / 10_000,
  }));
  const passing = best.filter((index) => {
    const route = routes[index];
    const score = likeness[index] ?? 0;
    return route !== undefined && score >= route.threshold && nearest(route.negative, vector) < score;
  });
  if (passing.length === 0) return { route: undefined, reason: "below-threshold", scores };
  const probable = passing.length === 1 ? new Float64Array(0) : head.probabilities(vector);
  const [first, second] = passing.toSorted((a, b) => (probable[b] ?? 0) - (probable[a] ?? 0));
  const gap = second === undefined ? 1 : (probable[first ?? 0] ?? 0) - (probable[second] ?? 0);
  if (gap < margin) return { route: undefined, reason: "ambiguous", scores };
  return { route: routes[first ?? 0]?.name, reason: "matched", scores };
}

/** The highest dot product; -1 where there is none. */
function nearest(vectors: readonly Float32Array[], vector: Float32Array): number {
  let highest = -1;
  for (const each of vectors) {
    let sum = 0;
    for (let at = 0; at < vector.length; at += 1) sum += (each[at] ?? 0) * (vector[at] ?? 0);
    if (sum > highest) highest = sum;
  }
  return highest;
}
