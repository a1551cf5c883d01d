import type { AnswerKeys } from "./answer-keeping.ts";

type Alike = Pick<NonNullable<AnswerKeys["alike"]>, "vectors" | "stems">;

/**
 * How near two questions of one group are, from 0 to 1: as near as the pieces that are furthest apart. Undefined below
 * `least`, where they cannot be compared, and where words that both have come in another order and the embedder has not
 * seen that.
 */
export function answerNearness(asked: Alike, known: Alike, least: number): number | undefined {
  if (asked.vectors.length !== known.vectors.length) return undefined;
  let nearest = 1;
  for (let at = asked.vectors.length - 1; at >= 0; at -= 1) {
    const [left, right] = [asked.vectors[at], known.vectors[at]];
    if (left === undefined || right === undefined || left.length !== right.length) return undefined;
    nearest = Math.min(nearest, dot(left, right));
    if (!(nearest >= least)) return undefined; // also of what is no number
  }
  return haveOneOrder(asked.stems, known.stems) ? nearest : undefined;
}

function dot(left: Float32Array, right: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < left.length; at += 1) sum += (left[at] ?? 0) * (right[at] ?? 0);
  return sum;
}

function haveOneOrder(asked: readonly string[] = [], known: readonly string[] = []): boolean {
  const [inAsked, inKnown] = [new Set(asked), new Set(known)];
  const left = asked.filter((stem) => inKnown.has(stem));
  const right = known.filter((stem) => inAsked.has(stem));
  return left.length === right.length && left.every((stem, at) => stem === right[at]);
}
