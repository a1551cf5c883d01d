import type { CompiledEmbedder } from "../../src/embedding/define-embedder.ts";
import { createRouteIndex } from "../../src/embedding/route-index.ts";
import { seededRandom, shuffled } from "./random.ts";
import type { IntentSet } from "./read-sets.ts";

/** Routing by ten utterances a route, in per cent. */
export interface RoutingFigures {
  readonly accuracy: number;
  /** The least score at which four in five of what belongs to no route are turned away. */
  readonly threshold: number;
  /** Right and not turned away. */
  readonly rightAtThreshold: number;
}

/** Draws ten utterances a route by the seed and routes all of `val`. */
export async function measureRouting(
  { train, val, oos_val: strange }: IntentSet,
  embedder: CompiledEmbedder,
  seed: number,
): Promise<RoutingFigures> {
  const random = seededRandom(seed);
  const routes = createRouteIndex();
  for (const [intent, utterances] of Map.groupBy(train, ([, name]) => name)) {
    const drawn = shuffled(utterances, random).slice(0, 10);
    routes.set(intent, await embedder.embed(drawn.map(([text]) => text)));
  }
  const best = async (text: string) => routes.rank((await embedder.embed([text]))[0], { limit: 1 })[0];
  const strangers: number[] = [];
  for (const [text] of strange) strangers.push((await best(text))?.score ?? 0);
  const rejected = Math.ceil(0.8 * strangers.length);
  const highest = strangers.toSorted((left, right) => left - right)[rejected - 1] ?? 0;
  const threshold = highest + 1e-6;
  let [right, rightAbove] = [0, 0];
  for (const [text, intent] of val) {
    const found = await best(text);
    if (found?.id !== intent) continue;
    right += 1;
    if (found.score >= threshold) rightAbove += 1;
  }
  const share = 100 / val.length;
  return { accuracy: right * share, threshold, rightAtThreshold: rightAbove * share };
}
