import { join } from "node:path";
import { parseArgs } from "node:util";
import { pii } from "../../src/guardrails/pii/pii.ts";
import { promptInjection } from "../../src/guardrails/prompt-injection.ts";
import { secrets } from "../../src/guardrails/secrets/secrets.ts";
import { buildTools } from "../../test/kit/exchange.ts";
import type { Bar } from "./bar.ts";
import { barLine, isMissed } from "./bar.ts";
import { generateTexts } from "./generate-texts.ts";
import { personalData } from "./make-personal-data.ts";
import { secretShapes } from "./make-secrets.ts";
import { measureCuts } from "./measure-cuts.ts";
import type { KindFigures } from "./measure-detection.ts";
import { measureDetection, totals } from "./measure-detection.ts";
import { measureInjection } from "./measure-injection.ts";
import { readInjections } from "./read-injections.ts";

// What the built-in content checks find and what they find by mistake. Ends with 1 naming each bar missed.

const { values } = parseArgs({
  options: {
    data: { type: "string" },
    texts: { type: "string", default: "2400" },
    seed: { type: "string", default: "1" },
  },
});
const fixtures = join(import.meta.dirname, "fixtures");
const data = values.data ?? process.env["GATEHOUSE_EVAL_DATA"] ?? fixtures;
const tools = buildTools();
const texts = generateTexts(Number(values.texts), Number(values.seed));

console.log(`${texts.length} generated texts, seed ${values.seed}`);
const personal = measureDetection(
  pii,
  Object.keys(personalData),
  (kind) => ({ action: "off", entities: { [kind]: "redact" } }),
  texts,
  tools,
);
const keys = measureDetection(secrets, Object.keys(secretShapes), (kind) => ({ kinds: [kind] }), texts, tools);
print("personal data", personal);
print("secrets", keys);

const injection = await measureInjection(fixtures, data, tools);
console.log("\nprompt injection");
for (const line of injection.lines) console.log(line);
const { detection, falsePositives } = injection.apart;
console.log(
  `texts written apart: ${detection.toFixed(1)} % found, ${falsePositives.toFixed(1)} % of harmless ones turned away`,
);

const streamed = texts.slice(0, 400).map(({ text }) => text);
const injected = readInjections(fixtures).injections.slice(0, 100);
const answers = { action: "redact" };
const judges = [
  { guard: pii.compile(pii.config.parse({ action: "off", answers }), tools), texts: streamed },
  { guard: secrets.compile(secrets.config.parse({ phases: ["response"] }), tools), texts: streamed },
  {
    guard: promptInjection.compile(
      promptInjection.config.parse({ phases: ["response"], authors: ["assistant"] }),
      tools,
    ),
    texts: [...injected.map(({ text }) => text), ...streamed.slice(0, 50)],
  },
];
const same: number[] = [];
for (const judge of judges) same.push(await measureCuts(judge.guard, judge.texts, 7));

const all = totals([...personal, ...keys]);
const bars: readonly Bar[] = [
  { name: "personal data and secrets, precision", value: 100 * all.precision, unit: "%", least: 95 },
  { name: "personal data and secrets, recall", value: 100 * all.recall, unit: "%", least: 95 },
  { name: "injections found, of ideas held back", value: injection.detection, unit: "%", least: 60 },
  { name: "harmless texts turned away", value: injection.falsePositives, unit: "%", most: 2 },
  { name: "streams whose verdict does not depend on the cuts", value: Math.min(...same), unit: "%", least: 100 },
];
console.log("\nbars");
for (const bar of bars) console.log(barLine(bar));
const missed = bars.filter(isMissed);
if (missed.length > 0) {
  console.error(`missed: ${missed.map(({ name }) => name).join("; ")}`);
  process.exitCode = 1;
}

function print(name: string, figures: readonly KindFigures[]): void {
  console.log(`\n${name.padEnd(24)}precision  recall   found  missed  by mistake`);
  for (const each of figures) {
    const { precision, recall } = totals([each]);
    const columns = [precision.toFixed(3), recall.toFixed(3), each.right, each.missed, each.wrong];
    console.log(each.kind.padEnd(24) + columns.map((value) => String(value).padStart(8)).join(""));
  }
}
