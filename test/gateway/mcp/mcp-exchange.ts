import type { McpLimits } from "../../../src/core/mcp-limits.ts";
import { mcpLimitsSchema } from "../../../src/core/mcp-limits.ts";
import type { Exchange } from "../../../src/pipeline/exchange.ts";
import { buildExchange } from "../../kit/exchange.ts";

/** An exchange of an MCP server's, with the limits that one has where nothing is said. */
export function mcpExchange(limits: Partial<McpLimits> = {}): Exchange {
  const { api } = buildExchange();
  return buildExchange({ api: { protocol: { ...api.protocol, own: { limits: mcpLimitsSchema.parse(limits) } } } });
}
