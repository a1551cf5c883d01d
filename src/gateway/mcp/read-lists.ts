import { toGatewayError } from "../../kernel/errors.ts";
import type { McpBackend, McpContext, McpFacts, McpObject } from "../../mcp/backend.ts";
import { isObject, jsonRpcCodes } from "../../mcp/wire/json-rpc.ts";
import { modernVersions } from "../../mcp/wire/modern.ts";

/** The lists, by the capability that tells of them, the method that gives them and the member that holds them. */
export const offeredLists = [
  { of: "tools", method: "tools/list", member: "tools", kind: "tool" },
  { of: "prompts", method: "prompts/list", member: "prompts", kind: "prompt" },
  { of: "resources", method: "resources/list", member: "resources", kind: "resource" },
  { of: "resources", method: "resources/templates/list", member: "resourceTemplates", kind: "template" },
] as const;

/** A list, as far as the server gave it. */
export interface ReadList {
  readonly entries: McpObject[];
  /** Why it was not given; undefined too where the server has no such list. */
  readonly fault: string | undefined;
  /** There is more than was read. */
  readonly isCut: boolean;
}

/** Nothing, and nothing wrong with that. */
export const noList: ReadList = { entries: [], fault: undefined, isCut: false };

const maxPages = 100;
const maxEntries = 10_000;

/**
 * All pages of a list, at most 100 and 10,000 entries. What the server does not give is a fault of that list and of no
 * other; it throws only when the context is cancelled.
 */
export async function readList(
  server: McpBackend,
  { capabilities }: McpFacts,
  context: McpContext,
  { of, method, member }: (typeof offeredLists)[number],
): Promise<ReadList> {
  if (capabilities[of] === undefined) return noList;
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

/** The context of calls that the gateway makes for itself: nobody stands behind them who could be asked. */
export function ownContext(
  owner: string,
  cancellation: McpContext["cancellation"],
  notify: McpContext["notify"] = () => undefined,
): McpContext {
  return {
    exchange: undefined,
    owner,
    session: undefined,
    client: {
      era: "modern",
      protocolVersion: modernVersions[0],
      info: { name: `gatehouse-${owner.split("/")[0] ?? ""}`, version: "1" },
      capabilities: {},
      logLevel: undefined,
    },
    cancellation,
    headers: {},
    progressToken: undefined,
    notify,
    ask: () => Promise.resolve({ error: { code: jsonRpcCodes.methodNotFound, message: "Nobody can be asked." } }),
  };
}
