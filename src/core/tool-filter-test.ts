import { z } from "zod";
import type { ApiId } from "../kernel/ids.ts";
import type { RouteTestInput } from "./route-test.ts";

/** A list of tools that is filtered for a task and given to nobody. */
export const mcpToolFilterInputSchema = z.strictObject({
  task: z.string().min(1).max(4_000).meta({ title: "Task", description: "What is to be done, in plain words." }),
  tools: z
    .array(z.looseObject({ name: z.string() }))
    .max(10_000)
    .optional()
    .meta({
      title: "Tools",
      description: "As `tools/list` gives them; the server is asked where they are absent.",
    }),
  environment: z.enum(["production", "sandbox"]).default("production").meta({
    title: "Environment",
    description: "Whose server is asked.",
  }),
});

export type McpToolFilterInput = z.output<typeof mcpToolFilterInputSchema>;

const count = z.int().min(0);

/** What a filter leaves of the tools, and why. */
export const toolFilterTestSchema = z.strictObject({
  selection: z.string(),
  reason: z.string().meta({ description: "`filtered`, `few`, `no-text`, `failed` or `deadline`." }),
  total: count,
  kept: z.array(z.string()).meta({ description: "Names, in the list's order; no more than 1,000." }),
  keptCount: count,
  withoutText: count.meta({ description: "Tools that have no text to be found by." }),
  tokensBefore: count.meta({ description: "Of the list, a quarter of a token for each byte." }),
  tokensAfter: count,
  scores: z.array(z.strictObject({ tool: z.string(), score: z.number() })).meta({ description: "The best 20." }),
  tookMs: z.number(),
  configHash: z.string().meta({ description: "Of what was deployed." }),
});

export type ToolFilterTest = z.output<typeof toolFilterTestSchema>;

/**
 * Filters tools by what is deployed, and sends nothing to a model. Both throw `resource.conflict` for an API that is not
 * deployed or has no `semantic-tool-filter`, `request.invalid` for a request without tools.
 */
export interface ToolFilterTester {
  /** Of a request to an LLM API. */
  request(api: ApiId, input: RouteTestInput): Promise<ToolFilterTest>;
  /** Of what an MCP server lists to the gateway itself; for one that lists to callers only, give the tools. */
  list(api: ApiId, input: McpToolFilterInput): Promise<ToolFilterTest>;
}
