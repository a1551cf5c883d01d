import { percentile } from "../../bench/statistics.ts";
import type { CompiledEmbedder } from "../../src/embedding/define-embedder.ts";
import { fitRouteHead } from "../../src/embedding/route-head.ts";
import type { CompiledRoutes } from "../../src/routing/strategies/semantic-routes.ts";
import { chooseRoute, compileRoutes } from "../../src/routing/strategies/semantic-routes.ts";
import { seededRandom, shuffled } from "./random.ts";
import type { IntentSet } from "./read-sets.ts";

/** How well routes are told apart, in per cent, and how fast. */
export interface RouteFigures {
  /** The mean of the draws, where everything has to go to some route. */
  readonly accuracy: number;
  /** Embedding and deciding, with 50 routes of ten utterances. */
  readonly decisionMs: number;
  readonly lines: readonly string[];
}

const thresholds = [0.3, 0.4, 0.5, 0.6, 0.7];

/** Ten utterances a route by each seed; all of `val` and the strangers are routed by what the gateway does. */
export async function measureRoutes(
  set: IntentSet,
  embedder: CompiledEmbedder,
  seeds: readonly number[],
): Promise<RouteFigures> {
  const lines = [
    "",
    `routes told apart, ten utterances each${"".padEnd(8)}accuracy   ${thresholds.map((at) => `from ${at}`.padStart(14)).join("")}`,
  ];
  const accuracies: number[] = [];
  const confused = new Map<string, number>();
  for (const seed of seeds) {
    const routes = await drawn(set, embedder, seed);
    let right = 0;
    for (const [text, intent] of set.val) {
      const found = await routeOf(text, open(routes), embedder);
      if (found === intent) right += 1;
      else confused.set(`${intent} taken for ${found}`, (confused.get(`${intent} taken for ${found}`) ?? 0) + 1);
    }
    const accuracy = (100 * right) / set.val.length;
    accuracies.push(accuracy);
    const curve = await Promise.all(thresholds.map((threshold) => at(threshold, routes, set, embedder)));
    lines.push(`seed ${seed}${accuracy.toFixed(1).padStart(50)}   ${curve.map((each) => each.padStart(14)).join("")}`);
  }
  lines.push("           (right without being turned away / strangers turned away, by the likeness that is asked for)");
  const worst = [...confused].toSorted(([, a], [, b]) => b - a).slice(0, 8);
  lines.push(
    "",
    "most confused, over all draws",
    ...worst.map(([pair, times]) => `  ${String(times).padStart(4)}  ${pair}`),
  );
  const accuracy = accuracies.reduce((sum, each) => sum + each, 0) / accuracies.length;
  return { accuracy, decisionMs: await decisionMs(set, embedder), lines };
}

async function drawn(
  { train }: IntentSet,
  embedder: CompiledEmbedder,
  seed: number,
  most = Infinity,
): Promise<CompiledRoutes> {
  const random = seededRandom(seed);
  const specs = [...Map.groupBy(train, ([, name]) => name)].slice(0, most).map(([name, utterances]) => ({
    name,
    utterances: shuffled(utterances, random)
      .slice(0, 10)
      .map(([text]) => text),
    negative: [],
  }));
  return compileRoutes(specs, embedder, fitRouteHead, new AbortController().signal);
}

/** The same routes, each taking everything: only which one is best is asked. */
function open(routes: CompiledRoutes, threshold = -1): CompiledRoutes {
  return { ...routes, routes: routes.routes.map((route) => ({ ...route, threshold })) };
}

async function routeOf(text: string, routes: CompiledRoutes, embedder: CompiledEmbedder): Promise<string | undefined> {
  const [vector] = await embedder.embed([text]);
  return vector === undefined ? undefined : chooseRoute(routes, vector, 0).route;
}

async function at(
  threshold: number,
  routes: CompiledRoutes,
  set: IntentSet,
  embedder: CompiledEmbedder,
): Promise<string> {
  const strict = open(routes, threshold);
  let [right, rejected] = [0, 0];
  for (const [text, intent] of set.val) if ((await routeOf(text, strict, embedder)) === intent) right += 1;
  for (const [text] of set.oos_val) if ((await routeOf(text, strict, embedder)) === undefined) rejected += 1;
  const share = (count: number, of: number): string => ((100 * count) / of).toFixed(0);
  return `${share(right, set.val.length)} / ${share(rejected, set.oos_val.length)}`;
}

async function decisionMs(set: IntentSet, embedder: CompiledEmbedder): Promise<number> {
  const routes = await drawn(set, embedder, 1, 50);
  const taken: number[] = [];
  for (let index = -500; index < 5_000; index += 1) {
    const [text = ""] = set.val[Math.abs(index) % set.val.length] ?? [];
    const startedAt = performance.now();
    const vectors = embedder.embed([text]);
    if (vectors instanceof Promise) throw new Error("the built-in model answers at once");
    if (vectors[0] !== undefined) chooseRoute(routes, vectors[0], 0.05);
    if (index >= 0) taken.push(performance.now() - startedAt);
  }
  return percentile(taken, 0.5);
}
