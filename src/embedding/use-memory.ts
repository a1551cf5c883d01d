import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { CompiledEmbedder } from "./define-embedder.ts";
import { stemWords } from "./stem-words.ts";
import type { IndexQuery, TwoVoiceIndex } from "./two-voice-index.ts";
import { createTwoVoiceIndex } from "./two-voice-index.ts";
import { ownProfile, sharedProfile } from "./use-profile.ts";
import type { UseJournal, UseRecord } from "./use-record.ts";
import { packVector } from "./use-record.ts";

/** Uses that an entry remembers. */
export const ringSize = 20;

/** Words of one use that are remembered. */
const maxStems = 64;

/** How far an application's own uses may lift an entry: this share of what it lacks to a score of 1. */
const ownWeight = 0.8;

/** The same for what others have used. Weaker: it must not outvote what the entry says of itself. */
const sharedWeight = 0.5;

/** One request that led to an entry of the index. */
export interface Use {
  readonly entry: string;
  /** The id of the application that asked. */
  readonly application: string;
  readonly text: string;
}

/** What an index has learnt from use. */
export interface UseMemory {
  /** The model that its vectors are of. */
  readonly modelId: string;
  /**
   * Remembers a use, without its personal data and without its text. A use like one that the application has had there
   * already takes its place. Rejects when the embedder does; nothing is remembered then.
   */
  absorb(use: Use, signal?: AbortSignal): MaybePromise<void>;
  /**
   * For each entry that uses speak for: the share (0 to 1) of what it lacks to a full score by which it is to be lifted.
   * An application's own uses count from the first, those of others once two applications have led there.
   */
  lifts(application: string | undefined, query: IndexQuery): ReadonlyMap<string, number>;
  /** Forgets what fits all that is given; everything when nothing is. Returns how many uses that were. */
  forget(what?: { readonly entry?: string; readonly application?: string }): number;
  /** Everything remembered, oldest first. */
  records(): readonly UseRecord[];
}

export interface UseMemoryParts {
  readonly embedder: CompiledEmbedder;
  /** Whether a word is in the built-in model's vocabulary. Names and numbers that are in none are not remembered. */
  readonly knowsWord: (word: string) => boolean;
  /** A text without what the recognisers of personal data found in it. */
  readonly withoutPersonalData: (text: string) => string;
  /** Where uses outlive the process. */
  readonly journal?: UseJournal;
  /** What the journal kept. Vectors of another model are left out; their words still count. */
  readonly records?: readonly UseRecord[];
}

/** A memory, empty but for `records`. At most 20 uses an entry, shared fairly among the applications. */
export function createUseMemory(parts: UseMemoryParts): UseMemory {
  const { embedder, journal } = parts;
  const rings = new Map<string, UseRecord[]>();
  const own = new Map<string, TwoVoiceIndex>();
  const shared = createTwoVoiceIndex();
  const refresh = (entry: string, applications: Iterable<string>): void => {
    const ring = rings.get(entry) ?? [];
    for (const application of applications) {
      const index = own.get(application) ?? createTwoVoiceIndex();
      place(index, entry, ownProfile(ring, application));
      if (index.size === 0) own.delete(application);
      else own.set(application, index);
    }
    place(shared, entry, sharedProfile(ring));
  };
  const store = (record: UseRecord): UseRecord | undefined => {
    const ring = rings.get(record.entry) ?? [];
    const alike = ring.find((other) => isAlike(other, record));
    const leaving = alike ?? (ring.length < ringSize ? undefined : dispensable(ring, record));
    rings.set(record.entry, [...ring.filter((other) => other !== leaving), record]);
    return leaving;
  };
  let sequence = 0;
  for (const record of (parts.records ?? []).toSorted((left, right) => left.sequence - right.sequence)) {
    sequence = Math.max(sequence, record.sequence);
    store(record.modelId === embedder.modelId ? record : { ...record, vector: undefined });
  }
  for (const [entry, ring] of rings) refresh(entry, new Set(ring.map(({ application }) => application)));
  return {
    get modelId() {
      return embedder.modelId;
    },
    absorb({ entry, application, text }, signal) {
      const kept = parts.withoutPersonalData(text);
      const stems = [...new Set(stemWords(kept, (word) => /[a-z]/.test(word) && parts.knowsWord(word)))];
      const keep = ([vector]: readonly (Float32Array | undefined)[]): void => {
        if (vector === undefined && stems.length === 0) return;
        sequence += 1;
        const { modelId } = embedder;
        const packed = vector && packVector(vector);
        const record = { entry, application, sequence, modelId, vector: packed, stems: stems.slice(0, maxStems) };
        const leaving = store(record);
        refresh(entry, new Set([application, leaving?.application ?? application]));
        journal?.absorbed(record, leaving);
      };
      const vectors = embedder.embed([kept], signal);
      return vectors instanceof Promise ? vectors.then(keep) : keep(vectors);
    },
    lifts(application, query) {
      const found = new Map<string, number>();
      lift(found, shared, sharedWeight, query);
      const index = application === undefined ? undefined : own.get(application);
      if (index !== undefined) lift(found, index, ownWeight, query);
      return found;
    },
    forget({ entry, application } = {}) {
      const leaving = [...rings.values()]
        .flat()
        .filter((record) => (entry ?? record.entry) === record.entry)
        .filter((record) => (application ?? record.application) === record.application);
      const gone = new Set(leaving);
      for (const [name, records] of Map.groupBy(leaving, (record) => record.entry)) {
        const ring = (rings.get(name) ?? []).filter((record) => !gone.has(record));
        if (ring.length === 0) rings.delete(name);
        else rings.set(name, ring);
        refresh(name, new Set(records.map((record) => record.application)));
      }
      if (leaving.length > 0) journal?.forgotten(leaving);
      return leaving.length;
    },
    records: () => [...rings.values()].flat().toSorted((left, right) => left.sequence - right.sequence),
  };
}

function place(index: TwoVoiceIndex, entry: string, profile: Parameters<TwoVoiceIndex["set"]>[1] | undefined): void {
  if (profile === undefined) index.delete(entry);
  else index.set(entry, profile);
}

function lift(found: Map<string, number>, index: TwoVoiceIndex, weight: number, query: IndexQuery): void {
  if (index.size === 0) return;
  const { ids, scores } = index.score(query);
  for (const [slot, id] of ids.entries()) {
    const share = weight * (scores[slot] ?? 0);
    if (id !== undefined && share > (found.get(id) ?? 0)) found.set(id, share);
  }
}

function isAlike(left: UseRecord, right: UseRecord): boolean {
  return left.application === right.application && left.stems.join(" ") === right.stems.join(" ");
}

/** The oldest use of whoever has most of the ring, the newcomer counted: nobody pushes out another's. */
function dispensable(ring: readonly UseRecord[], newcomer: UseRecord): UseRecord | undefined {
  const counts = new Map<string, number>();
  for (const { application } of [...ring, newcomer]) counts.set(application, (counts.get(application) ?? 0) + 1);
  const most = Math.max(...counts.values());
  return ring.find(({ application }) => counts.get(application) === most) ?? ring[0];
}
