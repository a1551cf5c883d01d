import type { Choice, Ranked } from "./choose-best.ts";
import { chooseBest } from "./choose-best.ts";
import { createVectorBlock } from "./vector-block.ts";

/** Routes by example: each is known by what people say who mean it. */
export interface RouteIndex {
  readonly size: number;
  /** Adds or replaces a route. Examples without a vector are left out; a route of none is never answered. */
  set(route: string, examples: readonly (Float32Array | undefined)[]): void;
  /** False when there was none. */
  delete(route: string): boolean;
  /**
   * The best routes, best first: half the nearest example, half the middle of all examples. One alone follows an odd
   * example too far, the other blurs a route that is asked for in several ways.
   */
  rank(vector: Float32Array | undefined, choice: Choice): readonly Ranked[];
}

/** An empty index. All vectors are of one model. */
export function createRouteIndex(): RouteIndex {
  const examples = createVectorBlock();
  const middles = createVectorBlock();
  const routes = new Map<string, { readonly slot: number; readonly examples: readonly number[] }>();
  const ids: (string | undefined)[] = [];
  const freeRoutes: number[] = [];
  const freeExamples: number[] = [];
  let exampleCount = 0;
  const clear = (route: string): boolean => {
    const held = routes.get(route);
    if (held === undefined) return false;
    for (const slot of held.examples) examples.set(slot, undefined);
    freeExamples.push(...held.examples);
    middles.set(held.slot, undefined);
    freeRoutes.push(held.slot);
    ids[held.slot] = undefined;
    return routes.delete(route);
  };
  return {
    get size() {
      return routes.size;
    },
    set(route, vectors) {
      clear(route);
      const known = vectors.filter((vector) => vector !== undefined);
      const slot = freeRoutes.pop() ?? ids.length;
      ids[slot] = route;
      middles.set(slot, middleOf(known));
      const held = known.map((vector) => {
        const place = freeExamples.pop() ?? exampleCount++;
        examples.set(place, vector);
        return place;
      });
      routes.set(route, { slot, examples: held });
    },
    delete: clear,
    rank(vector, choice) {
      if (vector === undefined) return [];
      const scores = new Float64Array(ids.length);
      const cosines = new Float64Array(exampleCount);
      middles.score(vector, ids.length, scores);
      examples.score(vector, exampleCount, cosines);
      for (const { slot, examples: held } of routes.values()) {
        let nearest = held.length === 0 ? 0 : -1;
        for (const place of held) nearest = Math.max(nearest, cosines[place] ?? 0);
        scores[slot] = Math.max(0, 0.5 * nearest + 0.5 * (scores[slot] ?? 0));
      }
      return chooseBest(ids, scores, choice);
    },
  };
}

/** Of length one. */
function middleOf(vectors: readonly Float32Array[]): Float32Array | undefined {
  const sum = new Float64Array(vectors[0]?.length ?? 0);
  for (const vector of vectors) for (const [at, value] of vector.entries()) sum[at] = (sum[at] ?? 0) + value;
  const length = Math.hypot(...sum);
  return length > 0 ? Float32Array.from(sum, (value) => value / length) : undefined;
}
