import type { McpObject } from "../../../mcp/backend.ts";
import type { CompiledApi } from "../../../pipeline/snapshot.ts";

/** The tools that the gateway puts in front of a server's own; no server may have tools of these names here. */
export const searchTool = "search_tools";
export const callTool = "call_tool";

/** Whether this API has tools to search and to call others by, and the name is of one of them. */
export function isMetaTool(api: CompiledApi, name: string): boolean {
  return hasToolSearch(api) && (name === searchTool || name === callTool);
}

/** Whether the tools of an API are found by searching. */
export function hasToolSearch(api: CompiledApi): boolean {
  return (api.protocol.own as { hasToolSearch?: boolean } | undefined)?.hasToolSearch === true; // made by `compileMcp`
}

/** The two tools as `tools/list` shows them. */
export const metaTools: readonly McpObject[] = [
  {
    name: searchTool,
    title: "Search tools",
    description:
      "Finds the tools of this server that can do something. Say in plain words what is to be done; the answer has the best tools with their schemas. Call one by call_tool.",
    inputSchema: {
      type: "object",
      properties: {
        query: { type: "string", description: "What is to be done, in plain words." },
        limit: { type: "integer", minimum: 1, maximum: 100, description: "Tools at most." },
      },
      required: ["query"],
    },
    annotations: { readOnlyHint: true, openWorldHint: false },
  },
  {
    name: callTool,
    title: "Call a tool",
    description: "Calls a tool that search_tools has found.",
    inputSchema: {
      type: "object",
      properties: {
        name: { type: "string", description: "The tool's name, as it was found." },
        arguments: { type: "object", description: "The tool's arguments, by its own schema." },
      },
      required: ["name"],
    },
  },
];
