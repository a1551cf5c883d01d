/** Tokens that were checked, by their digest. Holds no token. */
export interface VerifiedTokens<Entry> {
  recall(digest: string): Entry | undefined;
  note(digest: string, entry: Entry): void;
  forget(digest: string): void;
  readonly size: number;
}

/** Remembers the `most` that were used last. */
export function createVerifiedTokens<Entry>(most: number): VerifiedTokens<Entry> {
  // Two maps instead of an order of use: what is asked for moves to the young one, and when that is full the old one
  // is forgotten. Half of the room each, so there are never more than `most`.
  let young = new Map<string, Entry>();
  let old = new Map<string, Entry>();
  const note = (digest: string, entry: Entry): void => {
    young.set(digest, entry);
    if (young.size < most / 2) return;
    old = young;
    young = new Map();
  };
  return {
    recall(digest) {
      const entry = young.get(digest);
      if (entry !== undefined) return entry;
      const older = old.get(digest);
      if (older !== undefined) {
        old.delete(digest);
        note(digest, older);
      }
      return older;
    },
    note(digest, entry) {
      old.delete(digest);
      note(digest, entry);
    },
    forget(digest) {
      young.delete(digest);
      old.delete(digest);
    },
    get size() {
      return young.size + old.size;
    },
  };
}
