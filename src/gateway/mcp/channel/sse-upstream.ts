import type { McpBackend } from "../../../mcp/backend.ts";
import { createLegacyUpstream } from "../upstream-server/legacy-upstream.ts";
import type { LinkParts } from "../upstream-server/upstream-link.ts";
import { createUpstreamLink } from "../upstream-server/upstream-link.ts";
import { openChannelSession } from "./channel-session.ts";
import { openSseChannel } from "./sse-channel.ts";

/**
 * A server of 2024-11-05's HTTP+SSE as a backend: a stream for each caller's client. One that has ended is opened again
 * by the next call; what ran on it meanwhile has failed, and is not repeated.
 */
export function createSseUpstream(parts: LinkParts): McpBackend {
  const { clock, timeouts, endpoint } = parts;
  const link = createUpstreamLink(parts);
  return createLegacyUpstream({
    clock,
    open: async (context) => {
      const channel = await openSseChannel(link, endpoint.origin, endpoint.path, context);
      return openChannelSession(channel, { clock, timeouts, callers: "one" }, context);
    },
  });
}
