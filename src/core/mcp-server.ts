import { z } from "zod";
import {
  breakerSchema,
  commonApiFields,
  httpUrlSchema,
  sameAsProductionSchema,
  securityReferences,
  timeoutsSchema,
} from "./api-spec.ts";
import { captureSchema } from "./capture-settings.ts";
import { mcpAuthorizationSchema } from "./mcp-authorization.ts";
import { mcpLimitsSchema } from "./mcp-limits.ts";
import { mcpOfferSchema } from "./mcp-offer.ts";
import { mcpOpenApiSchema } from "./mcp-openapi.ts";
import { mcpPinsSchema } from "./mcp-pin-settings.ts";
import { mcpToolSearchSchema } from "./mcp-tool-search.ts";
import { mcpVirtualSchema } from "./mcp-virtual.ts";
import type { Reference } from "./resource.ts";
import { defineResource, nameSchema } from "./resource.ts";
import { upstreamAuthSchema } from "./upstream-auth.ts";

const upstreamBlock = z.strictObject({
  url: httpUrlSchema.optional(),
  stdio: nameSchema.optional().meta({
    title: "Command",
    description:
      "In place of `url`: a server that the gateway starts itself, by its name in `mcp.stdio` of the gateway's configuration.",
  }),
  transport: z.enum(["streamable-http", "http+sse"]).default("streamable-http").meta({
    title: "Transport",
    description: "`http+sse` is that of 2024-11-05: an event stream at `url`, and messages to where it says.",
  }),
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

const upstreamSchema = upstreamBlock
  .refine(({ url, stdio }) => (url === undefined) !== (stdio === undefined), {
    path: ["url"],
    message: "say where the server is: either `url` or `stdio`",
  })
  .refine(({ stdio, auth }) => stdio === undefined || auth === undefined, {
    path: ["auth"],
    message: "a command has its credentials in its environment, which `mcp.stdio` sets",
  })
  .refine((block) => isStreamable(block) || (block.era !== "modern" && block.health.probe === "off"), {
    path: ["transport"],
    message: "a command and `http+sse` are of the eras up to 2025-11-25, and are not probed",
  });

function isStreamable({ stdio, transport }: z.output<typeof upstreamBlock>): boolean {
  return stdio === undefined && transport === "streamable-http";
}

/** What may be behind an MCP server. */
const forms = ["upstream", "openapi", "virtual"] as const;

const mcpServerSpec = z
  .strictObject({
    ...commonApiFields,
    limits: mcpLimitsSchema,
    capture: captureSchema.optional(),
    authorization: mcpAuthorizationSchema.optional().meta({
      title: "Authorization",
      description: "Who may see and use which tools, prompts and resources; everybody everything when absent.",
    }),
    pins: mcpPinsSchema.optional().meta({
      title: "Pins",
      description:
        "What happens when the server says something else of what it offers than was approved; off when absent.",
    }),
    offer: mcpOfferSchema.optional().meta({
      title: "Offer",
      description:
        "What of the server is offered, and under which names and words; all of it, as it is, when absent. A server with an offer is not relayed byte by byte.",
    }),
    toolSearch: mcpToolSearchSchema.optional().meta({
      title: "Tool search",
      description:
        "The tools are found by `search_tools` and called by `call_tool`, instead of being listed all. Such a server is not relayed byte by byte.",
    }),
    upstream: z
      .strictObject({ production: upstreamSchema, sandbox: z.union([sameAsProductionSchema, upstreamSchema]) })
      .optional()
      .meta({ title: "Upstream", description: "The server that is behind." }),
    openapi: mcpOpenApiSchema.optional().meta({
      title: "OpenAPI",
      description: "A service described by OpenAPI, whose operations are tools, in place of `upstream`.",
    }),
    virtual: mcpVirtualSchema
      .optional()
      .meta({ title: "Virtual", description: "MCP servers that are offered as one, in place of `upstream`." }),
  })
  .refine((spec) => forms.filter((form) => spec[form] !== undefined).length === 1, {
    path: ["upstream"],
    message: `say what is behind, by one of ${forms.map((form) => `\`${form}\``).join(", ")}`,
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
  references: (spec) => [...securityReferences(spec), ...virtualReferences(spec), ...openApiReferences(spec)],
  examples: [
    {
      context: "/notes",
      upstream: { production: { url: "https://mcp.example.com/mcp" }, sandbox: { sameAs: "production" } },
    },
    {
      context: "/tickets",
      openapi: {
        url: "https://tickets.example.com/openapi.json",
        select: ["tag:tickets", "GET /users/*"],
        production: { url: "https://tickets.example.com/api" },
        sandbox: { sameAs: "production" },
      },
    },
    { context: "/workspace", virtual: { servers: [{ server: "notes" }, { server: "tickets", tools: ["list_*"] }] } },
  ],
});

function openApiReferences({ openapi }: McpServerSpec): readonly Reference[] {
  return openapi?.api === undefined ? [] : [{ kind: "RestApi", name: openapi.api, path: "spec.openapi.api" }];
}

function virtualReferences({ virtual }: McpServerSpec): readonly Reference[] {
  return (virtual?.servers ?? []).map(({ server }, index) => ({
    kind: "McpServer",
    name: server,
    path: `spec.virtual.servers[${index}].server`,
  }));
}
