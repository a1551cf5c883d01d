import type { McpLimits } from "../../core/mcp-limits.ts";
import type { SseSplitterOptions } from "../../kernel/sse.ts";
import { overLimit } from "./over-limit.ts";

/** How large an event of a server's may be: by its own limit, or by that of answers where that is the smaller one. */
export function eventBound(limits: Pick<McpLimits, "eventBytes" | "responseBytes">): SseSplitterOptions {
  const limit = limits.eventBytes <= limits.responseBytes ? "eventBytes" : "responseBytes";
  const what = "The MCP server sent an event that is too large";
  return {
    maxEventBytes: limits[limit],
    tooLarge: () => overLimit({ code: "upstream.too_large", what, limit }, limits),
  };
}
