import type { CompiledEmbedder } from "./define-embedder.ts";
import type { UseMemory, UseMemoryParts } from "./use-memory.ts";
import { createUseMemory } from "./use-memory.ts";

/** Entries that one memory may have uses of: callers make up the names of their tools. */
const mostEntries = 10_000;

/** What was learnt at one place with one embedder; the same for as long as both are asked for. */
export type UseShelf = (place: string, embedder: CompiledEmbedder) => UseMemory;

/** An empty shelf. What is on it lives as long as the embedder that its vectors are of. */
export function createUseShelf(parts: Pick<UseMemoryParts, "knowsWord" | "withoutPersonalData">): UseShelf {
  const shelves = new WeakMap<CompiledEmbedder, Map<string, UseMemory>>();
  return (place, embedder) => {
    const shelf = shelves.get(embedder) ?? new Map<string, UseMemory>();
    shelves.set(embedder, shelf);
    const known = shelf.get(place) ?? bounded(createUseMemory({ ...parts, embedder }));
    shelf.set(place, known);
    return known;
  };
}

function bounded(memory: UseMemory): UseMemory {
  const entries = new Set<string>();
  return {
    get modelId() {
      return memory.modelId;
    },
    absorb(use, signal) {
      if (!entries.has(use.entry) && entries.size >= mostEntries) return undefined;
      entries.add(use.entry);
      return memory.absorb(use, signal);
    },
    lifts: memory.lifts,
    forget(what) {
      const count = memory.forget(what);
      entries.clear();
      for (const { entry } of memory.records()) entries.add(entry);
      return count;
    },
    records: memory.records,
  };
}
