import type { IncomingHttpHeaders } from "node:http";
import { LRUCache } from "lru-cache";
import { entryLimit } from "../../kernel/entry-limit.ts";
import { isObject } from "../../mcp/wire/json-rpc.ts";
import { decodeHeaderValue } from "../../mcp/wire/modern.ts";
import type { ParamHeader } from "../../mcp/wire/param-headers.ts";
import { paramHeaders, paramHeadersOf } from "../../mcp/wire/param-headers.ts";

/** Which arguments of which tool have to be repeated in headers, as far as lists have told. */
export interface ToolHeaders {
  /** Takes over what a list says. `owner` is who was shown it, where lists differ. */
  learn(tools: unknown, owner?: string): void;
  knows(tool: string, owner?: string): boolean;
  /** The headers for a call, their values encoded; none of a tool that is not known. */
  of(tool: unknown, given: unknown, owner?: string): Readonly<Record<string, string>>;
}

const maxTools = 10_000;

/** The 10,000 tools with such arguments that were listed last. */
export function createToolHeaders(): ToolHeaders {
  const known = new LRUCache<string, readonly ParamHeader[]>(entryLimit(maxTools));
  return {
    learn(tools, owner = "") {
      if (!Array.isArray(tools)) return;
      for (const tool of tools) {
        if (!isObject(tool) || typeof tool["name"] !== "string") continue;
        const declared = paramHeadersOf(tool["inputSchema"]);
        const place = placeOf(tool["name"], owner);
        if (declared !== undefined && declared.length > 0) known.set(place, declared);
        else known.delete(place);
      }
    },
    knows: (tool, owner = "") => known.has(placeOf(tool, owner)),
    of(tool, given, owner = "") {
      const declared = typeof tool === "string" ? known.get(placeOf(tool, owner)) : undefined;
      return declared === undefined ? {} : paramHeaders(declared, given);
    },
  };
}

function placeOf(tool: string, owner: string): string {
  return `${owner} ${tool}`;
}

/**
 * The first of these headers that a request lacks, or that says another value; undefined where all agree. `edited` tells
 * what guardrails have made of values: a client repeats what it has sent.
 */
export function unrepeated(
  expected: Readonly<Record<string, string>>,
  headers: IncomingHttpHeaders,
  edited: ReadonlyMap<string, string>,
): string | undefined {
  return Object.keys(expected).find((name) => {
    const sent = headers[name];
    const said = typeof sent === "string" ? decodeHeaderValue(sent.trim()) : undefined;
    const meant = decodeHeaderValue(expected[name] ?? "");
    return said === undefined || (said !== meant && edited.get(said) !== meant);
  });
}
