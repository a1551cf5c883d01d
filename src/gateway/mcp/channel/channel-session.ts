import type { Clock } from "../../../kernel/clock.ts";
import { GatewayError } from "../../../kernel/errors.ts";
import type { McpCall, McpContext, McpObject, McpReply } from "../../../mcp/backend.ts";
import type { JsonRpcMessage, JsonRpcNotification, JsonRpcRequest } from "../../../mcp/wire/json-rpc.ts";
import { jsonRpcCodes } from "../../../mcp/wire/json-rpc.ts";
import { withMeta, withoutReserved } from "../../../mcp/wire/reserved-meta.ts";
import type { UpstreamTimeouts } from "../../../pipeline/adapter.ts";
import { tracedParams } from "../trace-message.ts";
import type { CallScope } from "../upstream-server/call-scope.ts";
import { openCallScope } from "../upstream-server/call-scope.ts";
import { handshakeFacts, initializeParams } from "../upstream-server/legacy-handshake.ts";
import type { LegacySession } from "../upstream-server/legacy-session.ts";
import { replyOf } from "../upstream-server/read-reply.ts";
import { isNews } from "../upstream-server/standalone-stream.ts";
import type { ChannelNews } from "./channel-news.ts";
import { createChannelNews } from "./channel-news.ts";
import type { McpChannel } from "./mcp-channel.ts";

export interface ChannelSessionParts {
  readonly clock: Clock;
  readonly timeouts: UpstreamTimeouts;
  /**
   * `several`: callers of different principals share the session, so that the server can ask nobody, and nothing that
   * belongs to no call is told: it could be another's.
   */
  readonly callers: "one" | "several";
}

interface Running {
  readonly context: McpContext;
  readonly scope: CallScope;
  readonly reply: PromiseWithResolvers<McpReply>;
}

interface Session extends ChannelSessionParts {
  readonly channel: McpChannel;
  readonly news: ChannelNews;
  /** By the session's own ids, in the order in which they began. */
  readonly running: Map<number, Running>;
  lastId: number;
  isOver: boolean;
}

/**
 * A session of the era up to 2025-11-25 over a channel, begun in the name of the context's client. Rejects with
 * `GatewayError("upstream.…")`, and lets go of the channel, where the server does not begin one.
 */
export async function openChannelSession(
  channel: McpChannel,
  parts: ChannelSessionParts,
  context: McpContext,
): Promise<LegacySession> {
  const session: Session = {
    ...parts,
    channel,
    news: createChannelNews(),
    running: new Map(),
    lastId: 0,
    isOver: false,
  };
  channel.hear((message) => take(session, message));
  void channel.closed.then((error) => {
    session.isOver = true;
    for (const { reply } of session.running.values()) reply.reject(error);
    session.news.end(error);
  });
  try {
    const reply = await ask(session, { method: "initialize", params: initializeParams(context.client) }, context);
    const { facts } = handshakeFacts(reply);
    await channel.send({ jsonrpc: "2.0", method: "notifications/initialized" }, context);
    return sessionOver(session, facts, context);
  } catch (error) {
    channel.close();
    throw error;
  }
}

async function sessionOver(
  session: Session,
  facts: LegacySession["facts"],
  opening: McpContext,
): Promise<LegacySession> {
  const { channel, news, callers } = session;
  const { logLevel } = opening.client;
  if (logLevel !== undefined && facts.capabilities["logging"] !== undefined) {
    await ask(session, { method: "logging/setLevel", params: { level: logLevel } }, opening);
  }
  return {
    facts,
    stream: news,
    watched: new Map(),
    async request(call, context) {
      if (session.isOver) return "gone";
      // One caller's wish would be everybody's.
      if (callers === "several" && call.method === "logging/setLevel") return { result: {} };
      return ask(session, call, context);
    },
    async notify({ method, params }, context) {
      if (callers === "one" && !session.isOver) await channel.send({ jsonrpc: "2.0", method, params }, context);
    },
    close() {
      news.close();
      channel.close();
    },
  };
}

