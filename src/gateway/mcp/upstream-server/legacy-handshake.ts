import { GatewayError } from "../../../kernel/errors.ts";
import type { McpContext, McpFacts, McpObject, McpReply } from "../../../mcp/backend.ts";
import { isObject } from "../../../mcp/wire/json-rpc.ts";
import { isLegacyVersion, legacyVersions } from "../../../mcp/wire/legacy.ts";
import { openCallScope } from "./call-scope.ts";
import { readReply } from "./read-reply.ts";
import type { UpstreamLink } from "./upstream-link.ts";

/** What came of `initialize`. */
export interface Handshake {
  readonly facts: McpFacts;
  /** The server's own session id; undefined where it keeps none. */
  readonly session: string | undefined;
  /** The headers of everything that follows. */
  readonly headers: Readonly<Record<string, string>>;
}

/** How the gateway introduces itself where no client stands behind it. */
export const gatewayInfo: McpObject = { name: "gatehouse", version: "1" };

/**
 * `initialize` and `notifications/initialized`, in the client's name. Throws `GatewayError("upstream.…")` where the
 * server refuses, or settles on a version that is not of the sessions' era.
 */
export async function shakeHands(link: UpstreamLink, context: McpContext): Promise<Handshake> {
  const params = initializeParams(context.client);
  const scope = openCallScope(context.cancellation, link.clock, link.timeouts.idleMs);
  const { cancellation } = scope;
  try {
    const message = { jsonrpc: "2.0", id: 1, method: "initialize", params };
    const response = await link.send({ method: "POST", message, headers: {}, context, cancellation });
    const given = response.headers["mcp-session-id"];
    const session = typeof given === "string" ? given : undefined;
    const heard = await readReply(response, {
      id: 1,
      scope,
      maxBytes: link.maxBytes,
      events: link.events,
      onOther: () => undefined,
    });
    if (heard.type === "cut") {
      throw new GatewayError("upstream.reset", "The MCP server's stream ended before its handshake.", {
        cause: heard.cause,
      });
    }
    const { facts, version } = handshakeFacts(heard.reply);
    const headers = { "mcp-protocol-version": version, ...(session !== undefined && { "mcp-session-id": session }) };
    const initialized = { jsonrpc: "2.0", method: "notifications/initialized" };
    (await link.send({ method: "POST", message: initialized, headers, context, cancellation })).body.discard();
    return { facts, session, headers };
  } finally {
    scope.end();
  }
}

/** What `initialize` is asked with, in the name of a client. */
export function initializeParams(client: McpContext["client"]): McpObject {
  return {
    protocolVersion: isLegacyVersion(client.protocolVersion) ? client.protocolVersion : legacyVersions[0],
    capabilities: legacyCapabilities(client.capabilities, client.era),
    clientInfo: client.info ?? gatewayInfo,
  };
}

/** What the server has told of itself. Throws `upstream.invalid` where it refused, or has settled on another era. */
export function handshakeFacts(reply: McpReply): { readonly facts: McpFacts; readonly version: string } {
  if ("error" in reply) {
    const { code, message: text } = reply.error;
    throw new GatewayError("upstream.invalid", "The MCP server refused to begin a session.", {
      detail: `initialize: ${code} ${text.slice(0, 200)}`,
    });
  }
  const { result } = reply;
  const { protocolVersion: version, capabilities, serverInfo, instructions } = result;
  if (typeof version !== "string" || !isLegacyVersion(version)) {
    throw new GatewayError("upstream.invalid", "The MCP server settled on a protocol version that nobody offered.", {
      detail: String(version).slice(0, 64),
    });
  }
  return {
    version,
    facts: {
      serverInfo: isObject(serverInfo) ? serverInfo : {},
      capabilities: isObject(capabilities) ? capabilities : {},
      instructions: typeof instructions === "string" ? instructions : undefined,
      versions: [version],
    },
  };
}

// Tasks are another thing in either era, and nothing brings one's to the other.
function legacyCapabilities(capabilities: McpObject, era: McpContext["client"]["era"]): McpObject {
  if (era === "legacy") return capabilities;
  const { tasks: _, extensions: __, ...rest } = capabilities;
  return rest;
}
