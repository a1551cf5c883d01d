import type { Cancellation } from "../../../kernel/cancellation.ts";
import type { Clock } from "../../../kernel/clock.ts";
import { headerValue } from "../../../kernel/header-value.ts";
import type { McpContext } from "../../../mcp/backend.ts";
import type { UpstreamTimeouts } from "../../../pipeline/adapter.ts";
import type { UpstreamClient, UpstreamResponse } from "../../upstream.ts";
import type { McpEndpoint } from "../compile-mcp.ts";

/** One HTTP request to an MCP server. */
export interface LinkRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** The JSON-RPC message of a POST. */
  readonly message?: object;
  /** Of the protocol; what of the client's may go up stands in the context. */
  readonly headers: Readonly<Record<string, string>>;
  /** For whom; undefined for what the gateway does on its own. */
  readonly context: McpContext | undefined;
  readonly cancellation: Cancellation;
}

/** The way to one upstream MCP server, with the gateway's own credential. */
export interface UpstreamLink {
  readonly clock: Clock;
  readonly timeouts: UpstreamTimeouts;
  /** Bytes of an answer that is awaited whole, and of one event. */
  readonly maxBytes: number;
  /** Resolves at the answer's headers. How long an answer may be silent is the reader's to say. */
  send(request: LinkRequest): Promise<UpstreamResponse>;
}

export interface LinkParts {
  readonly endpoint: McpEndpoint;
  readonly upstream: UpstreamClient;
  readonly clock: Clock;
  readonly timeouts: UpstreamTimeouts;
  readonly maxBytes: number;
}

/** A way to an endpoint. The client's own credentials never go it. */
export function createUpstreamLink({ endpoint, upstream, clock, timeouts, maxBytes }: LinkParts): UpstreamLink {
  const withoutIdle = { ...timeouts, idleMs: 0 };
  return {
    clock,
    timeouts,
    maxBytes,
    async send({ method, message, headers, context, cancellation }) {
      const { origin, path, auth, secrets } = endpoint;
      const all: Record<string, string> = {
        ...context?.headers,
        accept: method === "GET" ? "text/event-stream" : "application/json, text/event-stream",
        ...headers,
      };
      if (message !== undefined) all["content-type"] = "application/json";
      if (context?.exchange !== undefined) all["x-request-id"] = context.exchange.id;
      if (auth !== undefined) {
        const secret = headerValue(await secrets.read(auth.secret), auth.secret);
        all[auth.header] = auth.scheme === "" ? secret : `${auth.scheme} ${secret}`;
      }
      const body = message === undefined ? undefined : Buffer.from(JSON.stringify(message));
      return upstream.send({ origin, method, path, headers: all, body, timeouts: withoutIdle, cancellation });
    },
  };
}
