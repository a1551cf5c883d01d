import { Cancellation } from "../../../kernel/cancellation.ts";
import { GatewayError, toGatewayError } from "../../../kernel/errors.ts";
import { createSseSplitter, parseSseEvent } from "../../../kernel/sse.ts";
import { parseStrictJson } from "../../../kernel/strict-json.ts";
import type { McpContext } from "../../../mcp/backend.ts";
import type { JsonRpcMessage } from "../../../mcp/wire/json-rpc.ts";
import { readJsonRpc } from "../../../mcp/wire/json-rpc.ts";
import type { UpstreamResponse } from "../../upstream.ts";
import { isEventStream } from "../../upstream.ts";
import { askerOf } from "../credentials/upstream-credential.ts";
import type { UpstreamLink } from "../upstream-server/upstream-link.ts";
import { channelEnded } from "./channel-session.ts";
import type { McpChannel } from "./mcp-channel.ts";

const maxDepth = 256;

/**
 * A channel to a server of 2024-11-05's HTTP+SSE (basic/transports, "HTTP with SSE"): a stream for what the server says,
 * whose first event names the place for POSTs. That place must be at the server's own origin. Rejects with
 * `upstream.…` where there is no such server.
 */
export async function openSseChannel(
  link: UpstreamLink,
  origin: string,
  path: string,
  context: McpContext,
): Promise<McpChannel> {
  const cancellation = new Cancellation();
  const asker = askerOf(context.exchange); // also for what the session does between calls
  const closed = Promise.withResolvers<GatewayError>();
  const endpoint = Promise.withResolvers<string>();
  const stopWaiting = link.clock.after(link.timeouts.firstByteMs, () =>
    endpoint.reject(new GatewayError("upstream.timeout", "The MCP server has not said where messages are to be sent.")),
  );
  const early: JsonRpcMessage[] = [];
  let take = (message: JsonRpcMessage): void => void early.push(message);
  const end = (error: GatewayError): void => {
    endpoint.reject(error);
    closed.resolve(error);
    cancellation.cancel(error);
  };
  const listen = async (): Promise<void> => {
    const response = await link.send({ method: "GET", headers: {}, context, asker, cancellation });
    await read(response, link.maxBytes, {
      onEndpoint: (target) => endpoint.resolve(postPath(target, origin, path)),
      onMessage: (message) => take(message),
    });
  };
  listen().then(
    () => end(channelEnded("its event stream ended")),
    (error: unknown) => end(toGatewayError(error)),
  );
  try {
    const target = await endpoint.promise;
    return {
      closed: closed.promise,
      hear(onMessage) {
        take = onMessage;
        for (const message of early.splice(0)) onMessage(message);
      },
      send: (message, own) => post(link, { path: target, message, asker, context: own, cancellation }),
      close: () => end(channelEnded("it was let go")),
    };
  } catch (error) {
    end(toGatewayError(error));
    throw error;
  } finally {
    stopWaiting();
  }
}

interface Post {
  readonly path: string;
  readonly message: object;
  readonly asker: ReturnType<typeof askerOf>;
  readonly context: McpContext | undefined;
  readonly cancellation: Cancellation;
}

async function post(link: UpstreamLink, { path, message, asker, context, cancellation }: Post): Promise<void> {
  const own = { method: "POST", path, message, headers: {}, asker, context, cancellation } as const;
  const { status, body } = await link.send(own);
  body.discard();
  if (status < 300) return;
  if (status === 401 || status === 407) {
    const text = "The MCP server refused the gateway's own credentials; the operator must renew its secret.";
    throw new GatewayError("upstream.credentials", text, { detail: `status ${status}` });
  }
  throw new GatewayError("upstream.invalid", "The MCP server refused a message.", { detail: `status ${status}` });
}

/** Where messages go: a place of the server's choice, and never at another server. */
function postPath(target: string, origin: string, path: string): string {
  const url = URL.parse(target, `${origin}${path}`);
  if (url?.origin === origin && url.username === "" && url.password === "") return `${url.pathname}${url.search}`;
  throw new GatewayError("upstream.invalid", "The MCP server wants messages to be sent to another server.", {
    detail: url === null ? "no URL" : url.origin.slice(0, 200),
  });
}

interface Hearer {
  onEndpoint(target: string): void;
  onMessage(message: JsonRpcMessage): void;
}

async function read(response: UpstreamResponse, maxBytes: number, hearer: Hearer): Promise<void> {
  const { status, headers, body } = response;
  if (status !== 200 || !isEventStream(headers["content-type"])) {
    body.discard();
    const code = status === 401 || status === 407 ? "upstream.credentials" : "upstream.invalid";
    throw new GatewayError(code, "The MCP server has no event stream at this address.", { detail: `status ${status}` });
  }
  let hasEndpoint = false;
  for await (const { event, data } of eventsOf(response, maxBytes)) {
    if (!hasEndpoint) {
      if (event !== "endpoint") throw new GatewayError("upstream.invalid", "The MCP server named no endpoint first.");
      hearer.onEndpoint(data);
      hasEndpoint = true;
    } else if (event === undefined || event === "message") {
      const parsed = parseStrictJson(Buffer.from(data), maxDepth);
      const message = readJsonRpc("value" in parsed ? parsed.value : undefined);
      if (message.type !== "invalid") hearer.onMessage(message);
    }
  }
}

/** The events that carry something. */
async function* eventsOf(
  { body }: UpstreamResponse,
  maxEventBytes: number,
): AsyncGenerator<{ readonly event: string | undefined; readonly data: string }> {
  const splitter = createSseSplitter({ maxEventBytes });
  for await (const chunk of body.chunks()) {
    for (const bytes of splitter.push(chunk)) {
      const { event, data } = parseSseEvent(bytes);
      if (data !== undefined && data !== "") yield { event, data };
    }
  }
}
