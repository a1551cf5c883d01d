import { z } from "zod";
import {
  breakerSchema,
  commonApiFields,
  httpUrlSchema,
  sameAsProductionSchema,
  securityReferences,
  timeoutsSchema,
} from "./api-spec.ts";
import { mcpAuthorizationSchema } from "./mcp-authorization.ts";
import { mcpPinsSchema } from "./mcp-pin-settings.ts";
import { defineResource } from "./resource.ts";
import { upstreamAuthSchema } from "./upstream-auth.ts";

const upstreamSchema = z.strictObject({
  url: httpUrlSchema,
  auth: upstreamAuthSchema.optional(),
  timeouts: timeoutsSchema,
  breaker: breakerSchema,
  health: z
    .strictObject({
      probe: z.enum(["off", "ping"]).default("off").meta({
        title: "Probe",
        description: "`ping` asks the server now and then whether it is there, with the gateway's own credential.",
      }),
      everyMs: z
        .int()
        .min(1_000)
        .max(3_600_000)
        .default(30_000)
        .meta({ title: "Every", description: "Milliseconds between two probes." }),
    })
    .prefault({})
    .meta({ title: "Health" }),
  era: z.enum(["auto", "legacy", "modern"]).default("auto").meta({
    title: "Protocol era",
    description:
      "What the server speaks: `legacy` up to 2025-11-25, with sessions; `modern` from 2026-07-28 on, without; `auto` finds out.",
  }),
  bridge: z
    .strictObject({
      mode: z.enum(["auto", "always"]).default("auto").meta({
        title: "Mode",
        description:
          "`auto` passes messages on as they are where client and server speak the same era, and translates where they do not; `always` translates.",
      }),
      park: z.boolean().default(false).meta({
        title: "Park",
        description:
          "Keep a call to a legacy server waiting while a modern client is away to get what the server has asked for. The client must come back to the same gateway.",
      }),
      parkMs: z
        .int()
        .min(1_000)
        .max(3_600_000)
        .default(300_000)
        .meta({ title: "Park for", description: "Milliseconds that a parked call waits for its client at most." }),
      maxParked: z
        .int()
        .min(1)
        .max(10_000)
        .default(100)
        .meta({ title: "Parked calls", description: "Calls that wait at the same time in one gateway." }),
    })
    .prefault({})
    .meta({ title: "Bridge" }),
});

const mcpServerSpec = z.strictObject({
  ...commonApiFields,
  authorization: mcpAuthorizationSchema.optional().meta({
    title: "Authorization",
    description: "Who may see and use which tools, prompts and resources; everybody everything when absent.",
  }),
  pins: mcpPinsSchema.optional().meta({
    title: "Pins",
    description:
      "What happens when the server says something else of what it offers than was approved; off when absent.",
  }),
  upstream: z.strictObject({ production: upstreamSchema, sandbox: z.union([sameAsProductionSchema, upstreamSchema]) }),
});

export type McpServerSpec = z.output<typeof mcpServerSpec>;

/** An MCP server at `{context}/mcp`. */
export const mcpServer = defineResource({
  kind: "McpServer",
  idKind: "mcpServer",
  path: "mcp-servers",
  title: "MCP server",
  summary: "An MCP server that agents call.",
  spec: mcpServerSpec,
  live: "revision",
  references: securityReferences,
  examples: [
    {
      context: "/notes",
      upstream: { production: { url: "https://mcp.example.com/mcp" }, sandbox: { sameAs: "production" } },
    },
  ],
});
