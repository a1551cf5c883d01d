import type { McpInspection, McpInspectionInput, McpInspector } from "../../core/mcp-inspection.ts";
import { Cancellation } from "../../kernel/cancellation.ts";
import type { Clock } from "../../kernel/clock.ts";
import { GatewayError } from "../../kernel/errors.ts";
import type { McpBackend, McpContext } from "../../mcp/backend.ts";
import { modernVersions } from "../../mcp/wire/modern.ts";
import type { UpstreamClient } from "../upstream.ts";
import { createSseUpstream } from "./channel/sse-upstream.ts";
import { noList, offeredLists, ownContext, readList } from "./read-lists.ts";
import { createUpstreamServer } from "./upstream-server/upstream-server.ts";

export interface InspectorParts {
  readonly upstream: UpstreamClient;
  readonly clock: Clock;
}

const longestMs = 60_000;
const timeouts = { connectMs: 5_000, firstByteMs: 20_000, idleMs: 20_000 };
const maxBytes = 10_485_760;

/** Looks at servers by the same way as calls go to them. A minute for all of it, at most 10,000 entries a list. */
export function createMcpInspector({ upstream, clock }: InspectorParts): McpInspector {
  return async ({ url, era, authorization }) => {
    const { origin, pathname } = new URL(url);
    const shown = { headers: authorization === undefined ? {} : { authorization } };
    const endpoint = { origin, path: pathname, credential: { show: () => shown } };
    const parts = { endpoint, upstream, clock, timeouts, maxBytes };
    const cancellation = new Cancellation();
    const stop = clock.after(longestMs, () =>
      cancellation.cancel(new GatewayError("upstream.timeout", "The MCP server took too long to tell what it offers.")),
    );
    const context = ownContext("inspect", cancellation);
    const look = async (transport: McpInspection["transport"], server: McpBackend): Promise<McpInspection> => {
      try {
        return { ...(await inspect(url, server, context)), transport };
      } finally {
        await server.dispose();
      }
    };
    try {
      return await look("streamable-http", createUpstreamServer({ ...parts, era }));
    } catch (error) {
      if (cancellation.isCancelled || era === "modern" || !mayBeOld(error)) throw error;
      return await look("http+sse", createSseUpstream(parts)).catch(() => {
        throw error; // of a server that is neither, the first answer tells more
      });
    } finally {
      stop();
    }
  };
}

/** A server that is there and does not take a POST may be of 2024-11-05 (2025-11-25, basic/transports). */
function mayBeOld(error: unknown): boolean {
  return error instanceof GatewayError && error.code === "upstream.invalid";
}

/** What a server shows, whichever way it is spoken to. The server stays its caller's. */
export async function inspect(
  url: McpInspectionInput["url"],
  server: McpBackend,
  context: McpContext,
): Promise<Omit<McpInspection, "transport">> {
  const facts = await server.facts(context);
  const found = await Promise.all(offeredLists.map((list) => readList(server, facts, context, list)));
  const [tools = noList, prompts = noList, resources = noList, resourceTemplates = noList] = found;
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
      fault === undefined ? [] : [{ list: offeredLists[at]?.method ?? "", message: fault }],
    ),
    isCut: found.some(({ isCut }) => isCut),
  };
}
