import { z } from "zod";
import { httpUrlSchema } from "./api-spec.ts";

/** Which MCP server is looked at, and how. */
export const mcpInspectionInputSchema = z.strictObject({
  url: httpUrlSchema,
  era: z.enum(["auto", "legacy", "modern"]).default("auto").meta({
    title: "Protocol era",
    description: "`legacy` up to 2025-11-25, `modern` from 2026-07-28 on; `auto` finds out.",
  }),
  authorization: z.string().min(1).max(8_192).optional().meta({
    title: "Authorization",
    description: "The header that is shown to the server: `Bearer …`. Used for this call, and kept nowhere.",
  }),
});

/** What is asked of an inspection. */
export type McpInspectionInput = z.output<typeof mcpInspectionInputSchema>;

const entries = z.array(z.looseObject({})).meta({ description: "As the server sent them." });

/** What an MCP server shows. */
export const mcpInspectionSchema = z.strictObject({
  url: z.string(),
  transport: z.enum(["streamable-http", "http+sse"]).meta({
    description: "How it is spoken to; `http+sse`, that of 2024-11-05, is to be said in the upstream.",
  }),
  era: z.enum(["legacy", "modern"]),
  versions: z.array(z.string()).meta({ description: "Protocol versions that the server names." }),
  serverInfo: z.looseObject({}),
  capabilities: z.looseObject({}),
  instructions: z.string().nullable(),
  tools: entries,
  prompts: entries,
  resources: entries,
  resourceTemplates: entries,
  faults: z
    .array(z.strictObject({ list: z.string(), message: z.string() }))
    .meta({ description: "Lists that the server did not give." }),
  isCut: z.boolean().meta({ description: "Whether there is more than is shown." }),
});

/** An inspection's result. */
export type McpInspection = z.output<typeof mcpInspectionSchema>;

/**
 * Asks a server who it is and what it offers; calls nothing and publishes nothing. Throws `GatewayError("upstream.…")`
 * where the server cannot be asked or the network policy forbids its address.
 */
export type McpInspector = (input: McpInspectionInput) => Promise<McpInspection>;
