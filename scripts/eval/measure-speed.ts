import { percentile } from "../../bench/statistics.ts";
import type { CompiledEmbedder } from "../../src/embedding/define-embedder.ts";
import type { HybridIndex } from "../../src/embedding/hybrid-index.ts";
import { createHybridIndex } from "../../src/embedding/hybrid-index.ts";
import { builtInModelFolder } from "../../src/embedding/static-embedder.ts";
import { loadStaticModel } from "../../src/embedding/static-model.ts";
import type { Bar } from "./bar.ts";
import type { ToolSet } from "./read-sets.ts";

const chooseBars = [
  { tools: 100, mostMs: 0.15 },
  { tools: 1_000, mostMs: 0.8 },
  { tools: 10_000, mostMs: 3 },
];

/** Times of embedding, and of embedding, scoring and choosing among ever more tools. */
export async function measureSpeed(sets: readonly ToolSet[], embedder: CompiledEmbedder): Promise<readonly Bar[]> {
  const texts = sets.flatMap(({ requests }) => requests.map(({ text }) => text));
  const tools = sets.flatMap(({ entries }) => entries);
  const load = medianMs(7, () => void loadStaticModel(builtInModelFolder));
  const embed = medianMs(20_000, (at) => void embedder.embed([texts[at % texts.length] ?? ""]));
  const bars: Bar[] = [
    { name: "loading the model, p50", value: load, unit: "ms", most: 100 },
    { name: "embedding one request, p50", value: embed * 1000, unit: "µs", most: 30 },
  ];
  for (const { tools: count, mostMs } of chooseBars) {
    const index = createHybridIndex({ embedder });
    const set = Array.from({ length: count }, (_, at) => ({ ...tools[at % tools.length], id: `tool_${at}` }));
    await index.update({ set: set.map(complete) });
    const value = medianMs(Math.min(5_000, 4_000_000 / count), (at) => rank(index, texts[at % texts.length] ?? ""));
    bars.push({ name: `embed, score and choose among ${count} tools, p50`, value, unit: "ms", most: mostMs });
  }
  return bars;
}

function complete(entry: Partial<ToolSet["entries"][number]> & { readonly id: string }): ToolSet["entries"][number] {
  return { meaning: "", stems: new Map(), ...entry };
}

/** The built-in model answers at once: a promise would not be measured here. */
function rank(index: HybridIndex, text: string): void {
  if (index.rank(text, { limit: 5 }) instanceof Promise) throw new Error("the index answered with a promise");
}

/** The first tenth, in which code is still being compiled, does not count. */
function medianMs(times: number, call: (at: number) => void): number {
  const taken: number[] = [];
  for (let at = -Math.ceil(times / 10); at < times; at += 1) {
    const before = performance.now();
    call(Math.abs(at));
    if (at >= 0) taken.push(performance.now() - before);
  }
  return percentile(taken, 0.5);
}
