import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { TextEmbedder } from "../../pipeline/plugin.ts";
import { splitPassages } from "../text/split-passages.ts";
import { decodePayloads } from "./decode-payloads.ts";
import { findInstructions } from "./find-instructions.ts";
import { withoutHidden } from "./hidden-characters.ts";
import type { InjectionHead } from "./injection-head.ts";
import type { InstructionKind } from "./instruction-pattern.ts";

/** What was found where a text is most suspicious. */
export interface InjectionScore {
  /** From 0 to 1. */
  readonly score: number;
  readonly kinds: readonly (InstructionKind | "meaning" | "encoded")[];
}

/** Longest piece that the patterns take together, and how much of it the next piece sees again. */
const pieceUnits = 1_000;
const sharedUnits = 250;

/** From here on the head's probability speaks for an injection; at `sure` it is proof enough by itself. */
const unsure = 0.5;
const sure = 0.9;

/**
 * How much a text looks like an injection, by patterns and by meaning: the highest of its pieces and of what it holds
 * encoded. The same for the same text. Not a promise where the embedder is at hand.
 */
export function scoreInjection(
  text: string,
  head: InjectionHead,
  embedder: TextEmbedder,
  signal: AbortSignal,
): MaybePromise<InjectionScore> {
  const readable = withoutHidden(text);
  const decoded = decodePayloads(readable);
  const byPatterns = highest([
    ...pieces(readable).map(byInstructions),
    ...decoded.flatMap(pieces).map((piece) => encoded(byInstructions(piece))),
  ]);
  if (byPatterns.score >= 0.99 || embedder.modelId !== head.modelId) return byPatterns;
  const passages = [readable, ...decoded].flatMap(splitPassages);
  const judge = (vectors: readonly (Float32Array | undefined)[]): InjectionScore => {
    let probability = 0;
    for (const vector of vectors) {
      if (vector !== undefined) probability = Math.max(probability, head.probability(vector));
    }
    const meaning = 0.5 * Math.min(1.5, Math.max(0, (probability - unsure) / (sure - unsure)));
    if (meaning === 0) return byPatterns;
    return { score: 1 - (1 - byPatterns.score) * (1 - meaning), kinds: [...byPatterns.kinds, "meaning"] };
  };
  const vectors = embedder.embed(passages, signal);
  return vectors instanceof Promise ? vectors.then(judge) : judge(vectors);
}

function byInstructions(piece: string): InjectionScore {
  const { score, kinds } = findInstructions(piece);
  return { score, kinds: [...kinds.keys()] };
}

/** Whoever hides a text has a reason. */
function encoded({ score, kinds }: InjectionScore): InjectionScore {
  return score === 0 ? { score, kinds } : { score: 1 - (1 - score) * 0.5, kinds: [...kinds, "encoded"] };
}

function highest(scores: readonly InjectionScore[]): InjectionScore {
  return scores.reduce((best, each) => (each.score > best.score ? each : best), { score: 0, kinds: [] });
}

function pieces(text: string): readonly string[] {
  const found: string[] = [];
  for (let from = 0; from === 0 || from + sharedUnits < text.length; from += pieceUnits - sharedUnits) {
    found.push(text.slice(from, from + pieceUnits));
  }
  return found;
}
