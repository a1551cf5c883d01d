import { GatewayError } from "../../../kernel/errors.ts";
import type { McpCall, McpContext, McpFilter, McpSubscription } from "../../../mcp/backend.ts";
import type { JsonRpcMessage, JsonRpcRequest } from "../../../mcp/wire/json-rpc.ts";
import { withoutReserved } from "../../../mcp/wire/reserved-meta.ts";
import type { CallScope } from "./call-scope.ts";
import { openCallScope } from "./call-scope.ts";
import type { SessionTools } from "./legacy-session.ts";
import type { StreamPlace } from "./read-reply.ts";
import { streamMessages } from "./read-reply.ts";

/** The one stream of a session that belongs to no call, shared by all who listen. */
export interface StandaloneStream {
  /** Hands on news of the server's to those who want it; false when nobody does. */
  tell(news: McpCall): boolean;
  /** Opens the stream where it is not open yet, and resolves when the server has said whether there is one. */
  listen(filter: McpFilter, context: McpContext): Promise<McpSubscription>;
  /** Somebody listens, so the session is in use. */
  readonly isHeard: boolean;
  close(): void;
}

type AnswerServer = (message: JsonRpcRequest, context: McpContext | undefined, scope: CallScope) => Promise<void>;

const newsOf: ReadonlyMap<string, keyof McpFilter> = new Map([
  ["notifications/tools/list_changed", "toolsListChanged"],
  ["notifications/prompts/list_changed", "promptsListChanged"],
  ["notifications/resources/list_changed", "resourcesListChanged"],
  ["notifications/resources/updated", "resourceSubscriptions"],
]);

/** Whether a notification is news of the server rather than part of a call. */
export function isNews(method: string): boolean {
  return newsOf.has(method);
}

/** Somebody who wants news. */
export interface Listener {
  readonly filter: McpFilter;
  readonly context: McpContext;
  readonly ended: PromiseWithResolvers<void>;
}

const mostRetryMs = 30_000;

/** A stream for one session. It comes back by itself when it is cut off, from where it stood. */
export function createStandaloneStream(tools: SessionTools, answer: AnswerServer): StandaloneStream {
  const { link } = tools;
  const listeners = new Set<Listener>();
  let running: { readonly scope: CallScope; readonly opened: Promise<boolean> } | undefined;

  const tell = (news: McpCall): boolean => {
    let isHeard = false;
    for (const { filter, context } of listeners) {
      if (!wants(filter, news, context)) continue;
      isHeard = true;
      void Promise.resolve(context.notify(news)).catch(() => undefined); // who has left hears nothing
    }
    return isHeard;
  };
  const onMessage = (message: JsonRpcMessage, scope: CallScope): void => {
    if (message.type === "notification") tell({ method: message.method, params: withoutReserved(message.params) });
    if (message.type !== "request") return;
    const asked = [...listeners].find(({ context }) => context.client.era === "legacy")?.context;
    answer(message, asked, scope).catch(() => undefined); // the server's question runs out
  };
  const end = (error?: unknown): void => {
    running?.scope.end();
    running = undefined;
    for (const { ended } of listeners) {
      if (error === undefined) ended.resolve();
      else ended.reject(error);
    }
    listeners.clear();
  };
  const open = (): Promise<boolean> => {
    if (running !== undefined) return running.opened;
    const scope = openCallScope(undefined, link.clock, 0);
    const opened = Promise.withResolvers<boolean>();
    running = { scope, opened: opened.promise };
    run(tools, scope, opened.resolve, onMessage).then(
      (wasOpen) => {
        if (wasOpen) end();
      },
      (error: unknown) => {
        opened.resolve(false);
        end(error);
      },
    );
    return opened.promise;
  };
  const closeStream = (): void => {
    running?.scope.cancellation.cancel(new GatewayError("client.closed", "Nobody listens any more."));
    running = undefined;
  };
  return {
    tell,
    get isHeard() {
      return listeners.size > 0;
    },
    async listen(filter, context) {
      const listener: Listener = { filter, context, ended: Promise.withResolvers() };
      listener.ended.promise.catch(() => undefined); // whoever wants to know looks at it
      listeners.add(listener);
      const isOpen = await open();
      return {
        accepted: isOpen ? filter : {},
        ended: listener.ended.promise,
        close() {
          if (!listeners.delete(listener)) return;
          listener.ended.resolve();
          if (listeners.size === 0) closeStream();
        },
      };
    },
    close() {
      closeStream();
      end();
    },
  };
}

/** Whether the news is what the listener has asked for. */
export function wants(filter: McpFilter, { method, params }: McpCall, { client }: McpContext): boolean {
  const member = newsOf.get(method);
  if (member === undefined) return client.era === "legacy"; // log lines and the like: the other era has them in calls
  if (member !== "resourceSubscriptions") return filter[member] === true;
  return filter.resourceSubscriptions?.some((uri) => uri === params["uri"]) === true;
}

/** Reads the stream for as long as anybody wants it; false where the server has none. */
async function run(
  { link, handshake }: SessionTools,
  scope: CallScope,
  opened: (isOpen: boolean) => void,
  onMessage: (message: JsonRpcMessage, scope: CallScope) => void,
): Promise<boolean> {
  const { cancellation } = scope;
  const place: StreamPlace = { lastEventId: undefined, retryMs: 1_000 };
  for (let tries = 0; !cancellation.isCancelled; tries += 1) {
    const headers = {
      ...handshake.headers,
      ...(place.lastEventId !== undefined && { "last-event-id": place.lastEventId }),
    };
    const response = await link.send({ method: "GET", headers, context: undefined, cancellation });
    if (response.status !== 200) {
      response.body.discard();
      opened(false);
      return tries > 0; // one that was there and is not any more has ended
    }
    opened(true);
    try {
      for await (const message of streamMessages(response, { scope, events: link.events }, place, Infinity)) {
        onMessage(message, scope);
      }
    } catch (error) {
      if (cancellation.isCancelled) return true;
      if (!(error instanceof GatewayError) || error.code === "upstream.too_large") throw error;
    }
    await new Promise<void>((resolve) => link.clock.after(Math.min(place.retryMs, mostRetryMs), resolve));
  }
  return true;
}
