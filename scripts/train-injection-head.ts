import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { builtInModelFolder } from "../src/embedding/static-embedder.ts";
import { loadStaticModel } from "../src/embedding/static-model.ts";
import { parseJson } from "../src/kernel/parse-json.ts";
import { readInjections } from "./eval/read-injections.ts";

// Fits the head that tells injections by their meaning, and writes it to assets/injection/head.json. The same data gives the same head.
// Uses the families for fitting and for tuning, never those that are held back.

const fixtures = join(import.meta.dirname, "eval", "fixtures");
const rounds = 400;
const ridge = 0.001;
const step = 4;
const momentum = 0.9;

/** Each of these groups weighs as much as its share says, however many texts it has. */
type Group = "injection" | "near" | "public";
const shares: Readonly<Record<Group, number>> = { injection: 0.5, near: 0.25, public: 0.25 };

interface Example {
  readonly group: Group;
  readonly vector: Float32Array;
}

const model = loadStaticModel(builtInModelFolder);
const examples = [...ownTexts(), ...publicTexts()].flatMap(({ group, text }): Example[] => {
  const vector = model.embed(text);
  return vector === undefined ? [] : [{ group, vector }];
});
const weights = fit(examples);
const folder = join(import.meta.dirname, "..", "assets", "injection");
mkdirSync(folder, { recursive: true });
const bias = rounded(weights.at(-1) ?? 0);
const head = { modelId: model.id, bias, weights: Array.from(weights.subarray(0, -1), rounded) };
writeFileSync(join(folder, "head.json"), `${JSON.stringify(head)}\n`);
console.log(
  `${examples.length} texts, ${examples.filter(({ group }) => group === "injection").length} of them injections`,
);

function ownTexts(): readonly { group: Group; text: string }[] {
  const { injections, benign } = readInjections(fixtures);
  // The model knows English words only, and a payload in pieces has no meaning of its own.
  const unread = new Set(["languages-one", "languages-two", "payload-splitting"]);
  return [
    ...injections.filter(({ split, family }) => split !== "held-back" && !unread.has(family)).map(asGroup("injection")),
    ...benign.filter(({ split }) => split !== "held-back").map(asGroup("near")),
  ];
}

function asGroup(group: Group): (each: { readonly text: string }) => { group: Group; text: string } {
  return ({ text }) => ({ group, text });
}

/** Descriptions of Seal-Tools, requests of MetaTool and Seal-Tools, and every other utterance of CLINC150. */
function publicTexts(): readonly { group: Group; text: string }[] {
  const described = z.looseObject({ description: z.string() });
  const tools = z.looseObject({ tools: z.array(described), queries: z.array(z.looseObject({ q: z.string() })) });
  const intents = z.looseObject({ train: z.array(z.array(z.string())), val: z.array(z.array(z.string())) });
  const read = (name: string): unknown => parseJson(readFileSync(join(fixtures, name), "utf8"));
  const seal = tools.parse(read("tools-sealtools.json"));
  const meta = tools.parse(read("tools-metatool.json"));
  const clinc = intents.parse(read("intents-clinc150-dev.json"));
  const texts = [
    ...seal.tools.map(({ description }) => description),
    ...[...meta.queries, ...seal.queries].map(({ q }) => q),
    ...[...clinc.train, ...clinc.val].flatMap(([text = ""], at) => (at % 2 === 1 ? [text] : [])),
  ];
  return texts.map((text) => ({ group: "public", text }));
}

/** Logistic regression by gradient descent with momentum; the bias stands last and is not held down. */
function fit(all: readonly Example[]): Float64Array {
  const width = model.dimensions;
  const found = new Float64Array(width + 1);
  const speed = new Float64Array(width + 1);
  const sizes = Map.groupBy(all, ({ group }) => group);
  for (let round = 0; round < rounds; round += 1) {
    const slope = new Float64Array(width + 1);
    for (const { group, vector } of all) {
      const error = probability(found, vector) - (group === "injection" ? 1 : 0);
      const push = (error * shares[group]) / (sizes.get(group)?.length ?? 1);
      for (let at = 0; at < width; at += 1) slope[at] = (slope[at] ?? 0) + push * (vector[at] ?? 0);
      slope[width] = (slope[width] ?? 0) + push;
    }
    for (let at = 0; at <= width; at += 1) {
      const held = at < width ? ridge * (found[at] ?? 0) : 0;
      speed[at] = momentum * (speed[at] ?? 0) - step * ((slope[at] ?? 0) + held);
      found[at] = (found[at] ?? 0) + (speed[at] ?? 0);
    }
  }
  return found;
}

function probability(found: Float64Array, vector: Float32Array): number {
  let sum = found.at(-1) ?? 0;
  for (const [at, value] of vector.entries()) sum += (found[at] ?? 0) * value;
  return 1 / (1 + Math.exp(-sum));
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
