import { z } from "zod";

/** `spec.pins` of an MCP server: what happens when it says something else of its tools than was approved. */
export const mcpPinsSchema = z.strictObject({
  mode: z.enum(["off", "warn", "quarantine"]).default("off").meta({
    title: "Mode",
    description:
      "`warn` keeps and tells each change; `quarantine` also takes what has changed out of lists and refuses its use until the change is approved.",
  }),
  onNew: z.enum(["allow", "quarantine"]).default("allow").meta({
    title: "New ones",
    description: "`allow` approves what is seen for the first time; `quarantine` waits for an approval of each.",
  }),
  refreshMs: z.int().min(60_000).max(86_400_000).default(900_000).meta({
    title: "Refresh",
    description:
      "Milliseconds between two looks of the gateway's own at all that the server offers, beside those at each list that passes.",
  }),
});

export type McpPinSettings = z.output<typeof mcpPinsSchema>;
