import { LRUCache } from "lru-cache";
import { entryLimit } from "../../../kernel/entry-limit.ts";

/** What a process remembers of a client's session; the token carries the rest. */
export interface ServedSession {
  /** The least severe log lines that the client wants; undefined where it has not said. */
  logLevel: string | undefined;
  /** Resources that it watches. */
  readonly watched: Set<string>;
  /** Makes the open stream of news follow what is watched; undefined while none is open. */
  follow: (() => Promise<void>) | undefined;
}

/** The sessions that this process has served, the gateway's own and relayed ones. Another process knows none of them. */
export interface ServedSessions {
  /**
   * Takes a message of a session: false when it has ended here. Where its owner has more than `most`, the one that was
   * not used for longest ends.
   */
  admit(owner: string, session: string, most: number): boolean;
  /** Undefined when it has ended. */
  of(owner: string, session: string): ServedSession | undefined;
  end(owner: string, session: string): void;
}

const maxSessions = 100_000;
const idleMs = 86_400_000;

/** Remembers the 100,000 that were used last, each for a day, and as many that have ended. */
export function createServedSessions(): ServedSessions {
  const byOwner = new Map<string, Map<string, ServedSession>>(); // of each owner, in the order of use
  const forgotten = ({ owner, session }: Place): void => {
    const own = byOwner.get(owner);
    own?.delete(session);
    if (own?.size === 0) byOwner.delete(owner);
  };
  const known = new LRUCache<string, Place>({
    ...entryLimit(maxSessions),
    ttl: idleMs,
    updateAgeOnGet: true,
    dispose: (place, _key, reason) => reason !== "set" && forgotten(place),
  });
  const over = new LRUCache<string, true>(entryLimit(maxSessions));
  const end = (owner: string, session: string): void => {
    const key = keyOf(owner, session);
    known.delete(key);
    over.set(key, true);
  };
  const use = (owner: string, session: string): ServedSession | undefined => {
    const key = keyOf(owner, session);
    if (over.has(key)) return undefined;
    if (known.get(key) === undefined) known.set(key, { owner, session });
    const own = byOwner.get(owner) ?? new Map<string, ServedSession>();
    byOwner.set(owner, own);
    const found = own.get(session) ?? { logLevel: undefined, watched: new Set(), follow: undefined };
    own.delete(session);
    own.set(session, found);
    return found;
  };
  return {
    admit(owner, session, most) {
      if (use(owner, session) === undefined) return false;
      const own = byOwner.get(owner);
      while (own !== undefined && own.size > most) {
        const [oldest] = own.keys();
        if (oldest !== undefined) end(owner, oldest);
      }
      return true;
    },
    of: use,
    end,
  };
}

interface Place {
  readonly owner: string;
  readonly session: string;
}

function keyOf(owner: string, session: string): string {
  return JSON.stringify([owner, session]);
}
