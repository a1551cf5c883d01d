import { createVectorBlock } from "./vector-block.ts";

/** Groups of vectors that point the same way. */
export interface VectorClusters {
  /** Of length one; as many as asked for, or as there are vectors. */
  readonly centres: readonly Float32Array[];
  /** The cluster of each vector, by its place. */
  readonly clusterOf: Int32Array;
}

const rounds = 12;

/**
 * Spherical k-means: each vector belongs to the centre nearest in direction, each centre is the mean direction of its
 * vectors. Twelve rounds from a draw of the vectors, always the same one, so that the same input gives the same clusters.
 * Time grows with vectors × clusters × dimensions.
 *
 * Dhillon and Modha, "Concept decompositions for large sparse text data using clustering" (2001).
 * @param vectors of length one and one dimension
 */
export function clusterVectors(vectors: readonly Float32Array[], clusters: number): VectorClusters {
  let centres: Float32Array[] = drawn(vectors, Math.min(clusters, vectors.length));
  const clusterOf = new Int32Array(vectors.length);
  const near = new Float64Array(centres.length);
  for (let round = 0; round < rounds; round += 1) {
    let moved = 0;
    const block = createVectorBlock();
    for (const [slot, centre] of centres.entries()) block.set(slot, centre);
    for (const [place, vector] of vectors.entries()) {
      block.score(vector, near.length, near);
      const nearest = highestOf(near);
      if (nearest !== clusterOf[place]) moved += 1;
      clusterOf[place] = nearest;
    }
    if (moved === 0 && round > 0) break;
    centres = meansOf(vectors, clusterOf, centres);
  }
  return { centres, clusterOf };
}

function highestOf(near: Float64Array): number {
  let best = 0;
  for (let place = 1; place < near.length; place += 1) if ((near[place] ?? 0) > (near[best] ?? 0)) best = place;
  return best;
}

/** A cluster that has lost all its vectors stays where it was. */
function meansOf(
  vectors: readonly Float32Array[],
  clusterOf: Int32Array,
  before: readonly Float32Array[],
): Float32Array[] {
  const sums = before.map((centre) => new Float32Array(centre.length));
  for (const [place, vector] of vectors.entries()) {
    const sum = sums[clusterOf[place] ?? 0];
    if (sum === undefined) continue;
    for (let at = 0; at < sum.length; at += 1) sum[at] = (sum[at] ?? 0) + (vector[at] ?? 0);
  }
  return sums.map((sum, cluster) => {
    const length = Math.sqrt(sum.reduce((square, value) => square + value * value, 0));
    return length === 0 ? (before[cluster] ?? sum) : sum.map((value) => value / length);
  });
}

/** Spread over all of them by a fixed generator (numbers of Numerical Recipes). */
function drawn<Value>(all: readonly Value[], count: number): Value[] {
  const rest = [...all];
  let state = 7;
  return Array.from({ length: count }, (_, place) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const other = place + (state % (rest.length - place));
    const value = rest[other] as Value; // within the list
    rest[other] = rest[place] as Value;
    return value;
  });
}
