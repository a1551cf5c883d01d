import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { builtInModelFolder, staticEmbedder } from "../../src/embedding/static-embedder.ts";
import { loadStaticModel } from "../../src/embedding/static-model.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import type { Bar } from "./bar.ts";
import { barLine, isMissed } from "./bar.ts";
import { measureLearning } from "./measure-learning.ts";
import { measureRetrieval } from "./measure-retrieval.ts";
import { measureRouting } from "./measure-routing.ts";
import { measureSpeed } from "./measure-speed.ts";
import { readIntents, readToolSets } from "./read-sets.ts";

// How well and how fast the built-in model and the index find tools and routes. Ends with 1 naming each bar missed.

const { values } = parseArgs({
  options: { data: { type: "string" }, "no-speed": { type: "boolean", default: false } },
});
const folder = values.data ?? process.env["GATEHOUSE_EVAL_DATA"];
const isSample = folder === undefined;
const sets = readToolSets(folder ?? join(import.meta.dirname, "fixtures"));
const intents = readIntents(folder ?? join(import.meta.dirname, "fixtures"));
const unused = () => {
  throw new Error("the built-in model needs nothing from outside");
};
const embedder = staticEmbedder.compile(
  {},
  {
    clock: systemClock,
    log: { debug: unused, info: unused, warn: unused, error: unused },
    fetch: Object.assign(unused, { [Symbol.asyncDispose]: async () => {} }),
    secrets: { read: unused },
  },
);
const seeds = [1, 2, 3, 4, 5];
const bars: Bar[] = [];

console.log(`model ${embedder.modelId}`);
if (isSample) console.log("the committed sample; quality is judged on the whole sets only (--data folder)");
await retrieval();
await learning();
await routing();
if (!values["no-speed"]) bars.push(...(await measureSpeed(sets, embedder)));
console.log(
  `\nbars (load of the machine: ${loadavg()
    .map((load) => load.toFixed(1))
    .join(" ")})`,
);
for (const bar of bars) console.log(barLine(bar));
const missed = bars.filter(isMissed);
if (missed.length > 0) {
  console.error(`missed: ${missed.map(({ name }) => name).join("; ")}`);
  process.exitCode = 1;
}

async function retrieval(): Promise<void> {
  console.log("\nrecall@5 of tools in %                words  meaning     both   (chosen on  held back)   nDCG@10");
  const found = [];
  for (const set of sets) {
    const figures = await measureRetrieval(set, embedder);
    found.push(figures);
    const { words, meaning, both } = figures;
    const columns = [words.recallAt5, meaning.recallAt5, both.recallAt5, both.chosenOn, both.heldBack, both.ndcgAt10];
    const size = `${set.entries.length} tools, ${set.requests.length} requests`;
    console.log(
      `${set.name.padEnd(11)} ${size.padEnd(24)}${columns.map((value) => value.toFixed(1).padStart(9)).join("")}`,
    );
    console.log(`            the model was trained on ${set.trainedOn}`);
  }
  if (isSample) return;
  const macro = found.reduce((sum, { both }) => sum + both.recallAt5, 0) / found.length;
  bars.push({ name: "recall@5, mean of the sets", value: macro, unit: "%", least: 83 });
  for (const { name, words, both } of found) {
    bars.push({
      name: `recall@5 of ${name} against words alone`,
      value: both.recallAt5,
      unit: "%",
      least: words.recallAt5,
    });
  }
}

async function learning(): Promise<void> {
  const set = sets.find(({ name }) => name === "metatool");
  if (set === undefined) return;
  console.log("\nlearning, recall@5 in %   before     own  shared   of tools without a history: before   after");
  const { tokenizer } = loadStaticModel(builtInModelFolder);
  const gains: number[] = [];
  for (const seed of seeds) {
    const each = await measureLearning(set, { embedder, knowsWord: tokenizer.knows }, seed);
    gains.push(each.own - each.before);
    const [before, own, shared, strangersBefore, strangersAfter] = [
      each.before,
      each.own,
      each.shared,
      each.strangersBefore,
      each.strangersAfter,
    ].map((value) => value.toFixed(1).padStart(8));
    console.log(
      `seed ${seed}                ${before}${own}${shared}${strangersBefore?.padStart(36)}${strangersAfter}`,
    );
  }
  if (!isSample)
    bars.push({ name: "recall@5 gained by five requests per tool", value: mean(gains), unit: "points", least: 20 });
}

async function routing(): Promise<void> {
  if (intents === undefined) return;
  console.log("\nrouting, ten utterances a route   accuracy   threshold   right at it");
  const rows = [];
  for (const seed of seeds) {
    const figures = await measureRouting(intents, embedder, seed);
    rows.push(figures);
    const { accuracy, threshold, rightAtThreshold } = figures;
    console.log(
      `seed ${seed}${accuracy.toFixed(1).padStart(36)}${threshold.toFixed(3).padStart(12)}${rightAtThreshold.toFixed(1).padStart(14)}`,
    );
  }
  if (isSample) return;
  const accuracy = mean(rows.map((row) => row.accuracy));
  const kept = mean(rows.map((row) => row.rightAtThreshold));
  bars.push({ name: "routing accuracy, mean of five draws", value: accuracy, unit: "%", least: 79 });
  bars.push({ name: "routed right where 80 % of strangers are turned away", value: kept, unit: "%", least: 70 });
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
}
