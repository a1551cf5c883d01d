import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { IndexEntry } from "../../src/embedding/hybrid-index.ts";
import { toolText } from "../../src/embedding/tool-text.ts";

const tool = z.looseObject({
  name: z.string(),
  server: z.string().optional(),
  description: z.string(),
  /** `name: description` each. */
  params: z.array(z.string()),
});

const toolFile = z.looseObject({
  license: z.string(),
  tools: z.array(tool),
  queries: z.array(z.looseObject({ q: z.string(), rel: z.array(z.int()).min(1), split: z.string() })),
});

const utterances = z.array(z.tuple([z.string(), z.string()]));
const intentFile = z.looseObject({ license: z.string(), train: utterances, val: utterances, oos_val: utterances });

/** A request and the tools that serve it, by their ids. */
export interface Request {
  readonly text: string;
  readonly right: readonly string[];
}

export interface ToolSet {
  readonly name: string;
  /** What of it the built-in model was trained on. */
  readonly trainedOn: string;
  readonly entries: readonly IndexEntry[];
  readonly requests: readonly Request[];
}

export type IntentSet = z.output<typeof intentFile>;

const toolSets = [
  { name: "metatool", trainedOn: "requests of other tools (its `train`)" },
  { name: "sealtools", trainedOn: "these very requests (its `dev`)" },
  { name: "toolalpaca", trainedOn: "nothing" },
];

/** The tool sets with their development requests. Throws when a file is not there or is not of the known shape. */
export function readToolSets(folder: string): readonly ToolSet[] {
  return toolSets.map(({ name, trainedOn }) => {
    const { tools, queries } = toolFile.parse(readJson(folder, `tools-${name}.json`));
    const requests = queries.filter(({ split }) => split === "dev");
    return {
      name,
      trainedOn,
      entries: tools.map(({ params, ...described }, at) => {
        return { id: idOf(at), ...toolText({ ...described, parameters: schemaOf(params) }) };
      }),
      requests: requests.map(({ q, rel }) => ({ text: q, right: rel.map(idOf) })),
    };
  });
}

/** Intents with example utterances, and utterances of none. Undefined where the file is not there. */
export function readIntents(folder: string): IntentSet | undefined {
  const name = "intents-clinc150-dev.json";
  return existsSync(join(folder, name)) ? intentFile.parse(readJson(folder, name)) : undefined;
}

/** A quarter of all texts, always the same: settings are chosen on the rest. */
export function isHeldBack(text: string): boolean {
  return (createHash("sha256").update(text).digest()[0] ?? 0) < 64;
}

function schemaOf(params: readonly string[]): unknown {
  const properties = params.map((param) => {
    const [name = "", ...description] = param.split(":");
    return [name, { description: description.join(":") }] as const;
  });
  return { properties: Object.fromEntries(properties) };
}

function idOf(at: number): string {
  return `t${String(at).padStart(5, "0")}`;
}

function readJson(folder: string, name: string): unknown {
  return JSON.parse(readFileSync(join(folder, name), "utf8"));
}
