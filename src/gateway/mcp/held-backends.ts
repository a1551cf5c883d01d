import type { McpBackend } from "../../mcp/backend.ts";

/** Backends by what they were made of, for as long as any snapshot uses them: publishing cuts nobody's session. */
export interface HeldBackends {
  /** The one of that key, made where there is none. Call `release` once. */
  hold<Server extends McpBackend>(
    key: string,
    make: () => Server,
  ): { readonly server: Server; readonly release: () => unknown };
}

/** Those of one gateway. */
export function createHeldBackends(): HeldBackends {
  const held = new Map<string, { readonly server: McpBackend; holders: number }>();
  return {
    hold<Server extends McpBackend>(key: string, make: () => Server) {
      const entry = held.get(key) ?? { server: make(), holders: 0 };
      held.set(key, entry);
      entry.holders += 1;
      return {
        server: entry.server as Server, // a key says what it was made of, and so by whom
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
