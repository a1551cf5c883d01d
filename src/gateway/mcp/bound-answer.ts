import type { McpLimits } from "../../core/mcp-limits.ts";
import { isObject } from "../../mcp/wire/json-rpc.ts";
import { overLimit } from "./over-limit.ts";

const lists = ["tools", "prompts", "resources", "resourceTemplates"] as const;
const schemas = ["inputSchema", "outputSchema"] as const;

/**
 * Throws `upstream.too_large` for a message of a server's that is past a limit: by its size, by how much a list of it
 * holds, or by a schema in such a list. Names the limit, and the tool.
 */
export function boundAnswer(message: unknown, bytes: number, limits: McpLimits): void {
  if (bytes > limits.messageBytes) {
    throw overLimit(
      { code: "upstream.too_large", what: "The MCP server's message is too large", limit: "messageBytes" },
      limits,
    );
  }
  const result = isObject(message) ? message["result"] : undefined;
  if (!isObject(result)) return;
  for (const name of lists) {
    const listed = result[name];
    if (!Array.isArray(listed)) continue;
    if (listed.length > limits.listEntries) {
      const what = `The MCP server's list holds too many ${name}: ${listed.length}`;
      throw overLimit({ code: "upstream.too_large", what, limit: "listEntries" }, limits);
    }
    if (name === "tools" && bytes > leastBytes(limits)) boundSchemas(listed, limits);
  }
}

// A level of a schema is at least `{"a":{}}` around the next one, and so is a part beside another.
function leastBytes({ schemaDepth, schemaParts }: McpLimits): number {
  return 2 * Math.min(schemaDepth, schemaParts);
}

function boundSchemas(tools: readonly unknown[], limits: McpLimits): void {
  for (const tool of tools) {
    if (!isObject(tool)) continue;
    for (const place of schemas) {
      const schema = tool[place];
      if (typeof schema !== "object" || schema === null) continue;
      const limit = boundPassed(schema, limits);
      if (limit === undefined) continue;
      const how = limit === "schemaDepth" ? "is nested too deeply" : "has too many parts";
      const what = `The ${place} of the tool ${JSON.stringify(String(tool["name"]).slice(0, 100))} ${how}`;
      throw overLimit({ code: "upstream.too_large", what, limit }, limits);
    }
  }
}

/** Goes level by level rather than down, so that no depth is too much for it. */
function boundPassed(
  schema: object,
  { schemaDepth, schemaParts }: McpLimits,
): "schemaDepth" | "schemaParts" | undefined {
  let level: readonly object[] = [schema];
  let parts = 0;
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > schemaDepth) return "schemaDepth";
    parts += level.filter((part) => !Array.isArray(part)).length;
    if (parts > schemaParts) return "schemaParts";
    level = level.flatMap((part) => Object.values(part).filter(isPart));
  }
  return undefined;
}

function isPart(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
