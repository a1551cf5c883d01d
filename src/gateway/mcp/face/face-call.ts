import { Cancellation } from "../../../kernel/cancellation.ts";
import { GatewayError } from "../../../kernel/errors.ts";
import type { McpBackend, McpCall, McpContext, McpReply } from "../../../mcp/backend.ts";
import type { Exchange } from "../../../pipeline/exchange.ts";
import type { MessageQueue } from "./message-queue.ts";
import { createMessageQueue } from "./message-queue.ts";

/** What a call brings to its client, in order; the reply is the last. */
export type CallItem =
  | { readonly type: "notification"; readonly call: McpCall }
  | Question
  | { readonly type: "reply"; readonly reply: McpReply };

/** Something that the server asks the client in the middle of a call, and the place for the answer. */
export interface Question {
  readonly type: "question";
  readonly call: McpCall;
  answer(reply: McpReply): void;
}

/** A request on its way through a backend. It may outlive the exchange that began it, and come to another one. */
export interface FaceCall {
  readonly request: McpCall;
  readonly items: MessageQueue<CallItem>;
  readonly cancellation: Cancellation;
  /** Ends with this exchange from now on. */
  attach(exchange: Pick<Exchange, "cancellation">): void;
  /** Belongs to no exchange until it is attached again. */
  detach(): void;
  cancel(reason: unknown): void;
}

/** What a call's context has beside its ways back to the client. */
export type CallFacts = Omit<McpContext, "cancellation" | "notify" | "ask">;

/** Begins a request. What the backend throws comes out of the queue. */
export function beginCall(
  facts: CallFacts,
  request: McpCall,
  run: (context: McpContext) => ReturnType<McpBackend["request"]>,
): FaceCall {
  const items = createMessageQueue<CallItem>();
  const cancellation = new Cancellation();
  let attached: Pick<Exchange, "cancellation"> | undefined;
  const follower = { onCancel: (reason: unknown): void => cancellation.cancel(reason) };
  cancellation.listen({ onCancel: (reason: unknown): void => items.fail(reason) });
  const detach = (): void => {
    attached?.cancellation.ignore(follower);
    attached = undefined;
  };
  const context: McpContext = {
    ...facts,
    cancellation,
    notify: (call) => items.put({ type: "notification", call }),
    ask: (call) => askThrough(items, cancellation, call),
  };
  run(context)
    .then(
      async (reply) => {
        await items.put({ type: "reply", reply });
        items.end();
      },
      (error: unknown) => items.fail(error),
    )
    .finally(detach);
  return {
    request,
    items,
    cancellation,
    detach,
    attach(exchange) {
      detach();
      attached = exchange;
      if (exchange.cancellation.isCancelled) cancellation.cancel(exchange.cancellation.reason);
      else exchange.cancellation.listen(follower);
    },
    cancel: (reason) => cancellation.cancel(reason),
  };
}

/** Puts a question among the messages for the client; rejects when nobody will answer it any more. */
export function askThrough(
  items: MessageQueue<CallItem>,
  cancellation: Cancellation,
  call: McpCall,
): Promise<McpReply> {
  return new Promise((resolve, reject) => {
    if (cancellation.isCancelled) {
      reject(cancellation.reason);
      return;
    }
    const listener = { onCancel: reject };
    cancellation.listen(listener);
    const answer = (reply: McpReply): void => {
      cancellation.ignore(listener);
      resolve(reply);
    };
    void items.put({ type: "question", call, answer });
  });
}

/** Why a call ends whose client has left or has had enough. */
export function clientLeft(): GatewayError {
  return new GatewayError("client.closed", "The client does not wait any more.");
}
