import type { Exchange } from "../../pipeline/exchange.ts";
import { mcpLimits } from "./compile-mcp.ts";
import type { McpSeen } from "./mcp-request.ts";
import { overLimit } from "./over-limit.ts";

/** Notes one more message on a stream. Throws `upstream.too_large` for the one past the limit. */
export function countEvent({ api }: Exchange, seen: McpSeen): void {
  seen.eventsStreamed += 1;
  const limits = mcpLimits(api);
  if (seen.eventsStreamed <= limits.streamEvents) return;
  const what = "The MCP server sent too many messages on one stream";
  throw overLimit({ code: "upstream.too_large", what, limit: "streamEvents" }, limits);
}
