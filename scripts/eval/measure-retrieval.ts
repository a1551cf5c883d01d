import type { CompiledEmbedder } from "../../src/embedding/define-embedder.ts";
import { createHybridIndex } from "../../src/embedding/hybrid-index.ts";
import type { Request, ToolSet } from "./read-sets.ts";
import { isHeldBack } from "./read-sets.ts";

/** Recall of one ranking of one set, in per cent. */
export interface RetrievalFigures {
  readonly recallAt5: number;
  /** Of the requests that settings were chosen on, and of those held back. */
  readonly chosenOn: number;
  readonly heldBack: number;
  readonly ndcgAt10: number;
}

export interface SetFigures {
  readonly name: string;
  readonly words: RetrievalFigures;
  readonly meaning: RetrievalFigures;
  readonly both: RetrievalFigures;
}

/** Ranks a set's tools for each of its requests by words alone, by meaning alone and by both. */
export async function measureRetrieval(set: ToolSet, embedder: CompiledEmbedder): Promise<SetFigures> {
  const silent: CompiledEmbedder = { ...embedder, modelId: "none", embed: (texts) => texts.map(() => undefined) };
  const wordless = { ...set, entries: set.entries.map((entry) => ({ ...entry, stems: new Map<string, number>() })) };
  return {
    name: set.name,
    words: await figures(set, silent),
    meaning: await figures(wordless, embedder),
    both: await figures(set, embedder),
  };
}

/** The share of the right tools that are among the first five. */
export function recallAt5(ranked: readonly { readonly id: string }[], right: readonly string[]): number {
  const first = ranked.slice(0, 5).map(({ id }) => id);
  return right.filter((id) => first.includes(id)).length / right.length;
}

async function figures({ entries, requests }: ToolSet, embedder: CompiledEmbedder): Promise<RetrievalFigures> {
  const index = createHybridIndex({ embedder });
  await index.update({ set: entries });
  const results: { readonly request: Request; readonly recall: number; readonly ndcg: number }[] = [];
  for (const request of requests) {
    const ranked = await index.rank(request.text, { limit: 10 });
    results.push({ request, recall: recallAt5(ranked, request.right), ndcg: ndcgAt10(ranked, request.right) });
  }
  const held = results.filter(({ request }) => isHeldBack(request.text));
  const rest = results.filter(({ request }) => !isHeldBack(request.text));
  return {
    recallAt5: percent(results.map(({ recall }) => recall)),
    chosenOn: percent(rest.map(({ recall }) => recall)),
    heldBack: percent(held.map(({ recall }) => recall)),
    ndcgAt10: percent(results.map(({ ndcg }) => ndcg)),
  };
}

function ndcgAt10(ranked: readonly { readonly id: string }[], right: readonly string[]): number {
  const gain = (at: number) => 1 / Math.log2(at + 2);
  const found = ranked.slice(0, 10).reduce((sum, { id }, at) => sum + (right.includes(id) ? gain(at) : 0), 0);
  return found / right.slice(0, 10).reduce((sum, _, at) => sum + gain(at), 0);
}

function percent(values: readonly number[]): number {
  return (100 * values.reduce((sum, value) => sum + value, 0)) / values.length;
}
