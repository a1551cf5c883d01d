import { LRUCache } from "lru-cache";
import type { Clock } from "../../kernel/clock.ts";
import { entryLimit } from "../../kernel/entry-limit.ts";
import type { AffinityOwner, AffinityStore } from "../../pipeline/affinity-store.ts";
import { affinityMs } from "../../pipeline/affinity-store.ts";

export interface MemoryAffinityOptions {
  readonly clock: Clock;
  /** Entries that are kept; those that were not asked for the longest go first. */
  readonly maxEntries: number;
}

/** Of one process, and gone with it. */
export function createMemoryAffinity({ clock, maxEntries }: MemoryAffinityOptions): AffinityStore {
  const known = new LRUCache<string, { readonly owner: AffinityOwner; readonly untilMs: number }>(
    entryLimit(maxEntries),
  );
  const find = (key: string): AffinityOwner | undefined => {
    const entry = known.get(key);
    if (entry === undefined || entry.untilMs > clock.monotonic()) return entry?.owner;
    known.delete(key);
    return undefined;
  };
  return {
    find,
    claim(key) {
      const owner = find(key);
      known.delete(key);
      return owner;
    },
    put: (key, owner) => void known.set(key, { owner, untilMs: clock.monotonic() + affinityMs }),
    forget: (key) => void known.delete(key),
  };
}
