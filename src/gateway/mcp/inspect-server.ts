import type { McpInspection, McpInspectionInput, McpInspector } from "../../core/mcp-inspection.ts";
import { Cancellation } from "../../kernel/cancellation.ts";
import type { Clock } from "../../kernel/clock.ts";
import { GatewayError, toGatewayError } from "../../kernel/errors.ts";
import type { McpBackend, McpContext, McpFacts, McpObject } from "../../mcp/backend.ts";
import { isObject, jsonRpcCodes } from "../../mcp/wire/json-rpc.ts";
import { modernVersions } from "../../mcp/wire/modern.ts";
import type { UpstreamClient } from "../upstream.ts";
import { createUpstreamServer } from "./upstream-server/upstream-server.ts";

export interface InspectorParts {
  readonly upstream: UpstreamClient;
  readonly clock: Clock;
}

const longestMs = 60_000;
const timeouts = { connectMs: 5_000, firstByteMs: 20_000, idleMs: 20_000 };
const maxBytes = 10_485_760;
const maxPages = 100;
const maxEntries = 10_000;

/** Looks at servers by the same way as calls go to them. A minute for all of it, at most 10,000 entries a list. */
export function createMcpInspector({ upstream, clock }: InspectorParts): McpInspector {
  return async ({ url, era, authorization }) => {
    const { origin, pathname } = new URL(url);
    const shown = { headers: authorization === undefined ? {} : { authorization } };
    const endpoint = { origin, path: pathname, credential: { show: () => shown } };
    const server = createUpstreamServer({ endpoint, upstream, clock, timeouts, maxBytes, era });
    const cancellation = new Cancellation();
    const stop = clock.after(longestMs, () =>
      cancellation.cancel(new GatewayError("upstream.timeout", "The MCP server took too long to tell what it offers.")),
    );
    try {
      return await inspect(url, server, contextOf(cancellation));
    } finally {
      stop();
      await server.dispose();
    }
  };
}

function contextOf(cancellation: Cancellation): McpContext {
  return {
    exchange: undefined,
    owner: "inspection",
    session: undefined,
    client: {
      era: "modern",
      protocolVersion: modernVersions[0],
      info: { name: "gatehouse-inspect", version: "1" },
      capabilities: {},
      logLevel: undefined,
    },
    cancellation,
    headers: {},
    progressToken: undefined,
    notify: () => undefined,
    ask: () => Promise.resolve({ error: { code: jsonRpcCodes.methodNotFound, message: "Nobody can be asked." } }),
  };
}

/** The lists, by the capability that tells of them, the method that gives them and the member that holds them. */
const lists = [
  { of: "tools", method: "tools/list", member: "tools" },
  { of: "prompts", method: "prompts/list", member: "prompts" },
  { of: "resources", method: "resources/list", member: "resources" },
  { of: "resources", method: "resources/templates/list", member: "resourceTemplates" },
] as const;

async function inspect(
  url: McpInspectionInput["url"],
  server: McpBackend,
  context: McpContext,
): Promise<McpInspection> {
  const facts = await server.facts(context);
  const found = await Promise.all(lists.map((list) => read(server, facts, context, list)));
  const [tools = none, prompts = none, resources = none, resourceTemplates = none] = found;
  return {
    url,
    era: facts.versions.some((version) => modernVersions.some((known) => known === version)) ? "modern" : "legacy",
    versions: [...facts.versions],
    serverInfo: facts.serverInfo,
    capabilities: facts.capabilities,
    instructions: facts.instructions ?? null,
    tools: tools.entries,
    prompts: prompts.entries,
    resources: resources.entries,
    resourceTemplates: resourceTemplates.entries,
    faults: found.flatMap(({ fault }, at) =>
      fault === undefined ? [] : [{ list: lists[at]?.method ?? "", message: fault }],
    ),
    isCut: found.some(({ isCut }) => isCut),
  };
}

interface Listed {
  readonly entries: McpObject[];
  readonly fault: string | undefined;
  readonly isCut: boolean;
}

const none: Listed = { entries: [], fault: undefined, isCut: false };

/** All pages of a list. What the server does not give is a fault of that list and of no other. */
async function read(
  server: McpBackend,
  { capabilities }: McpFacts,
  context: McpContext,
  { of, method, member }: (typeof lists)[number],
): Promise<Listed> {
  if (capabilities[of] === undefined) return none;
  const entries: McpObject[] = [];
  let cursor: unknown;
  try {
    for (let page = 0; page < maxPages && entries.length < maxEntries; page += 1) {
      const reply = await server.request({ method, params: cursor === undefined ? {} : { cursor } }, context);
      if ("error" in reply) {
        const isNone = reply.error.code === jsonRpcCodes.methodNotFound;
        return { entries, fault: isNone ? undefined : reply.error.message.slice(0, 500), isCut: false };
      }
      const listed = reply.result[member];
      if (Array.isArray(listed)) entries.push(...listed.filter(isObject).slice(0, maxEntries - entries.length));
      cursor = reply.result["nextCursor"];
      if (typeof cursor !== "string") return { entries, fault: undefined, isCut: false };
    }
    return { entries, fault: undefined, isCut: true };
  } catch (error) {
    if (context.cancellation.isCancelled) throw error;
    return { entries, fault: toGatewayError(error).message, isCut: false };
  }
}
