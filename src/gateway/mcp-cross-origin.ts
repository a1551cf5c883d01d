import type { IncomingMessage, ServerResponse } from "node:http";
import type { AcceptOptions } from "./accept-request.ts";
import { accept, ambiguous } from "./accept-request.ts";

/**
 * Tells a page of an allowed origin that it may call an MCP server (Fetch, "CORS-preflight request"); false for any other
 * request. Which origins are allowed is settled where requests are accepted.
 */
export function answerPreflight(incoming: IncomingMessage, outgoing: ServerResponse, options: AcceptOptions): boolean {
  const asked = incoming.headers["access-control-request-method"];
  if (asked === undefined || accept(incoming, options) !== undefined || ambiguous(incoming) !== undefined) return false;
  openToOrigin(incoming, outgoing);
  outgoing.writeHead(204, {
    "access-control-allow-methods": "POST, GET, DELETE",
    // The protocol's own headers have names that nobody knows before (Mcp-Param-*): what is asked for may be sent.
    "access-control-allow-headers": incoming.headers["access-control-request-headers"] ?? "*",
    "access-control-max-age": "7200",
  });
  outgoing.end();
  return true;
}

/** Lets the page that asks read the answer, and of its headers those that MCP clients need. */
export function openToOrigin(incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { origin } = incoming.headers;
  if (origin === undefined) return;
  outgoing.setHeader("access-control-allow-origin", origin);
  outgoing.setHeader("access-control-expose-headers", exposed);
  outgoing.setHeader("vary", "origin");
}

const exposed = "mcp-session-id, mcp-protocol-version, www-authenticate, retry-after, x-request-id";
