import { LRUCache } from "lru-cache";
import { isObject } from "../../../mcp/wire/json-rpc.ts";
import type { ParamHeader } from "../../../mcp/wire/param-headers.ts";
import { paramHeaders, paramHeadersOf } from "../../../mcp/wire/param-headers.ts";

/** Which arguments of which tool an upstream wants repeated in headers, as far as its lists have told. */
export interface ToolHeaders {
  /** Takes over what a list says. */
  learn(tools: unknown): void;
  knows(tool: string): boolean;
  /** The headers for a call; none of a tool that is not known. */
  of(tool: unknown, given: unknown): Readonly<Record<string, string>>;
}

const maxTools = 10_000;

/** The 10,000 tools with such arguments that were listed last. */
export function createToolHeaders(): ToolHeaders {
  const known = new LRUCache<string, readonly ParamHeader[]>({ max: maxTools });
  return {
    learn(tools) {
      if (!Array.isArray(tools)) return;
      for (const tool of tools) {
        if (!isObject(tool) || typeof tool["name"] !== "string") continue;
        const declared = paramHeadersOf(tool["inputSchema"]);
        if (declared !== undefined && declared.length > 0) known.set(tool["name"], declared);
        else known.delete(tool["name"]);
      }
    },
    knows: (tool) => known.has(tool),
    of(tool, given) {
      const declared = typeof tool === "string" ? known.get(tool) : undefined;
      return declared === undefined ? {} : paramHeaders(declared, given);
    },
  };
}
