/** How soon more of the same word stops to count. */
const k1 = 0.9;
/** How much long texts are held against themselves. */
const b = 0.4;

/** Stems and their weights: a multiple of a half each, so that sums are exact and do not depend on their order. */
export type StemWeights = ReadonlyMap<string, number>;

/** BM25 over numbered slots. */
export interface LexicalIndex {
  /** Replaces what the slot held; undefined empties it. */
  set(slot: number, stems: StemWeights | undefined): void;
  /** Writes the score of each slot below `count` to `into`. A stem counts once, however often it is asked for. */
  score(stems: readonly string[], count: number, into: Float64Array): void;
}

interface Posting {
  readonly slots: number[];
  readonly weights: number[];
}

/** An empty index. */
export function createLexicalIndex(): LexicalIndex {
  const postings = new Map<string, Posting>();
  const held: (StemWeights | undefined)[] = [];
  const lengths: number[] = [];
  let documents = 0;
  let totalLength = 0;
  const clear = (slot: number): void => {
    const stems = held[slot];
    if (stems === undefined) return;
    for (const stem of stems.keys()) removePosting(postings, stem, slot);
    documents -= 1;
    totalLength -= lengths[slot] ?? 0;
    held[slot] = undefined;
    lengths[slot] = 0;
  };
  return {
    set(slot, stems) {
      clear(slot);
      if (stems === undefined) return;
      while (held.length <= slot) {
        held.push(undefined);
        lengths.push(0);
      }
      let length = 0;
      for (const [stem, weight] of stems) {
        addPosting(postings, stem, slot, weight);
        length += weight;
      }
      held[slot] = stems;
      lengths[slot] = length;
      documents += 1;
      totalLength += length;
    },
    score(stems, count, into) {
      into.fill(0, 0, count);
      if (documents === 0 || totalLength === 0) return;
      const perLength = (k1 * b * documents) / totalLength;
      for (const stem of new Set(stems)) {
        const posting = postings.get(stem);
        if (posting !== undefined) addScores(posting, documents, perLength, lengths, into);
      }
    },
  };
}

function addScores(
  { slots, weights }: Posting,
  documents: number,
  perLength: number,
  lengths: readonly number[],
  into: Float64Array,
): void {
  const rarity = Math.log(1 + (documents - slots.length + 0.5) / (slots.length + 0.5)) * (k1 + 1);
  for (let at = 0; at < slots.length; at += 1) {
    const slot = slots[at] ?? 0;
    const weight = weights[at] ?? 0;
    into[slot] = (into[slot] ?? 0) + (rarity * weight) / (weight + k1 * (1 - b) + perLength * (lengths[slot] ?? 0));
  }
}

function addPosting(postings: Map<string, Posting>, stem: string, slot: number, weight: number): void {
  const posting = postings.get(stem);
  if (posting === undefined) {
    postings.set(stem, { slots: [slot], weights: [weight] });
    return;
  }
  posting.slots.push(slot);
  posting.weights.push(weight);
}

function removePosting(postings: Map<string, Posting>, stem: string, slot: number): void {
  const posting = postings.get(stem);
  if (posting === undefined) return;
  if (posting.slots.length === 1) {
    postings.delete(stem);
    return;
  }
  const at = posting.slots.indexOf(slot);
  // The last takes its place: no order is promised within a posting.
  const [lastSlot, lastWeight] = [posting.slots.pop(), posting.weights.pop()];
  if (at === posting.slots.length || lastSlot === undefined || lastWeight === undefined) return;
  posting.slots[at] = lastSlot;
  posting.weights[at] = lastWeight;
}
