import type { UpstreamServer } from "./upstream-server/upstream-server.ts";

/** Backends by what they were made of, for as long as any snapshot uses them: publishing cuts nobody's session. */
export interface HeldBackends {
  /** The one of that key, made where there is none. Call `release` once. */
  hold(key: string, make: () => UpstreamServer): { readonly server: UpstreamServer; readonly release: () => unknown };
}

/** Those of one gateway. */
export function createHeldBackends(): HeldBackends {
  const held = new Map<string, { readonly server: UpstreamServer; holders: number }>();
  return {
    hold(key, make) {
      const entry = held.get(key) ?? { server: make(), holders: 0 };
      held.set(key, entry);
      entry.holders += 1;
      return {
        server: entry.server,
        release() {
          entry.holders -= 1;
          if (entry.holders > 0) return undefined;
          held.delete(key);
          return entry.server.dispose();
        },
      };
    },
  };
}
