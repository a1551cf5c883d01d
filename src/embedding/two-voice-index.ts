import { blend } from "./blend.ts";
import type { StemWeights } from "./lexical-index.ts";
import { createLexicalIndex } from "./lexical-index.ts";
import { createVectorBlock } from "./vector-block.ts";

/** A text as an index holds it. */
export interface IndexedDocument {
  readonly stems: StemWeights;
  /** Undefined for a text that means nothing to the model. */
  readonly vector: Float32Array | undefined;
}

/** A text as an index is asked. */
export interface IndexQuery {
  readonly stems: readonly string[];
  readonly vector: Float32Array | undefined;
}

/** Scores of all documents; valid until the index is asked again or changed. */
export interface IndexScores {
  /** Undefined where a slot is free. */
  readonly ids: readonly (string | undefined)[];
  /** From 0 to 1. */
  readonly scores: Float64Array;
}

/** Documents by id, scored by words and by meaning. An addition, a removal or a change costs that document only. */
export interface TwoVoiceIndex {
  readonly size: number;
  has(id: string): boolean;
  /** The slot of a document in `IndexScores`. */
  slotOf(id: string): number | undefined;
  /** Adds or replaces. */
  set(id: string, document: IndexedDocument): void;
  /** False when there was none. */
  delete(id: string): boolean;
  score(query: IndexQuery): IndexScores;
}

/** An empty index. */
export function createTwoVoiceIndex(): TwoVoiceIndex {
  const slots = new Map<string, number>();
  const ids: (string | undefined)[] = [];
  const free: number[] = [];
  const words = createLexicalIndex();
  const meanings = createVectorBlock();
  let scores = new Float64Array(0);
  let cosines = new Float64Array(0);
  const claim = (id: string): number => {
    const slot = slots.get(id) ?? free.pop() ?? ids.length;
    slots.set(id, slot);
    ids[slot] = id;
    return slot;
  };
  return {
    get size() {
      return slots.size;
    },
    has: (id) => slots.has(id),
    slotOf: (id) => slots.get(id),
    set(id, { stems, vector }) {
      const next = slots.get(id) ?? free.at(-1) ?? ids.length;
      meanings.set(next, vector); // throws before anything else has changed
      words.set(claim(id), stems);
    },
    delete(id) {
      const slot = slots.get(id);
      if (slot === undefined) return false;
      words.set(slot, undefined);
      meanings.set(slot, undefined);
      slots.delete(id);
      ids[slot] = undefined;
      free.push(slot);
      return true;
    },
    score({ stems, vector }) {
      const count = ids.length;
      if (scores.length < count) {
        scores = new Float64Array(2 * count);
        cosines = new Float64Array(2 * count);
      }
      words.score(stems, count, scores);
      if (vector === undefined) cosines.fill(0, 0, count);
      else meanings.score(vector, count, cosines);
      for (let slot = 0; slot < count; slot += 1) {
        scores[slot] = blend(cosines[slot] ?? 0, scores[slot] ?? 0);
      }
      return { ids, scores };
    },
  };
}
