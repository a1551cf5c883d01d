import { GatewayError } from "../kernel/errors.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { Choice, Ranked } from "./choose-best.ts";
import { chooseBest } from "./choose-best.ts";
import type { CompiledEmbedder } from "./define-embedder.ts";
import type { StemWeights } from "./lexical-index.ts";
import { stemWords } from "./stem-words.ts";
import type { IndexScores } from "./two-voice-index.ts";
import { createTwoVoiceIndex } from "./two-voice-index.ts";
import type { UseMemory } from "./use-memory.ts";

/** A text to be found: a tool by `toolText`, or any other in these two forms. */
export interface IndexEntry {
  readonly id: string;
  readonly meaning: string;
  readonly stems: StemWeights;
}

export interface IndexChange {
  /** Added, or put in the place of what had the id. */
  readonly set?: readonly IndexEntry[];
  readonly remove?: readonly string[];
}

export interface RankOptions extends Choice {
  /** Only these are answered; all when absent. Scores do not depend on it. */
  readonly among?: readonly string[];
  /** Whose own uses count; without one only what applications have in common does. */
  readonly application?: string;
}

/** Entries found by their words, by their meaning and by what led to them before. */
export interface HybridIndex {
  readonly size: number;
  /**
   * Takes additions, removals and changes. What is to be embedded is embedded in one batch first: when that fails,
   * nothing has changed. Changes take effect in the order of the calls, whichever is embedded first.
   */
  update(change: IndexChange, signal?: AbortSignal): MaybePromise<void>;
  /** The best entries for a text, best first. None for a text that says nothing. */
  rank(text: string, options: RankOptions, signal?: AbortSignal): MaybePromise<readonly Ranked[]>;
}

/** What of a memory an index needs. */
export type LearntLifts = Pick<UseMemory, "modelId" | "lifts">;

export interface HybridIndexParts {
  readonly embedder: CompiledEmbedder;
  readonly memory?: LearntLifts;
}

/** An empty index. Its vectors are of the one embedder that it is given. */
export function createHybridIndex({ embedder, memory }: HybridIndexParts): HybridIndex {
  const index = createTwoVoiceIndex();
  let running: Promise<unknown> | undefined; // the last change that waits for its vectors
  return {
    get size() {
      return index.size;
    },
    update({ set = [], remove = [] }, signal) {
      const apply = (vectors: readonly (Float32Array | undefined)[]): void => {
        for (const id of remove) index.delete(id);
        for (const [at, { id, stems }] of set.entries()) index.set(id, { stems, vector: vectors[at] });
      };
      const meanings = set.map(({ meaning }) => meaning);
      const vectors = set.length === 0 ? [] : embedder.embed(meanings, signal);
      if (running === undefined && !(vectors instanceof Promise)) return apply(vectors);
      const earlier = running;
      const turn = Promise.all([vectors, earlier]).then(([made]) => apply(made));
      const settled = turn
        .catch(() => earlier) // the caller is told; those that wait must still wait for the ones before
        .then(() => {
          if (running === settled) running = undefined;
        });
      running = settled;
      return turn;
    },
    rank(text, { among, application, ...choice }, signal) {
      const stems = stemWords(text);
      const answer = ([vector]: readonly (Float32Array | undefined)[]): readonly Ranked[] => {
        if (vector === undefined && stems.length === 0) return [];
        const query = { stems, vector };
        const found = index.score(query);
        if (memory !== undefined && memory.modelId !== embedder.modelId) throw strangers(memory, embedder);
        if (memory !== undefined) raise(found, memory.lifts(application, query), index.slotOf);
        if (among === undefined) return chooseBest(found.ids, found.scores, choice);
        const slots = [...new Set(among)].map((id) => index.slotOf(id)).filter((slot) => slot !== undefined);
        const ids = slots.map((slot) => found.ids[slot]);
        return chooseBest(
          ids,
          Float64Array.from(slots, (slot) => found.scores[slot] ?? 0),
          choice,
        );
      };
      const vectors = embedder.embed([text], signal);
      return vectors instanceof Promise ? vectors.then(answer) : answer(vectors);
    },
  };
}

function strangers(memory: LearntLifts, embedder: CompiledEmbedder): GatewayError {
  const detail = `an index of ${embedder.modelId} has a memory of ${memory.modelId}`;
  return new GatewayError("internal", "Vectors of two models cannot be compared.", { detail });
}

function raise(
  { scores }: IndexScores,
  lifts: ReadonlyMap<string, number>,
  slotOf: (id: string) => number | undefined,
) {
  for (const [id, share] of lifts) {
    const slot = slotOf(id);
    if (slot !== undefined) scores[slot] = (scores[slot] ?? 0) + share * (1 - (scores[slot] ?? 0));
  }
}
