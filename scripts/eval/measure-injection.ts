import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { promptInjection } from "../../src/guardrails/prompt-injection.ts";
import { parseJson } from "../../src/kernel/parse-json.ts";
import type { PluginTools } from "../../src/pipeline/plugin.ts";
import { guardedCall } from "../../test/kit/guarded-call.ts";
import type { FamilyText } from "./read-injections.ts";
import { readInjections, readInjectionsApart } from "./read-injections.ts";

export interface InjectionFigures {
  /** In percent, of ideas that were held back. */
  readonly detection: number;
  /** In percent, of harmless prompts and descriptions of tools that nothing was fitted to. */
  readonly falsePositives: number;
  /** The same of texts by somebody who knew neither the patterns nor the texts that they were made by. */
  readonly apart: { readonly detection: number; readonly falsePositives: number };
  readonly lines: readonly string[];
}

/** What the guardrail finds with its own settings. `data` is the folder of the public sets, or of their samples. */
export async function measureInjection(fixtures: string, data: string, tools: PluginTools): Promise<InjectionFigures> {
  const guard = promptInjection.compile(promptInjection.config.parse({}), tools);
  const isCaught = async (text: string): Promise<boolean> => {
    const verdict = await guard.inspect([{ place: "text", text, author: "user" }], "request", guardedCall());
    return verdict.type === "deny";
  };
  const lines: string[] = [];
  const count = async (name: string, texts: readonly string[]): Promise<readonly [number, number]> => {
    const caught = (await Promise.all(texts.map(isCaught))).filter(Boolean).length;
    lines.push(`${name.padEnd(44)}${String(caught).padStart(6)} of ${texts.length}`);
    return [caught, texts.length];
  };
  const countFamilies = async (name: string, texts: readonly FamilyText[]): Promise<(readonly [number, number])[]> => {
    const families = Map.groupBy(texts.filter(isHeldBack), ({ family }) => family);
    const counts: (readonly [number, number])[] = [];
    for (const [family, each] of families) counts.push(await count(`${name}, ${family}`, each.map(textOf)));
    return counts;
  };
  const { injections, benign } = readInjections(fixtures);
  const found = await countFamilies("injections", injections);
  const wrong = [
    await count("harmless, written for this", benign.filter(isHeldBack).map(textOf)),
    await count(
      "tools of MetaTool",
      readTools(data, "metatool").map(({ description }) => description),
    ),
    await count(
      "tools of ToolAlpaca",
      readTools(data, "toolalpaca").map(({ description }) => description),
    ),
    await count("requests of ToolAlpaca", readRequests(data, "toolalpaca")),
  ];
  const apart = readInjectionsApart(fixtures);
  const foundApart = await countFamilies("apart", apart.injections);
  const wrongApart = await countFamilies("apart, harmless", apart.benign);
  const apartFigures = { detection: share(foundApart), falsePositives: share(wrongApart) };
  return { detection: share(found), falsePositives: share(wrong), apart: apartFigures, lines };
}

function isHeldBack({ split }: FamilyText): boolean {
  return split === "held-back";
}

function textOf({ text }: FamilyText): string {
  return text;
}

function share(counts: readonly (readonly [number, number])[]): number {
  const sum = (at: 0 | 1): number => counts.reduce((total, each) => total + each[at], 0);
  return (100 * sum(0)) / sum(1);
}

const set = z.looseObject({
  tools: z.array(z.looseObject({ description: z.string() })),
  queries: z.array(z.looseObject({ q: z.string() })),
});

function readTools(folder: string, name: string): readonly { readonly description: string }[] {
  return set.parse(parseJson(readFileSync(join(folder, `tools-${name}.json`), "utf8"))).tools;
}

function readRequests(folder: string, name: string): readonly string[] {
  return set.parse(parseJson(readFileSync(join(folder, `tools-${name}.json`), "utf8"))).queries.map(({ q }) => q);
}
