import { GatewayError } from "../../../kernel/errors.ts";
import type {
  McpBackend,
  McpCall,
  McpContext,
  McpFacts,
  McpFilter,
  McpObject,
  McpReply,
  McpSubscription,
} from "../../../mcp/backend.ts";
import type { JsonRpcNotification, JsonRpcRequest } from "../../../mcp/wire/json-rpc.ts";
import { isObject, jsonRpcCodes } from "../../../mcp/wire/json-rpc.ts";
import { encodeHeaderValue, metaKeys, modernCodes, modernVersions, namedBy } from "../../../mcp/wire/modern.ts";
import { withMeta, withoutReserved } from "../../../mcp/wire/reserved-meta.ts";
import type { ToolHeaders } from "../tool-headers.ts";
import { createToolHeaders } from "../tool-headers.ts";
import { tracedParams } from "../trace-message.ts";
import type { CallScope } from "./call-scope.ts";
import { openCallScope } from "./call-scope.ts";
import { gatewayInfo } from "./legacy-handshake.ts";
import type { Heard } from "./read-reply.ts";
import { readReply, streamMessages } from "./read-reply.ts";
import type { UpstreamLink } from "./upstream-link.ts";

const [version] = modernVersions;

/** An upstream of the stateless era, 2026-07-28, as a backend. */
export function createModernUpstream(link: UpstreamLink): McpBackend {
  const tools: ModernTools = { link, toolHeaders: createToolHeaders(), lastId: 0 };
  return {
    facts: (context) => discover(tools, context),
    async request(call, context) {
      if (call.method === "logging/setLevel") return { result: {} }; // the level goes with each request
      const sent = await post(tools, call, context);
      const reply = replyIn(sent);
      if (!isParamMismatch(call, sent)) return noted(tools, call, reply);
      // The server has refused to look at the call, for it wants arguments repeated in headers: they are in its list.
      await learnHeaders(tools, String(call.params["name"]), context);
      return replyIn(await post(tools, call, context));
    },
    notify: () => Promise.resolve(), // this era has no notifications of the client's
    listen: (filter, context) => listen(tools, filter, context),
    dispose() {},
  };
}

interface ModernTools {
  readonly link: UpstreamLink;
  readonly toolHeaders: ToolHeaders;
  lastId: number;
}

/** `server/discover`. Throws `upstream.invalid` for a server that does not say that it speaks this era. */
export async function discover(tools: Pick<ModernTools, "link">, context: McpContext): Promise<McpFacts> {
  const reply = replyIn(
    await post(
      { ...tools, toolHeaders: createToolHeaders(), lastId: 0 },
      { method: "server/discover", params: {} },
      context,
    ),
  );
  const facts = "result" in reply ? factsIn(reply.result) : undefined;
  if (facts !== undefined) return facts;
  throw new GatewayError("upstream.invalid", `The MCP server does not speak ${version}.`, {
    detail: "error" in reply ? `server/discover: ${reply.error.code}` : "server/discover names other versions",
  });
}

/** What an answer to `server/discover` tells; undefined where it does not name this era (a clean answer proves nothing). */
export function factsIn(result: McpObject): McpFacts | undefined {
  const { supportedVersions, capabilities, instructions, _meta: meta } = result;
  const versions = Array.isArray(supportedVersions) ? supportedVersions.filter((each) => typeof each === "string") : [];
  if (!versions.includes(version)) return undefined;
  const server = isObject(meta) ? meta[metaKeys.serverInfo] : undefined;
  return {
    serverInfo: isObject(server) ? server : isObject(result["serverInfo"]) ? result["serverInfo"] : {},
    capabilities: isObject(capabilities) ? capabilities : {},
    instructions: typeof instructions === "string" ? instructions : undefined,
    versions,
  };
}

async function post(tools: ModernTools, call: McpCall, context: McpContext): Promise<Heard> {
  const { link } = tools;
  const scope = openCallScope(context.cancellation, link.clock, link.timeouts.idleMs);
  const { id, message, headers } = requestFor(tools, call, context);
  try {
    const response = await link.send({ method: "POST", message, headers, context, cancellation: scope.cancellation });
    const onOther = (other: JsonRpcRequest | JsonRpcNotification): ReturnType<McpContext["notify"]> =>
      hear(other, id, context);
    return await readReply(response, { id, scope, maxBytes: link.maxBytes, events: link.events, onOther });
  } catch (error) {
    throw scope.cancellation.isCancelled ? scope.cancellation.reason : error;
  } finally {
    scope.end();
  }
}

/** A request as this era wants it: with the client's facts in `_meta`, and headers that repeat the body. */
export function requestFor(
  tools: ModernTools,
  { method, params }: McpCall,
  context: McpContext,
): { readonly id: number; readonly message: object; readonly headers: Readonly<Record<string, string>> } {
  const { client, progressToken } = context;
  tools.lastId += 1;
  const id = tools.lastId;
  const stamped = withMeta(tracedParams(params, context), {
    [metaKeys.protocolVersion]: version,
    [metaKeys.clientCapabilities]: client.capabilities,
    [metaKeys.clientInfo]: client.info ?? gatewayInfo,
    [metaKeys.logLevel]: client.logLevel,
    progressToken: progressToken === undefined ? undefined : id,
  });
  const member = namedBy[method];
  const name = member === undefined ? undefined : params[member];
  const headers = {
    "mcp-protocol-version": version,
    "mcp-method": encodeHeaderValue(method),
    ...(typeof name === "string" && { "mcp-name": encodeHeaderValue(name) }),
    ...(method === "tools/call" && tools.toolHeaders.of(name, params["arguments"])),
  };
  return { id, message: { jsonrpc: "2.0", id, method, params: stamped }, headers };
}

