import type { PlaneMessage } from "../../core/plane-message.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { AnswerBounds, AnswerKeys, AnswerStore, KeptAnswer } from "../../pipeline/answer-keeping.ts";
import { answerNearness } from "../../pipeline/answer-nearness.ts";

/** Stores of kept answers, one for each place that a policy stands at. */
export interface AnswerStores {
  /** The store of a place; it is gone when everybody who asked for it has released it. */
  at(place: string): AnswerStore;
  /** Drops what is to be dropped; each purge once. */
  apply(message: PlaneMessage): void;
}

/** What keeping an answer takes beside its bytes and vectors: keys, maps and the rest, generously. */
const entryBytes = 1_000;

/** So often what has expired is looked for, that it does not stay until something else needs its room. */
const sweepMs = 60_000;

/** Answers in this process. */
export function createMemoryAnswers({ clock }: { readonly clock: Pick<Clock, "now"> }): AnswerStores {
  const shelves = new Map<string, { readonly shelf: Shelf; holders: number }>();
  /** The number of the last purge of each API. */
  const purges = new Map<string, number>();
  const generationOf = (apiId: string): number => purges.get(apiId) ?? 0;
  return {
    at(place) {
      const held = shelves.get(place) ?? { shelf: createShelf(clock), holders: 0 };
      held.holders += 1;
      shelves.set(place, held);
      let isHeld = true;
      return {
        ...held.shelf.store,
        exact: (keys, notBeforeMs) => ({
          generation: generationOf(keys.apiId),
          answer: held.shelf.store.exact(keys.exact, notBeforeMs),
        }),
        put(keys, answer, bounds) {
          if (keys.generation !== generationOf(keys.apiId)) return;
          held.shelf.put({ keys, answer, bytes: sizeOf(keys, answer) }, bounds);
        },
        release() {
          if (isHeld) held.holders -= 1;
          isHeld = false;
          if (held.holders === 0) shelves.delete(place);
        },
      };
    },
    apply(message) {
      if (message.type !== "answers.purged") return;
      for (const { apiId, number } of message.purges) {
        if (number <= generationOf(apiId)) continue;
        purges.set(apiId, number);
        for (const { shelf } of shelves.values()) shelf.drop((entry) => entry.keys.apiId === apiId);
      }
    },
  };
}

interface Entry {
  readonly keys: AnswerKeys;
  readonly answer: KeptAnswer;
  readonly bytes: number;
}

interface Shelf {
  readonly store: Pick<AnswerStore, "nearest"> & {
    exact(key: string, notBeforeMs: number): KeptAnswer | undefined;
  };
  put(entry: Entry, bounds: AnswerBounds): void;
  drop(isOut: (entry: Entry) => boolean): void;
}

function createShelf(clock: Pick<Clock, "now">): Shelf {
  /** Those that were used longest ago come first. */
  const entries = new Map<string, Entry>();
  const groups = new Map<string, Set<Entry>>();
  let bytes = 0;
  let sweptAtMs = clock.now();

  const remove = (entry: Entry): void => {
    entries.delete(entry.keys.exact);
    bytes -= entry.bytes;
    const group = entry.keys.alike && groups.get(entry.keys.alike.group);
    if (entry.keys.alike === undefined || group === undefined) return;
    group.delete(entry);
    if (group.size === 0) groups.delete(entry.keys.alike.group);
  };
  const drop = (isOut: (entry: Entry) => boolean): void => {
    for (const entry of entries.values()) if (isOut(entry)) remove(entry);
  };
  const used = (entry: Entry): KeptAnswer => {
    entries.delete(entry.keys.exact);
    entries.set(entry.keys.exact, entry);
    return entry.answer;
  };
  const sweep = (nowMs: number): void => {
    if (nowMs - sweptAtMs < sweepMs) return;
    sweptAtMs = nowMs;
    drop(({ answer }) => answer.expiresAtMs <= nowMs);
  };
  const put = (entry: Entry, bounds: AnswerBounds): void => {
    sweep(clock.now());
    const known = entries.get(entry.keys.exact);
    if (known !== undefined) remove(known);
    if (entry.bytes > bounds.bytes) return;
    entries.set(entry.keys.exact, entry);
    bytes += entry.bytes;
    const { alike } = entry.keys;
    if (alike !== undefined) groups.set(alike.group, (groups.get(alike.group) ?? new Set()).add(entry));
    for (const oldest of entries.values()) {
      if (entries.size <= bounds.entries && bytes <= bounds.bytes) break;
      remove(oldest);
    }
  };
  return {
    drop,
    put,
    store: {
      exact(exact, notBeforeMs) {
        const nowMs = clock.now();
        sweep(nowMs);
        const entry = entries.get(exact);
        return entry !== undefined && isGood(entry, nowMs, notBeforeMs) ? used(entry) : undefined;
      },
      nearest(asked, { threshold, notBeforeMs }) {
        const nowMs = clock.now();
        let best: { readonly entry: Entry; readonly score: number } | undefined;
        for (const entry of groups.get(asked.group) ?? []) {
          if (!isGood(entry, nowMs, notBeforeMs)) continue;
          const score = entry.keys.alike && answerNearness(asked, entry.keys.alike, best?.score ?? threshold);
          if (score !== undefined && (best === undefined || score > best.score)) best = { entry, score };
        }
        return best && { answer: used(best.entry), score: best.score };
      },
    },
  };
}

function isGood({ answer }: Entry, nowMs: number, notBeforeMs: number): boolean {
  return answer.expiresAtMs > nowMs && answer.storedAtMs >= notBeforeMs;
}

function sizeOf({ alike }: AnswerKeys, { bytes }: KeptAnswer): number {
  const vectors = (alike?.vectors ?? []).reduce((sum, vector) => sum + vector.byteLength, 0);
  const stems = (alike?.stems ?? []).reduce((sum, stem) => sum + 2 * stem.length, 0);
  return entryBytes + bytes.byteLength + vectors + stems;
}
