import { z } from "zod";

/** `spec.toolSearch` of an MCP server: clients find its tools by asking instead of reading a list of all. */
export const mcpToolSearchSchema = z.strictObject({
  list: z.enum(["search", "all"]).default("search").meta({
    title: "List",
    description:
      "What `tools/list` shows: `search` only `search_tools` and `call_tool`, `all` the server's own tools as well.",
  }),
  alwaysList: z.array(z.string().min(1).max(256)).max(100).default([]).meta({
    title: "Always list",
    description: "Names of tools that are listed besides; `*` and `?` are wildcards.",
  }),
  limit: z.int().min(1).max(100).default(10).meta({
    title: "Limit",
    description: "Tools that one search shows, unless the caller asks for fewer.",
  }),
  deadlineMs: z.int().min(1).max(10_000).default(1_000).meta({
    title: "Deadline",
    description: "Milliseconds that the embedder may take; then tools are found by their words alone.",
  }),
  learn: z.boolean().default(false).meta({
    title: "Learn",
    description:
      "Calls that came back with a result lift the tool for searches like the one that had found it, for the same application first. Kept by each gateway, without texts and personal data.",
  }),
});

export type McpToolSearchSpec = z.output<typeof mcpToolSearchSchema>;
