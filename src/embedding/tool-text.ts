import type { StemWeights } from "./lexical-index.ts";
import { stemWords } from "./stem-words.ts";

/** What a tool says of itself, whatever protocol it came by. */
export interface ToolDescription {
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  /** The server's name, where tools of several stand side by side. */
  readonly server?: string | undefined;
  /** The JSON Schema of its arguments, as it came. */
  readonly parameters?: unknown;
}

/** The two forms in which a tool stands in an index. */
export interface ToolText {
  /** For the embedder: server, name, title and description. Parameters would blur it. */
  readonly meaning: string;
  /** For BM25: a word of the name counts twice, one of the parameters half. */
  readonly stems: StemWeights;
}

/** What of a tool is indexed. Never throws: what is no schema says nothing. */
export function toolText(tool: ToolDescription): ToolText {
  const { name, title = "", description = "", server = "" } = tool;
  const stems = new Map<string, number>();
  weigh(stems, name, 2);
  for (const text of [server, title, description]) weigh(stems, text, 1);
  for (const text of parameterTexts(tool.parameters)) weigh(stems, text, 0.5);
  return { meaning: [server, name, title, description].filter(Boolean).join(" "), stems };
}

function weigh(stems: Map<string, number>, text: string, weight: number): void {
  for (const stem of stemWords(text)) stems.set(stem, (stems.get(stem) ?? 0) + weight);
}

/** Deeper levels and later members of a schema are left out: they say little and a server may send any amount. */
const maxDepth = 4;
const maxTexts = 256;

/** Names, titles, descriptions and choices of the arguments. */
function parameterTexts(schema: unknown): readonly string[] {
  const texts: string[] = [];
  collect(schema, 0, texts);
  return texts.slice(0, maxTexts);
}

function collect(schema: unknown, depth: number, texts: string[]): void {
  if (depth > maxDepth || texts.length >= maxTexts || typeof schema !== "object" || schema === null) return;
  const members = new Map<string, unknown>(Object.entries(schema));
  if (depth > 0) for (const key of ["title", "description"]) push(members.get(key), texts);
  const choices = members.get("enum");
  if (Array.isArray(choices)) for (const choice of choices.slice(0, maxTexts)) push(choice, texts);
  const properties = members.get("properties");
  if (typeof properties === "object" && properties !== null) {
    for (const [name, property] of Object.entries(properties).slice(0, maxTexts)) {
      texts.push(name);
      collect(property, depth + 1, texts);
    }
  }
  collect(members.get("items"), depth + 1, texts);
  for (const key of ["anyOf", "oneOf", "allOf"]) {
    const parts = members.get(key);
    if (Array.isArray(parts)) for (const part of parts.slice(0, 16)) collect(part, depth + 1, texts);
  }
}

function push(value: unknown, texts: string[]): void {
  if (typeof value === "string") texts.push(value);
}
