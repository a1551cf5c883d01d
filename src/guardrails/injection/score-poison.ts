import { decodePayloads } from "./decode-payloads.ts";
import { findInstructions } from "./find-instructions.ts";
import { withoutHidden } from "./hidden-characters.ts";

export interface PoisonScore {
  /** From 0 to 1. */
  readonly score: number;
  readonly kinds: readonly string[];
}

const pieceUnits = 1_000;
const sharedUnits = 250;

/** How much a text of a tool looks like one that steers the model: the highest of its pieces and of what it holds encoded. */
export function scorePoison(text: string): PoisonScore {
  const readable = withoutHidden(text);
  let best: PoisonScore = { score: 0, kinds: [] };
  for (const each of [readable, ...decodePayloads(readable)]) {
    for (let from = 0; from === 0 || from + sharedUnits < each.length; from += pieceUnits - sharedUnits) {
      const { score, kinds } = findInstructions(each.slice(from, from + pieceUnits));
      if (score > best.score) best = { score, kinds: [...kinds.keys()] };
    }
  }
  return best;
}
