import { Cancellation } from "../../../kernel/cancellation.ts";
import { GatewayError } from "../../../kernel/errors.ts";
import type { McpContext, McpFilter, McpSubscription } from "../../../mcp/backend.ts";
import type { Answer } from "../../../pipeline/exchange.ts";
import { ownerOf } from "../open-session.ts";
import { nextItem } from "./call-messages.ts";
import type { CallItem } from "./face-call.ts";
import { askThrough, clientLeft } from "./face-call.ts";
import { streamAnswer } from "./face-frames.ts";
import type { FaceRequest } from "./face-tools.ts";
import { callFacts } from "./face-tools.ts";
import type { MessageQueue } from "./message-queue.ts";
import { createMessageQueue } from "./message-queue.ts";
import type { SessionPlace } from "./session-place.ts";
import { questionMessage } from "./waiting-answers.ts";

const heartbeatMs = 25_000;

/** The standalone stream of a session: news of the server's, and what it asks outside of any call. One at a time. */
export async function answerStream(request: FaceRequest, at: SessionPlace): Promise<Answer> {
  const { exchange, operation, backend, tools } = request;
  if (at.memory.follow !== undefined) {
    throw new GatewayError("resource.conflict", "This session has its stream open already.");
  }
  const items = createMessageQueue<CallItem>();
  const cancellation = new Cancellation();
  const follower = { onCancel: (reason: unknown): void => cancellation.cancel(reason) };
  cancellation.listen({ onCancel: (reason) => items.fail(reason) });
  exchange.cancellation.listen(follower);
  const context: McpContext = {
    ...callFacts(exchange, operation, at.client, at.id),
    cancellation,
    notify: (call) => items.put({ type: "notification", call }),
    ask: (call) => askThrough(items, cancellation, call),
  };
  let open: McpSubscription | undefined;
  let turn: Promise<void> = Promise.resolve();
  const follow = (): Promise<void> => {
    turn = turn
      .catch(() => undefined)
      .then(async () => {
        const next = await backend.listen(everything(at), context);
        const last = open;
        open = next;
        last?.close();
        next.ended.then(
          () => open === next && items.end(),
          (error: unknown) => open === next && items.fail(error),
        );
      });
    return turn;
  };
  const over = (): void => {
    if (at.memory.follow === follow) at.memory.follow = undefined;
    exchange.cancellation.ignore(follower);
    cancellation.cancel(clientLeft());
    open?.close();
  };
  at.memory.follow = follow;
  try {
    await follow();
  } catch (error) {
    over();
    throw noStream(error);
  }
  exchange.keepOpen();
  return streamAnswer(request, newsOf(items, tools, ownerOf(exchange), at, cancellation), over);
}

function everything({ memory }: SessionPlace): McpFilter {
  return {
    toolsListChanged: true,
    promptsListChanged: true,
    resourcesListChanged: true,
    ...(memory.watched.size > 0 && { resourceSubscriptions: [...memory.watched] }),
  };
}

/** A server without news is one without this stream, and clients are fine with that. */
function noStream(error: unknown): unknown {
  const isRefusal = error instanceof GatewayError && error.code === "upstream.invalid";
  return isRefusal
    ? new GatewayError("route.method_not_allowed", "This server has no stream of news.", { cause: error })
    : error;
}

async function* newsOf(
  items: MessageQueue<CallItem>,
  { clock, answers }: FaceRequest["tools"],
  owner: string,
  at: SessionPlace,
  cancellation: Cancellation,
): AsyncGenerator<object | undefined> {
  let waiting: Promise<CallItem | undefined> | undefined;
  for (;;) {
    waiting ??= items.take();
    const item = await nextItem(waiting, clock, heartbeatMs);
    if (item === "silence") {
      yield undefined;
      continue;
    }
    waiting = undefined;
    if (item === undefined) return;
    if (item.type === "notification") yield { jsonrpc: "2.0", ...item.call };
    else if (item.type === "question") yield questionMessage(answers, owner, at.id, item, cancellation);
  }
}