async function ask(session: Session, call: McpCall, context: McpContext): Promise<McpReply> {
  const { channel, clock, timeouts, running } = session;
  session.lastId += 1;
  const id = session.lastId;
  const scope = openCallScope(context.cancellation, clock, timeouts.idleMs);
  const reply = Promise.withResolvers<McpReply>();
  const listener = { onCancel: reply.reject };
  if (scope.cancellation.isCancelled) reply.reject(scope.cancellation.reason);
  else scope.cancellation.listen(listener);
  running.set(id, { context, scope, reply });
  const progressToken = context.progressToken === undefined ? undefined : id;
  try {
    const params = withMeta(tracedParams(call.params, context), { progressToken });
    await Promise.race([channel.send({ jsonrpc: "2.0", id, method: call.method, params }, context), reply.promise]);
    return await reply.promise;
  } catch (error) {
    const isInitialize = call.method === "initialize"; // which must not be cancelled (2025-11-25, utilities/cancellation)
    if (scope.cancellation.isCancelled && !session.isOver && !isInitialize) tellCancelled(session, id);
    throw error;
  } finally {
    running.delete(id);
    scope.end();
    reply.promise.catch(() => undefined); // told above
  }
}

function tellCancelled({ channel }: Session, requestId: number): void {
  const params = { requestId, reason: "The client does not wait any more." };
  channel.send({ jsonrpc: "2.0", method: "notifications/cancelled", params }, undefined).catch(() => undefined); // it is over then
}

function take(session: Session, message: JsonRpcMessage): void {
  switch (message.type) {
    case "response": {
      const { id } = message;
      if (typeof id === "number") session.running.get(id)?.reply.resolve(replyOf(message)); // another's is nobody's
      return;
    }
    case "request":
      void answer(session, message);
      return;
    case "notification":
      tell(session, message);
  }
}

/** What the server asks goes to the call that began last: all of them are of the same client. */
async function answer(session: Session, { id, method, params }: JsonRpcRequest): Promise<void> {
  const { channel } = session;
  const asked = session.callers === "one" ? [...session.running.values()].at(-1) : undefined;
  const release = asked?.scope.hold();
  try {
    const reply = await replyTo(method, params, asked);
    await channel.send({ jsonrpc: "2.0", id, ...reply }, asked?.context);
  } catch {
    // The channel is over, or the caller has left, who is told of that elsewhere.
  } finally {
    release?.();
  }
}

/** So much may a server ask at the same time: what waits for a client is kept. */
const maxQuestions = 32;

async function replyTo(method: string, params: McpObject, asked: Running | undefined): Promise<McpReply> {
  if (method === "ping") return { result: {} };
  if (asked === undefined) return fault(jsonRpcCodes.methodNotFound, "No client is here to be asked.");
  if (asked.scope.holders > maxQuestions) {
    return fault(jsonRpcCodes.invalidRequest, `More than ${maxQuestions} questions wait for the client already.`);
  }
  try {
    return await asked.context.ask({ method, params: withoutReserved(params) });
  } catch {
    return fault(jsonRpcCodes.internalError, "The client has left.");
  }
}

function fault(code: number, message: string): McpReply {
  return { error: { code, message } };
}

function tell({ running, news, callers }: Session, { method, params: given }: JsonRpcNotification): void {
  const params = withoutReserved(given);
  for (const { scope } of running.values()) if (callers === "one") scope.heard();
  if (method === "notifications/progress") {
    const { progressToken } = params;
    const found = typeof progressToken === "number" ? running.get(progressToken) : undefined;
    found?.scope.heard();
    const token = found?.context.progressToken;
    if (found !== undefined && token !== undefined) {
      quietly(found.context.notify({ method, params: { ...params, progressToken: token } }));
    }
    return;
  }
  const told = { method, params };
  if (isNews(method)) {
    const last = callers === "one" ? [...running.values()].at(-1) : undefined;
    if (!news.tell(told) && last?.context.client.era === "legacy") quietly(last.context.notify(told));
    return;
  }
  if (callers === "several") return;
  const last = [...running.values()].at(-1);
  if (last === undefined) news.tell(told);
  else quietly(last.context.notify(told));
}

function quietly(waiting: ReturnType<McpContext["notify"]>): void {
  if (waiting instanceof Promise) waiting.catch(() => undefined); // who has left hears nothing
}

/** The error of calls on a channel that has ended. */
export function channelEnded(detail: string): GatewayError {
  return new GatewayError("upstream.reset", "The MCP server has ended the connection.", { detail });
}