function replyIn(heard: Heard): McpReply {
  if (heard.type === "reply") return heard.reply;
  throw new GatewayError("upstream.reset", "The MCP server's stream ended without an answer.", { cause: heard.cause });
}

function hear(
  message: JsonRpcRequest | JsonRpcNotification,
  id: number,
  { progressToken, notify }: McpContext,
): ReturnType<McpContext["notify"]> {
  if (message.type === "request") return undefined; // a server of this era asks by its result only
  const params = withoutReserved(message.params);
  if (message.method !== "notifications/progress") return notify({ method: message.method, params });
  if (progressToken === undefined || params["progressToken"] !== id) return undefined;
  return notify({ method: message.method, params: { ...params, progressToken } });
}

function noted({ toolHeaders }: ModernTools, { method }: McpCall, reply: McpReply): McpReply {
  if (method === "tools/list" && "result" in reply) toolHeaders.learn(reply.result["tools"]);
  return reply;
}

function isParamMismatch({ method }: McpCall, heard: Heard): boolean {
  if (method !== "tools/call" || heard.type !== "reply" || !("error" in heard.reply)) return false;
  return heard.status === 400 && heard.reply.error.code === modernCodes.headerMismatch;
}

const maxPages = 100;

/** Goes through the server's list until the tool is found. */
async function learnHeaders(tools: ModernTools, name: string, context: McpContext): Promise<void> {
  const quiet: McpContext = { ...context, progressToken: undefined, notify: () => undefined };
  let cursor: unknown;
  for (let page = 0; page < maxPages; page += 1) {
    const params = cursor === undefined ? {} : { cursor };
    const reply = replyIn(await post(tools, { method: "tools/list", params }, quiet));
    if (!("result" in reply)) return;
    tools.toolHeaders.learn(reply.result["tools"]);
    cursor = reply.result["nextCursor"];
    if (tools.toolHeaders.knows(name) || typeof cursor !== "string") return;
  }
}

async function listen(tools: ModernTools, filter: McpFilter, context: McpContext): Promise<McpSubscription> {
  const { link } = tools;
  const scope = openCallScope(context.cancellation, link.clock, 0);
  const call = { method: "subscriptions/listen", params: { notifications: filter } };
  const { id, message, headers } = requestFor(tools, call, { ...context, progressToken: undefined });
  const { cancellation } = scope;
  try {
    const response = await link.send({ method: "POST", message, headers, context, cancellation });
    const accepted = Promise.withResolvers<McpFilter>();
    const ended =
      response.status === 200
        ? readNews(response, { id, scope, context, link, accepted: accepted.resolve })
        : refused(response, { id, scope, link });
    ended.catch(accepted.reject);
    void ended.then(
      () => accepted.reject(new GatewayError("upstream.reset", "The MCP server ended the subscription at once.")),
      () => undefined,
    );
    ended.finally(() => scope.end()).catch(() => undefined); // whoever wants to know looks at `ended`
    return {
      accepted: await accepted.promise,
      ended,
      close: () => cancellation.cancel(new GatewayError("client.closed", "Nobody listens any more.")),
    };
  } catch (error) {
    scope.end();
    throw error;
  }
}

interface News {
  readonly id: number;
  readonly scope: CallScope;
  readonly link: UpstreamLink;
}

async function refused(response: Awaited<ReturnType<UpstreamLink["send"]>>, { id, scope, link }: News): Promise<void> {
  const reply = replyIn(
    await readReply(response, { id, scope, maxBytes: link.maxBytes, events: link.events, onOther: () => undefined }),
  );
  if ("result" in reply) return;
  const isUnknown = reply.error.code === jsonRpcCodes.methodNotFound;
  throw new GatewayError("upstream.invalid", "The MCP server refused the subscription.", {
    detail: isUnknown ? "it has none" : String(reply.error.code),
  });
}

async function readNews(
  response: Awaited<ReturnType<UpstreamLink["send"]>>,
  { id, scope, context, link, accepted }: News & { readonly context: McpContext; accepted(filter: McpFilter): void },
): Promise<void> {
  const place = { lastEventId: undefined, retryMs: 0 };
  let wasAccepted = false;
  try {
    for await (const message of streamMessages(response, { scope, events: link.events }, place, Infinity)) {
      if (message.type === "response" && message.id === id) return;
      if (message.type !== "notification") continue;
      if (!wasAccepted && message.method === "notifications/subscriptions/acknowledged") {
        wasAccepted = true;
        const given = message.params["notifications"];
        accepted(isObject(given) ? given : {});
      } else await context.notify({ method: message.method, params: withoutReserved(message.params) });
    }
  } catch (error) {
    if (!scope.cancellation.isCancelled) throw error;
  }
}
