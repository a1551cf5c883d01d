import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { staticEmbedder } from "../../src/embedding/static-embedder.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import type { Bar } from "./bar.ts";
import { barLine, isMissed } from "./bar.ts";
import { measureCostQuality, measurePair } from "./measure-cost-quality.ts";
import { measureRoutes } from "./measure-routes.ts";
import { readNineModels, readTwoModels } from "./read-outcomes.ts";
import { readIntents } from "./read-sets.ts";

// How well semantic routing tells routes apart with the built-in model, and how fast. Ends with 1 naming each bar missed.

const { values } = parseArgs({ options: { data: { type: "string" } } });
const folder = values.data ?? process.env["GATEHOUSE_EVAL_DATA"];
const isSample = folder === undefined;
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

console.log(`model ${embedder.modelId}`);
if (isSample) console.log("the committed sample; quality is judged on the whole set only (--data folder)");
const bars: Bar[] = [];
if (intents === undefined) {
  console.log("no intents there");
} else {
  const found = await measureRoutes(intents, embedder, [1, 2, 3, 4, 5]);
  for (const line of found.lines) console.log(line);
  bars.push(
    ...(isSample
      ? []
      : [{ name: "routes told apart, mean of five draws", value: found.accuracy, unit: "%", least: 81 }]),
    { name: "decision with 50 routes of ten utterances, p50", value: found.decisionMs, unit: "ms", most: 0.2 },
  );
}
const nine = folder === undefined ? undefined : readNineModels(folder);
if (nine === undefined) {
  console.log("\nno routing-nine-models.json there: cost against quality is not measured");
} else {
  const found = await measureCostQuality(nine, embedder);
  for (const line of found.lines) console.log(line);
  bars.push(
    { name: "quality of the best single model, nine models", value: found.quality, unit: "%", least: 100 },
    { name: "cost saved at that quality", value: found.saved, unit: "%", least: 25 },
  );
}
const two = folder === undefined ? undefined : readTwoModels(folder);
if (two === undefined)
  console.log("\nno routing-mmlu-two-models.csv there: the gap between two models is not measured");
else for (const line of await measurePair(two, embedder)) console.log(line);
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
