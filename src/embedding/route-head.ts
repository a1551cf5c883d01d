import { setImmediate } from "node:timers/promises";

/** An example of a route, by the route's number. */
export interface RouteExample {
  readonly route: number;
  readonly vector: Float32Array;
}

/** Tells routes apart by what their examples have in common and those of the others have not. */
export interface RouteHead {
  /** How probable each route is, by its number; they add up to 1. Says nothing of texts that mean none of them. */
  probabilities(vector: Float32Array): Float64Array;
}

const epochs = 60;
const firstStep = 0.5;
const decay = 0.999;
/** What moves the weights less is not worth the walk over them. */
const leastPush = 1e-3;
/** Multiplications between two turns of the event loop: some ten milliseconds. */
const turnWork = 4_000_000;

/**
 * Fits a softmax regression to the examples, the same for the same examples in the same order. Goes on between other
 * work: with 50 routes of ten examples it takes about a second of processor time in all.
 */
export async function fitRouteHead(
  examples: readonly RouteExample[],
  routes: number,
  signal?: AbortSignal,
): Promise<RouteHead> {
  const width = examples[0]?.vector.length ?? 0;
  const weights = new Float64Array(routes * width);
  const order = examples.map((_, index) => index);
  let done = 0;
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    const step = firstStep / (1 + epoch / 10);
    shuffle(order, epoch + 1);
    for (const index of order) {
      const example = examples[index];
      if (example === undefined) continue;
      learn(weights, example, routes, step);
      done += 2 * routes * width;
      if (done < turnWork) continue;
      done = 0;
      await setImmediate();
      signal?.throwIfAborted();
    }
    for (let at = 0; at < weights.length; at += 1) weights[at] = (weights[at] ?? 0) * decay;
  }
  const fitted = Float32Array.from(weights);
  return { probabilities: (vector) => softmax(fitted, vector, routes) };
}

function learn(weights: Float64Array, { route, vector }: RouteExample, routes: number, step: number): void {
  const width = vector.length;
  const found = softmax(weights, vector, routes);
  for (let each = 0; each < routes; each += 1) {
    const push = (found[each] ?? 0) - (each === route ? 1 : 0);
    if (Math.abs(push) < leastPush) continue;
    const offset = each * width;
    for (let at = 0; at < width; at += 1) {
      weights[offset + at] = (weights[offset + at] ?? 0) - step * push * (vector[at] ?? 0);
    }
  }
}

function softmax(weights: Float32Array | Float64Array, vector: Float32Array, routes: number): Float64Array {
  const width = vector.length;
  const scores = new Float64Array(routes);
  let highest = Number.NEGATIVE_INFINITY;
  for (let each = 0; each < routes; each += 1) {
    const offset = each * width;
    let sum = 0;
    for (let at = 0; at < width; at += 1) sum += (weights[offset + at] ?? 0) * (vector[at] ?? 0);
    scores[each] = sum;
    highest = Math.max(highest, sum);
  }
  let total = 0;
  for (let each = 0; each < routes; each += 1) {
    const share = Math.exp((scores[each] ?? 0) - highest);
    scores[each] = share;
    total += share;
  }
  for (let each = 0; each < routes; each += 1) scores[each] = (scores[each] ?? 0) / total;
  return scores;
}

/** Fisher and Yates with a small generator of its own: the same order for the same seed. */
function shuffle(order: number[], seed: number): void {
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  for (let last = order.length - 1; last > 0; last -= 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const other = (state >>> 0) % (last + 1);
    const held = order[last] ?? 0;
    order[last] = order[other] ?? 0;
    order[other] = held;
  }
}
