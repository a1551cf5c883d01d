import type { Environment } from "../../core/environment.ts";
import { readHints } from "../../mcp/read-hints.ts";
import { isObject } from "../../mcp/wire/json-rpc.ts";
import type { ToolHints } from "../../pipeline/held-call.ts";

/** What servers have said of their tools, as far as lists have passed through this gateway. */
export interface ToolHintMemory {
  /** Takes note of entries of `tools/list`. */
  note(apiId: string, environment: Environment, tools: readonly unknown[]): void;
  of(apiId: string, environment: Environment, tool: string): ToolHints | undefined;
  /** All tools that it has said something of. */
  names(apiId: string, environment: Environment): readonly string[];
}

/** Tools of one server and environment that are kept; of those beyond nothing is known. */
const mostTools = 20_000;

/** Nothing heard yet. The last word on a tool counts. */
export function createToolHints(): ToolHintMemory {
  const known = new Map<string, Map<string, ToolHints>>();
  return {
    note(apiId, environment, tools) {
      const place = `${apiId}/${environment}`;
      const own = known.get(place) ?? new Map<string, ToolHints>();
      known.set(place, own);
      for (const tool of tools) {
        if (!isObject(tool) || typeof tool["name"] !== "string") continue;
        if (own.size < mostTools || own.has(tool["name"])) own.set(tool["name"], readHints(tool["annotations"]));
      }
    },
    of: (apiId, environment, tool) => known.get(`${apiId}/${environment}`)?.get(tool),
    names: (apiId, environment) => [...(known.get(`${apiId}/${environment}`)?.keys() ?? [])],
  };
}
