import type { PinKind } from "../../core/mcp-definition.ts";
import type { McpHeldRecord, PlaneMessage } from "../../core/plane-message.ts";

/** What rules keep in quarantine of MCP servers, as the control plane has told it. */
export interface Quarantine {
  /** Takes over what it holds; other messages mean nothing here. */
  apply(message: PlaneMessage): void;
  has(apiId: string, kind: PinKind, name: string): boolean;
}

/** Nothing is in it until it is told. */
export function createQuarantine(): Quarantine {
  const held = new Map<string, ReadonlySet<string>>();
  const hold = ({ apiId, entries }: McpHeldRecord): void => {
    if (entries.length === 0) held.delete(apiId);
    else held.set(apiId, new Set(entries.map(({ kind, name }) => keyOf(kind, name))));
  };
  return {
    apply(message) {
      if (message.type === "mcp-held") {
        held.clear();
        for (const each of message.held) hold(each);
      }
      if (message.type === "mcp-held.put") hold(message.held);
    },
    has: (apiId, kind, name) => held.get(apiId)?.has(keyOf(kind, name)) === true,
  };
}

function keyOf(kind: PinKind, name: string): string {
  return `${kind}\n${name}`;
}
