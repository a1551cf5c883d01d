import type { Cancellation } from "../../../kernel/cancellation.ts";
import type { Clock } from "../../../kernel/clock.ts";
import type { SseSplitterOptions } from "../../../kernel/sse.ts";
import type { McpContext } from "../../../mcp/backend.ts";
import type { UpstreamTimeouts } from "../../../pipeline/adapter.ts";
import type { UpstreamClient, UpstreamResponse } from "../../upstream.ts";
import type { McpEndpoint } from "../compile-mcp.ts";
import { sendAuthorized } from "../credentials/send-authorized.ts";
import type { CredentialAsker } from "../credentials/upstream-credential.ts";
import { askerOf } from "../credentials/upstream-credential.ts";

/** One HTTP request to an MCP server. */
export interface LinkRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** Path and query at the endpoint's origin, where it is not the endpoint's own. */
  readonly path?: string;
  /** The JSON-RPC message of a POST. */
  readonly message?: object;
  /** Of the protocol; what of the client's may go up stands in the context. */
  readonly headers: Readonly<Record<string, string>>;
  /** For whom; undefined for what the gateway does on its own. */
  readonly context: McpContext | undefined;
  /** Whose credential is shown, where that is not the context's: of a session that goes on by itself. */
  readonly asker?: CredentialAsker | undefined;
  readonly cancellation: Cancellation;
}

/** The way to one upstream MCP server, with the gateway's own credential. */
export interface UpstreamLink {
  readonly clock: Clock;
  readonly timeouts: UpstreamTimeouts;
  /** Bytes of an answer that is awaited whole. */
  readonly maxBytes: number;
  /** How large an event may be. */
  readonly events: SseSplitterOptions;
  /** Resolves at the answer's headers. How long an answer may be silent is the reader's to say. */
  send(request: LinkRequest): Promise<UpstreamResponse>;
}

export interface LinkParts {
  readonly endpoint: McpEndpoint;
  readonly upstream: UpstreamClient;
  readonly clock: Clock;
  readonly timeouts: UpstreamTimeouts;
  readonly maxBytes: number;
  /** How large an event may be; as large as an answer when absent. */
  readonly events?: SseSplitterOptions;
}

/** A way to an endpoint. The client's own credentials never go it. */
export function createUpstreamLink({ endpoint, upstream, clock, timeouts, maxBytes, events }: LinkParts): UpstreamLink {
  const withoutIdle = { ...timeouts, idleMs: 0 };
  return {
    clock,
    timeouts,
    maxBytes,
    events: events ?? { maxEventBytes: maxBytes },
    async send({ method, path = endpoint.path, message, headers, context, asker, cancellation }) {
      const { origin, credential } = endpoint;
      const all: Record<string, string> = {
        ...context?.headers,
        accept: method === "GET" ? "text/event-stream" : "application/json, text/event-stream",
        ...headers,
      };
      if (message !== undefined) all["content-type"] = "application/json";
      if (context?.exchange !== undefined) all["x-request-id"] = context.exchange.id;
      const body = message === undefined ? undefined : Buffer.from(JSON.stringify(message));
      return sendAuthorized(credential, askerOf(context?.exchange) ?? asker, (shown) =>
        upstream.send({
          origin,
          method,
          path,
          headers: { ...all, ...shown },
          body,
          timeouts: withoutIdle,
          cancellation,
        }),
      );
    },
  };
}
