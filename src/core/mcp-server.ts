import { z } from "zod";
import {
  breakerSchema,
  commonApiFields,
  httpUrlSchema,
  sameAsProductionSchema,
  secretReferenceSchema,
  securityReferences,
  timeoutsSchema,
} from "./api-spec.ts";
import { defineResource } from "./resource.ts";

const upstreamSchema = z.strictObject({
  url: httpUrlSchema,
  auth: z
    .strictObject({
      header: z
        .string()
        .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/)
        .default("authorization")
        .meta({ title: "Header" }),
      scheme: z
        .string()
        .max(30)
        .default("Bearer")
        .meta({ title: "Scheme", description: "Put before the secret; may be empty." }),
      secret: secretReferenceSchema,
    })
    .optional()
    .meta({ title: "Credential", description: "What the gateway shows to the upstream; never the client's own." }),
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
});

const mcpServerSpec = z.strictObject({
  ...commonApiFields,
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
