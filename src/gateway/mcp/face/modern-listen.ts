import { Cancellation } from "../../../kernel/cancellation.ts";
import type { McpCall, McpClientFacts, McpContext, McpFilter, McpSubscription } from "../../../mcp/backend.ts";
import type { JsonRpcId, JsonRpcRequest } from "../../../mcp/wire/json-rpc.ts";
import { isObject, jsonRpcCodes } from "../../../mcp/wire/json-rpc.ts";
import { metaKeys } from "../../../mcp/wire/modern.ts";
import { withMeta } from "../../../mcp/wire/reserved-meta.ts";
import type { Answer } from "../../../pipeline/exchange.ts";
import { nextItem } from "./call-messages.ts";
import type { CallItem } from "./face-call.ts";
import { clientLeft } from "./face-call.ts";
import { faultAnswer, streamAnswer } from "./face-frames.ts";
import type { FaceRequest } from "./face-tools.ts";
import { callFacts, idle } from "./face-tools.ts";
import type { MessageQueue } from "./message-queue.ts";
import { createMessageQueue } from "./message-queue.ts";

const heartbeatMs = 25_000;

/**
 * `subscriptions/listen`: first what of the filter is honoured, then the news, each with the id of this request, and at
 * the server's own end an empty result (2026-07-28, basic/patterns/subscriptions).
 */
export async function answerListen(
  request: FaceRequest,
  { id, params }: JsonRpcRequest,
  client: McpClientFacts,
): Promise<Answer> {
  const { exchange, operation, backend, tools } = request;
  const filter = filterIn(params["notifications"]);
  if (filter === undefined) {
    return faultAnswer(request, id, {
      code: jsonRpcCodes.invalidParams,
      message: "`params.notifications` is no filter, or one of too many resources.",
    });
  }
  const items = createMessageQueue<CallItem>();
  const cancellation = new Cancellation();
  const follower = { onCancel: (reason: unknown): void => cancellation.cancel(reason) };
  cancellation.listen({ onCancel: (reason) => items.fail(reason) });
  exchange.cancellation.listen(follower);
  const context: McpContext = {
    ...idle(callFacts(exchange, operation, client), cancellation),
    notify: (call) => items.put({ type: "notification", call }),
  };
  const over = (open?: McpSubscription): void => {
    exchange.cancellation.ignore(follower);
    cancellation.cancel(clientLeft());
    open?.close();
  };
  let open: McpSubscription;
  try {
    open = await backend.listen(filter, context);
  } catch (error) {
    over();
    throw error;
  }
  open.ended.then(
    () => items.end(),
    (error: unknown) => items.fail(error),
  );
  exchange.keepOpen();
  return streamAnswer(request, newsOf(items, tools.clock, id, open.accepted), () => over(open));
}

async function* newsOf(
  items: MessageQueue<CallItem>,
  clock: FaceRequest["clock"],
  id: JsonRpcId,
  accepted: McpFilter,
): AsyncGenerator<object | undefined> {
  const stamped = ({ method, params }: McpCall): object => ({
    jsonrpc: "2.0",
    method,
    params: withMeta(params, { [metaKeys.subscriptionId]: id }),
  });
  yield stamped({ method: "notifications/subscriptions/acknowledged", params: { notifications: accepted } });
  let waiting: Promise<CallItem | undefined> | undefined;
  for (;;) {
    waiting ??= items.take();
    const item = await nextItem(waiting, clock, heartbeatMs);
    if (item === "silence") {
      yield undefined;
      continue;
    }
    waiting = undefined;
    if (item === undefined) break;
    if (item.type === "notification") yield stamped(item.call);
  }
  yield { jsonrpc: "2.0", id, result: { resultType: "complete", _meta: { [metaKeys.subscriptionId]: id } } };
}

/** Each is a subscription of its own at a server of sessions. */
const maxWatched = 1_000;

function filterIn(given: unknown): McpFilter | undefined {
  if (!isObject(given)) return undefined;
  const { toolsListChanged, promptsListChanged, resourcesListChanged, resourceSubscriptions } = given;
  if (Array.isArray(resourceSubscriptions) && resourceSubscriptions.length > maxWatched) return undefined;
  return {
    ...(toolsListChanged === true && { toolsListChanged }),
    ...(promptsListChanged === true && { promptsListChanged }),
    ...(resourcesListChanged === true && { resourcesListChanged }),
    ...(Array.isArray(resourceSubscriptions) && {
      resourceSubscriptions: resourceSubscriptions.filter((uri) => typeof uri === "string"),
    }),
  };
}
