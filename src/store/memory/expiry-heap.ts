/** An entry of the heap. Only the heap writes `place`; whoever changes `freeAtMs` calls `moved`. */
export interface Expiring {
  freeAtMs: number;
  /** -1 when it is in no heap. */
  place: number;
}

/** Entries by the time when they are free, the earliest first. Every change takes logarithmic time. */
export interface ExpiryHeap<Entry extends Expiring> {
  readonly first: Entry | undefined;
  readonly size: number;
  add(entry: Entry): void;
  moved(entry: Entry): void;
  removeFirst(): Entry | undefined;
}

/** An empty heap. */
export function createExpiryHeap<Entry extends Expiring>(): ExpiryHeap<Entry> {
  const entries: Entry[] = [];

  function put(entry: Entry, place: number): void {
    entries[place] = entry;
    entry.place = place;
  }

  function settle(entry: Entry): void {
    let place = entry.place;
    for (;;) {
      const parent = (place - 1) >> 1;
      const above = place === 0 ? undefined : entries[parent];
      if (above === undefined || above.freeAtMs <= entry.freeAtMs) break;
      put(above, place);
      place = parent;
    }
    for (;;) {
      const below = earlier(entries[2 * place + 1], entries[2 * place + 2]);
      if (below === undefined || below.freeAtMs >= entry.freeAtMs) break;
      const next = below.place;
      put(below, place);
      place = next;
    }
    put(entry, place);
  }

  return {
    get first() {
      return entries[0];
    },
    get size() {
      return entries.length;
    },
    add(entry) {
      put(entry, entries.length);
      settle(entry);
    },
    moved: settle,
    removeFirst() {
      const first = entries[0];
      const last = entries.pop();
      if (last !== undefined && last !== first) {
        put(last, 0);
        settle(last);
      }
      if (first !== undefined) first.place = -1;
      return first;
    },
  };
}

function earlier<Entry extends Expiring>(left: Entry | undefined, right: Entry | undefined): Entry | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return right.freeAtMs < left.freeAtMs ? right : left;
}
