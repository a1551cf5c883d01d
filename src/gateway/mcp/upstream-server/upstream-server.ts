import { Cancellation } from "../../../kernel/cancellation.ts";
import { GatewayError } from "../../../kernel/errors.ts";
import type { McpBackend, McpContext } from "../../../mcp/backend.ts";
import type { McpEra } from "../../../mcp/wire/legacy.ts";
import { createToolHeaders } from "../tool-headers.ts";
import { openCallScope } from "./call-scope.ts";
import { openLegacySession } from "./legacy-session.ts";
import { createLegacyUpstream } from "./legacy-upstream.ts";
import { createModernUpstream, factsIn, requestFor } from "./modern-upstream.ts";
import { readReply } from "./read-reply.ts";
import type { UpstreamEra } from "./upstream-era.ts";
import { createUpstreamEra } from "./upstream-era.ts";
import type { LinkParts } from "./upstream-link.ts";
import { createUpstreamLink } from "./upstream-link.ts";

export interface UpstreamServerParts extends LinkParts {
  readonly era: "auto" | McpEra;
}

/** A backend over one real upstream, and what is known of its era. */
export interface UpstreamServer extends McpBackend {
  readonly era: UpstreamEra;
  /** The upstream's era: as set, as found, or found out now. Undefined where its answers prove nothing. */
  findEra(context: McpContext): Promise<McpEra | undefined>;
}

/**
 * One MCP server behind the gateway, of whichever era it is. The era is found by `server/discover` before the first call
 * and never by a call itself: what may have run is not run again.
 */
export function createUpstreamServer(parts: UpstreamServerParts): UpstreamServer {
  const link = createUpstreamLink(parts);
  const era = createUpstreamEra(parts.era, parts.clock);
  const ways: Readonly<Record<McpEra, McpBackend>> = {
    legacy: createLegacyUpstream({ clock: link.clock, open: (context) => openLegacySession(link, context) }),
    modern: createModernUpstream(link),
  };
  const findEra = (context: McpContext): Promise<McpEra | undefined> =>
    era.find(async () => {
      const found = await probe(link, context);
      return found === "legacy" && !(await hasSessions(ways.legacy, context)) ? undefined : found;
    });
  // Of a server that proves nothing the older era is assumed, for this call only: its own answer tells more.
  const way = async (context: McpContext): Promise<McpBackend> =>
    ways[era.known() ?? (await findEra(context)) ?? "legacy"];
  return {
    era,
    findEra,
    facts: async (context) => (await way(context)).facts(context),
    request: async (call, context) => (await way(context)).request(call, context),
    notify: async (notification, context) => (await way(context)).notify(notification, context),
    listen: async (filter, context) => (await way(context)).listen(filter, context),
    sessionEnded: (context) => ways.legacy.sessionEnded?.(context),
    async dispose() {
      await ways.legacy.dispose();
      await ways.modern.dispose();
    },
  };
}

/** No word of the one era is no proof of the other: a session must begin. It is used by the calls that follow. */
async function hasSessions(legacy: McpBackend, context: McpContext): Promise<boolean> {
  try {
    await legacy.facts(context);
    return true;
  } catch (error) {
    if (error instanceof GatewayError && error.code.startsWith("upstream.")) return false;
    throw error;
  }
}

const probeMs = 10_000;

/** Modern or legacy by the answer to `server/discover`; undefined where the answer proves neither. */
async function probe(link: ReturnType<typeof createUpstreamLink>, context: McpContext): Promise<McpEra | undefined> {
  const scope = openCallScope(undefined, link.clock, probeMs); // for all who wait, so it ends with none of them
  const quiet: McpContext = { ...context, progressToken: undefined, cancellation: new Cancellation() };
  const tools = { link, toolHeaders: createToolHeaders(), lastId: 0 };
  const { id, message, headers } = requestFor(tools, { method: "server/discover", params: {} }, quiet);
  try {
    const { cancellation } = scope;
    const response = await link.send({ method: "POST", message, headers, context: quiet, cancellation });
    if (provesNothing.has(response.status) || response.status >= 500) {
      response.body.discard();
      return undefined;
    }
    if (response.status >= 300 && response.status < 400) {
      response.body.discard();
      return undefined;
    }
    const isRefusal = response.status >= 400;
    const heard = await readReply(response, {
      id,
      scope,
      maxBytes: link.maxBytes,
      events: link.events,
      onOther: () => undefined,
    });
    if (heard.type === "cut") return undefined;
    if ("error" in heard.reply) return isModernFault(heard.reply.error.code) && isRefusal ? "modern" : "legacy";
    return factsIn(heard.reply.result) === undefined ? "legacy" : "modern";
  } catch (error) {
    return isNoMessage(error) ? "legacy" : unreachable(error);
  } finally {
    scope.end();
  }
}

/** Whether the server may be asked, and whether it has the time: not which era it speaks. */
const provesNothing: ReadonlySet<number> = new Set([401, 403, 407, 408, 429]);

// Codes that only this era has; -32022 alone says that it is of the era, and of another version.
function isModernFault(code: number): boolean {
  return code === -32_020 || code === -32_021;
}

/** A server of the other era refuses in words of its own: an answer that is no JSON-RPC at all. */
function isNoMessage(error: unknown): boolean {
  return error instanceof GatewayError && error.code === "upstream.invalid";
}

function unreachable(error: unknown): undefined {
  if (error instanceof GatewayError && error.code === "upstream.timeout") return undefined;
  throw error; // nobody is there, whatever was asked
}
