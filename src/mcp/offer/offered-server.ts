import type { ToolHints } from "../../pipeline/held-call.ts";
import type { McpBackend, McpCall, McpContext, McpFilter, McpObject, McpReply } from "../backend.ts";
import { listKinds, listShapes } from "../federation/merge-entries.ts";
import { readHints } from "../read-hints.ts";
import { unknownName } from "../unknown-name.ts";
import { isObject } from "../wire/json-rpc.ts";
import type { CompiledOffer } from "./compile-offer.ts";
import { withGiven } from "./show-entry.ts";

/**
 * A server with some of it hidden, and some under other names and words. Lists are edited page by page, and calls are
 * turned back to the server's own names and arguments; what is not offered is answered like what is not there.
 */
export function createOfferedServer(server: McpBackend, offer: CompiledOffer): McpBackend {
  return {
    facts: (context) => server.facts(context),
    async request(call, context) {
      const kind = listKinds.find((each) => listShapes[each].method === call.method);
      if (kind === undefined) return turned(call, server, hearing(context, offer), offer);
      const reply = await server.request(call, context);
      const place = listShapes[kind].entries;
      const listed = "result" in reply ? reply.result[place] : undefined;
      if (!("result" in reply) || !Array.isArray(listed)) return reply;
      const shown = listed.flatMap((entry: unknown) => (isObject(entry) ? (offer.show(kind, entry) ?? []) : []));
      return { result: { ...reply.result, [place]: shown } };
    },
    notify: (notification, context) => server.notify(notification, context),
    listen: (filter, context) => server.listen(permitted(filter, offer), hearing(context, offer)),
    sessionEnded: (context) => server.sessionEnded?.(context),
    hintsOf: (tool) => hintsOf(tool, server, offer),
    serverOf: (tool, exchange) => server.serverOf?.(offer.find("tools", tool)?.name ?? tool, exchange),
    dispose: () => server.dispose(),
  };
}

function hintsOf(tool: string, server: McpBackend, offer: CompiledOffer): ToolHints | undefined {
  const own = offer.find("tools", tool)?.name;
  const annotations = own === undefined ? undefined : server.hintsOf?.(own);
  if (own === undefined || annotations === undefined) return undefined;
  return readHints(offer.show("tools", { name: own, annotations })?.["annotations"]);
}

async function turned(call: McpCall, server: McpBackend, context: McpContext, offer: CompiledOffer): Promise<McpReply> {
  const { name, uri, ref } = call.params;
  switch (call.method) {
    case "tools/call":
    case "prompts/get": {
      const isTool = call.method === "tools/call";
      const meant = typeof name === "string" ? offer.find(isTool ? "tools" : "prompts", name) : undefined;
      if (meant === undefined) return unknownName(isTool ? "Tool" : "Prompt", String(name));
      const given = withGiven(call.params["arguments"], meant.entry?.arguments);
      const params = { ...call.params, name: meant.name, ...(given !== undefined && { arguments: given }) };
      return server.request({ ...call, params }, context);
    }
    case "resources/read":
    case "resources/directory/read":
    case "resources/subscribe":
    case "resources/unsubscribe":
      if (typeof uri !== "string" || !offer.takes(uri)) return unknownName("Resource", String(uri));
      return server.request(call, context);
    case "completion/complete":
      return isObject(ref) ? complete(call, ref, server, context, offer) : server.request(call, context);
    default:
      return server.request(call, context);
  }
}

async function complete(
  call: McpCall,
  ref: McpObject,
  server: McpBackend,
  context: McpContext,
  offer: CompiledOffer,
): Promise<McpReply> {
  const { name, uri } = ref;
  if (typeof uri === "string") {
    return offer.takes(uri) ? server.request(call, context) : unknownName("Resource", uri);
  }
  const meant = typeof name === "string" ? offer.find("prompts", name) : undefined;
  if (meant === undefined) return unknownName("Prompt", String(name));
  return server.request({ ...call, params: { ...call.params, ref: { ...ref, name: meant.name } } }, context);
}

/** The context of a client who hears of no resource that it is not offered. */
function hearing(context: McpContext, offer: CompiledOffer): McpContext {
  return {
    ...context,
    notify(notification) {
      const { uri } = notification.params;
      const isHidden =
        notification.method === "notifications/resources/updated" && (typeof uri !== "string" || !offer.takes(uri));
      return isHidden ? undefined : context.notify(notification);
    },
  };
}

function permitted({ resourceSubscriptions, ...flags }: McpFilter, offer: CompiledOffer): McpFilter {
  if (resourceSubscriptions === undefined) return flags;
  return { ...flags, resourceSubscriptions: resourceSubscriptions.filter(offer.takes) };
}
