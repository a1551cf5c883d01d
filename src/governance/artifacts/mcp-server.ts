import { z } from "zod";
import type { PinKind } from "../../core/mcp-definition.ts";
import { pinKinds } from "../../core/mcp-definition.ts";
import type { McpPinRow } from "../../core/mcp-pin-tables.ts";
import type { McpServerSpec } from "../../core/mcp-server.ts";
import { mcpServer } from "../../core/mcp-server.ts";
import { defineForm } from "./artifact-form.ts";

const entry = z.looseObject({ name: z.string(), description: z.string().optional() });
const list = (title: string, item: z.ZodType) =>
  z.array(item).meta({ title, description: "As the server was seen to say it in production." });
const pinState = z.enum(["approved", "changed", "new"]);

/** An MCP server with what it was seen to offer, how it is reached, which scopes it asks for, and how its pins stand. */
export const mcpServerForm = defineForm(
  mcpServer,
  {
    tools: list("Tools", entry.extend({ inputSchema: z.looseObject({}).optional() })),
    prompts: list("Prompts", entry),
    resources: list("Resources", z.looseObject({ uri: z.string() })),
    resourceTemplates: list("Resource templates", z.looseObject({ uriTemplate: z.string() })),
    instructions: z
      .string()
      .optional()
      .meta({ title: "Instructions", description: "What the server tells every model that uses it." }),
    transports: z
      .array(z.enum(["streamable-http", "http+sse", "stdio", "openapi", "virtual"]))
      .meta({ title: "Transports", description: "How what is behind is reached, each once." }),
    scopes: z
      .array(z.string())
      .meta({ title: "Scopes", description: "All that a token may be asked for, by the server or one of its rules." }),
    pins: z
      .array(z.strictObject({ kind: z.enum(pinKinds), name: z.string(), state: pinState }))
      .meta({ title: "Pins", description: "Which of what was seen was approved." }),
  },
  async (read, { name, spec }) => {
    const resource = await read?.resources.find("McpServer", name);
    const rows = (resource && (await read?.mcpPins.ofApi(resource.id))) ?? [];
    const own = spec as McpServerSpec; // was checked when it was written
    return {
      ...offerOf(rows.filter(({ environment }) => environment === "production")),
      transports: transportsOf(own),
      scopes: scopesOf(own),
      pins: rows.flatMap((row) => (row.environment === "production" ? [standing(row)] : [])),
    };
  },
);

/** What a server offers, by the lists that MCP has. */
function offerOf(rows: readonly McpPinRow[]): Readonly<Record<string, unknown>> {
  const seen = (kind: PinKind) => rows.flatMap((row) => (row.kind === kind ? [row.seen] : []));
  const [instructions] = seen("instructions");
  return {
    tools: seen("tool"),
    prompts: seen("prompt"),
    resources: seen("resource"),
    resourceTemplates: seen("template"),
    ...instructions,
  };
}

function transportsOf({ upstream, openapi }: McpServerSpec): readonly string[] {
  if (upstream === undefined) return [openapi === undefined ? "virtual" : "openapi"];
  const blocks = [upstream.production, upstream.sandbox].flatMap((block) => ("sameAs" in block ? [] : [block]));
  return [...new Set(blocks.map(({ stdio, transport }) => (stdio === undefined ? transport : "stdio")))];
}

function scopesOf({ security, authorization }: McpServerSpec): readonly string[] {
  const own = security.oauth === false ? [] : security.oauth.scopes;
  const ruled = (authorization?.rules ?? []).flatMap(({ scopes = [], anyScopes = [] }) => [...scopes, ...anyScopes]);
  return [...new Set([...own, ...ruled])];
}

function standing({ kind, name, approvedHash, seenHash }: McpPinRow) {
  const state: z.output<typeof pinState> =
    approvedHash === seenHash ? "approved" : approvedHash === null ? "new" : "changed";
  return { kind, name, state };
}
