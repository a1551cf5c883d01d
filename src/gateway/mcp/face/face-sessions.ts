import { LRUCache } from "lru-cache";

/** What a process remembers of a client's session; the token carries the rest. */
export interface FaceSession {
  /** The least severe log lines that the client wants; undefined where it has not said. */
  logLevel: string | undefined;
  /** Resources that it watches. */
  readonly watched: Set<string>;
  /** Makes the open stream of news follow what is watched; undefined while none is open. */
  follow: (() => Promise<void>) | undefined;
}

/** The sessions that this process has served. Another process begins with an empty memory of them. */
export interface FaceSessions {
  /** Undefined when the client has ended it. */
  of(owner: string, session: string): FaceSession | undefined;
  end(owner: string, session: string): void;
}

const maxSessions = 100_000;
const idleMs = 86_400_000;

/** Remembers the 100,000 that were used last, each for a day, and as many that have ended. */
export function createFaceSessions(): FaceSessions {
  const known = new LRUCache<string, FaceSession>({ max: maxSessions, ttl: idleMs, updateAgeOnGet: true });
  const over = new LRUCache<string, true>({ max: maxSessions });
  return {
    of(owner, session) {
      const key = JSON.stringify([owner, session]);
      if (over.has(key)) return undefined;
      const found = known.get(key);
      if (found !== undefined) return found;
      const made: FaceSession = { logLevel: undefined, watched: new Set(), follow: undefined };
      known.set(key, made);
      return made;
    },
    end(owner, session) {
      const key = JSON.stringify([owner, session]);
      known.delete(key);
      over.set(key, true);
    },
  };
}
