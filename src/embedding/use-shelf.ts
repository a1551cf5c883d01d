import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "../kernel/log.ts";
import type { CompiledEmbedder } from "./define-embedder.ts";
import type { UseFile } from "./use-file.ts";
import { openUseFile } from "./use-file.ts";
import type { UseMemory, UseMemoryParts } from "./use-memory.ts";
import { createUseMemory } from "./use-memory.ts";

/** Entries that one memory may have uses of: callers make up the names of their tools. */
const mostEntries = 10_000;

/** What was learnt at many places. */
export interface UseShelf extends AsyncDisposable {
  /**
   * What was learnt at a place: the owner's id, `/`, and where in it. The same for as long as the embedder is; with
   * another one the words of what was learnt still count, and the memory before learns no more.
   */
  at(place: string, embedder: CompiledEmbedder): UseMemory;
  /** Forgets what fits all that is given, on disk too, wherever nobody asks for it any more. Returns how many uses that were. */
  forget(what: ForgottenUses): number;
  /** Resolves when all of it would survive the end of this process. */
  flush(): Promise<void>;
}

export interface ForgottenUses {
  /** The owner's id of the places. */
  readonly owner?: string | undefined;
  readonly application?: string | undefined;
  readonly entry?: string | undefined;
}

export interface UseShelfParts extends Pick<UseMemoryParts, "knowsWord" | "withoutPersonalData"> {
  readonly log: Log;
  /** A file a place is kept there; without it, what was learnt ends with the process. */
  readonly directory?: string | undefined;
}

/** A shelf with what its directory holds. A place's file is read when the place is first asked for. */
export function createUseShelf(parts: UseShelfParts): UseShelf {
  const { directory, log } = parts;
  const memories = new Map<string, { readonly embedder: CompiledEmbedder; readonly memory: UseMemory }>();
  const files = new Map<string, UseFile>();
  const fileOf = (place: string): UseFile | undefined => {
    if (directory === undefined) return undefined;
    const known = files.get(place);
    if (known !== undefined) return known;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const file = openUseFile({ path: join(directory, `${encodeURIComponent(place)}${suffix}`), log });
    files.set(place, file);
    return file;
  };
  return {
    at(place, embedder) {
      const before = memories.get(place);
      if (before?.embedder === embedder) return before.memory;
      const file = fileOf(place);
      const records = file?.records() ?? before?.memory.records() ?? [];
      const made = createUseMemory({
        ...parts,
        embedder,
        records,
        ...(file !== undefined && { journal: file.journal }),
      });
      const memory = bounded(made, () => memories.get(place)?.memory === memory);
      memories.set(place, { embedder, memory });
      return memory;
    },
    forget({ owner, application, entry }) {
      let count = 0;
      const what = { ...(application !== undefined && { application }), ...(entry !== undefined && { entry }) };
      for (const place of new Set([...memories.keys(), ...placesIn(directory)])) {
        if (owner !== undefined && !place.startsWith(`${owner}/`)) continue;
        count += memories.get(place)?.memory.forget(what) ?? 0;
        const kept = (fileOf(place)?.records() ?? []).filter(
          (record) =>
            (application ?? record.application) === record.application && (entry ?? record.entry) === record.entry,
        );
        count += kept.length;
        if (kept.length > 0) files.get(place)?.journal.forgotten(kept);
      }
      return count;
    },
    async flush() {
      await Promise.all([...files.values()].map((file) => file.flush()));
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...files.values()].map((file) => file[Symbol.asyncDispose]()));
    },
  };
}

const suffix = ".uses";

function placesIn(directory: string | undefined): readonly string[] {
  if (directory === undefined) return [];
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith(suffix));
    return names.map((name) => decodeURIComponent(name.slice(0, -suffix.length)));
  } catch {
    return []; // nothing was ever learnt
  }
}

/** The memory, for so many entries, and for as long as the shelf gives it out. */
function bounded(memory: UseMemory, isCurrent: () => boolean): UseMemory {
  const namesOf = (): Set<string> => new Set(memory.records().map(({ entry }) => entry));
  let entries = namesOf();
  return {
    get modelId() {
      return memory.modelId;
    },
    absorb(use, signal) {
      if (!isCurrent()) return undefined;
      if (!entries.has(use.entry) && entries.size >= mostEntries) return undefined;
      entries.add(use.entry);
      return memory.absorb(use, signal);
    },
    lifts: memory.lifts,
    forget(what) {
      const count = memory.forget(what);
      entries = namesOf();
      return count;
    },
    records: memory.records,
  };
}
