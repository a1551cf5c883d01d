import { Cancellation } from "../../../kernel/cancellation.ts";
import { GatewayError } from "../../../kernel/errors.ts";
import type { McpCall, McpContext, McpFacts, McpObject, McpReply } from "../../../mcp/backend.ts";
import type { JsonRpcNotification, JsonRpcRequest } from "../../../mcp/wire/json-rpc.ts";
import { isObject, jsonRpcCodes } from "../../../mcp/wire/json-rpc.ts";
import { withMeta, withoutReserved } from "../../../mcp/wire/reserved-meta.ts";
import { askerOf } from "../credentials/upstream-credential.ts";
import { tracedParams } from "../trace-message.ts";
import type { CallScope } from "./call-scope.ts";
import { openCallScope } from "./call-scope.ts";
import type { Handshake } from "./legacy-handshake.ts";
import { shakeHands } from "./legacy-handshake.ts";
import { readReply } from "./read-reply.ts";
import type { StandaloneStream } from "./standalone-stream.ts";
import { createStandaloneStream, isNews } from "./standalone-stream.ts";
import type { UpstreamLink } from "./upstream-link.ts";

/** A session with an upstream of the sessions' era. Many calls at once; each has an id of the session's own. */
export interface LegacySession {
  readonly facts: McpFacts;
  readonly stream: StandaloneStream;
  /** How many listen to each resource that is subscribed to. */
  readonly watched: Map<string, number>;
  /** `gone` when the server has forgotten the session, so that the request cannot have run. */
  request(call: McpCall, context: McpContext): Promise<McpReply | "gone">;
  notify(notification: McpCall, context: McpContext | undefined): Promise<void>;
  /** Ends it here and there; never throws. */
  close(): void;
}

/** What a session works with. */
export interface SessionTools {
  readonly link: UpstreamLink;
  readonly handshake: Handshake;
  nextId(): number;
}

const goodbyeMs = 5_000;

/** Begins a session for the client in `context`, with that client's own name, capabilities and log level. */
export async function openLegacySession(shared: UpstreamLink, context: McpContext): Promise<LegacySession> {
  const asker = askerOf(context.exchange); // also for what the session does between calls
  const link: UpstreamLink = { ...shared, send: (request) => shared.send({ asker, ...request }) };
  const handshake = await shakeHands(link, context);
  let lastId = 1;
  const tools: SessionTools = { link, handshake, nextId: () => (lastId += 1) };
  const stream = createStandaloneStream(tools, (message, own, scope) => answerServer(tools, message, own, scope));
  const session: LegacySession = {
    facts: handshake.facts,
    stream,
    watched: new Map(),
    request: (call, own) => request(tools, stream, call, own),
    async notify({ method, params }, own) {
      await tell(tools, { jsonrpc: "2.0", method, params }, own, undefined);
    },
    close() {
      stream.close();
      if (handshake.session === undefined) return;
      void aside(tools, (cancellation) =>
        link.send({ method: "DELETE", headers: handshake.headers, context: undefined, cancellation }),
      );
    },
  };
  const { logLevel } = context.client;
  if (logLevel !== undefined && handshake.facts.capabilities["logging"] !== undefined) {
    await session.request({ method: "logging/setLevel", params: { level: logLevel } }, context);
  }
  return session;
}

async function request(
  tools: SessionTools,
  stream: StandaloneStream,
  call: McpCall,
  context: McpContext,
): Promise<McpReply | "gone"> {
  const { link, handshake } = tools;
  const id = tools.nextId();
  const scope = openCallScope(context.cancellation, link.clock, link.timeouts.idleMs);
  const progressToken = context.progressToken === undefined ? undefined : id;
  const params = withMeta(tracedParams(call.params, context), { progressToken });
  const message = { jsonrpc: "2.0", id, method: call.method, params };
  const reader = {
    id,
    scope,
    maxBytes: link.maxBytes,
    events: link.events,
    onOther: (other: JsonRpcRequest | JsonRpcNotification) => hear(tools, stream, other, { id, context, scope }),
  };
  try {
    const { headers, session } = handshake;
    const asked = { method: "POST", message, headers, context, cancellation: scope.cancellation } as const;
    let response = await link.send(asked);
    if (response.status === 404 && session !== undefined) {
      response.body.discard();
      return "gone";
    }
    for (let rounds = 0; ; rounds += 1) {
      const heard = await readReply(response, reader);
      if (heard.type === "reply") return heard.reply;
      if (heard.lastEventId === undefined || rounds >= maxRounds) {
        throw new GatewayError("upstream.reset", "The MCP server's stream ended without an answer.", {
          cause: heard.cause,
        });
      }
      await pause(tools, heard.retryMs, scope);
      response = await resume(tools, heard.lastEventId, context, scope);
    }
  } catch (error) {
    if (scope.cancellation.isCancelled) tellCancelled(tools, id);
    throw scope.cancellation.isCancelled ? scope.cancellation.reason : error;
  } finally {
    scope.end();
  }
}

/** As often as a server may close a call's stream and have it opened again. */
const maxRounds = 100;
const longestRetryMs = 30_000;

function pause({ link }: SessionTools, ms: number, { cancellation }: CallScope): Promise<void> {
  return new Promise((resolve, reject) => {
    const listener = {
      onCancel(reason: unknown): void {
        stop();
        reject(reason);
      },
    };
    const stop = link.clock.after(Math.min(ms, longestRetryMs), () => {
      cancellation.ignore(listener);
      resolve();
    });
    if (cancellation.isCancelled) listener.onCancel(cancellation.reason);
    else cancellation.listen(listener);
  });
}

/** The rest of a stream that the server closed on purpose (2025-11-25, basic/transports, "Resumability"). */
async function resume(
  { link, handshake }: SessionTools,
  lastEventId: string,
  context: McpContext,
  { cancellation }: CallScope,
): ReturnType<UpstreamLink["send"]> {
  const headers = { ...handshake.headers, "last-event-id": lastEventId };
  const response = await link.send({ method: "GET", headers, context, cancellation });
  if (response.status === 200) return response;
  response.body.discard();
  throw new GatewayError("upstream.reset", "The MCP server's stream ended, and cannot be resumed.", {
    detail: `status ${response.status}`,
  });
}

interface Running {
  readonly id: number;
  readonly context: McpContext;
  readonly scope: CallScope;
}

/** What a server says in the middle of a call. */
function hear(
  tools: SessionTools,
  stream: StandaloneStream,
  message: JsonRpcRequest | JsonRpcNotification,
  { id, context, scope }: Running,
): ReturnType<McpContext["notify"]> {
  if (message.type === "request") {
    answerServer(tools, message, context, scope).catch((error: unknown) => scope.cancellation.cancel(error));
    return undefined;
  }
  const params = withoutReserved(message.params);
  if (message.method === "notifications/progress") {
    const token = context.progressToken;
    if (token === undefined || params["progressToken"] !== id) return undefined; // nobody here has asked for it
    return context.notify({ method: message.method, params: { ...params, progressToken: token } });
  }
  const told = { method: message.method, params };
  if (isNews(message.method) && (stream.tell(told) || context.client.era === "modern")) return undefined;
  return context.notify(told);
}

/** Brings the server the client's reply to what it has asked. While the client thinks, silence is no fault. */
async function answerServer(
  tools: SessionTools,
  { id, method, params }: JsonRpcRequest,
  context: McpContext | undefined,
  scope: CallScope,
): Promise<void> {
  const isTooMuch = scope.holders >= maxQuestions;
  const release = scope.hold();
  try {
    const reply = isTooMuch ? tooMany : await askClient(method, params, context);
    await tell(tools, { jsonrpc: "2.0", id, ...reply }, context, scope.cancellation);
  } finally {
    release();
  }
}

/** So much may a server ask at the same time in one call: what waits for a client is kept. */
const maxQuestions = 32;
const tooMany: McpReply = {
  error: {
    code: jsonRpcCodes.invalidRequest,
    message: `More than ${maxQuestions} questions wait for the client already.`,
  },
};

function askClient(method: string, params: McpObject, context: McpContext | undefined): McpReply | Promise<McpReply> {
  if (method === "ping") return { result: {} };
  if (context === undefined) {
    return { error: { code: jsonRpcCodes.methodNotFound, message: "No client is here to be asked." } };
  }
  return context.ask({ method, params: withoutReserved(params) });
}

/** Sends a message that has no answer: a notification, or the reply to the server's own question. */
async function tell(
  { link, handshake }: SessionTools,
  message: McpObject,
  context: McpContext | undefined,
  cancellation: Cancellation | undefined,
): Promise<void> {
  const scope = openCallScope(cancellation ?? context?.cancellation, link.clock, link.timeouts.firstByteMs);
  try {
    const { headers } = handshake;
    const response = await link.send({
      method: "POST",
      message: isObject(message["params"]) && Object.keys(message["params"]).length === 0 ? bare(message) : message,
      headers,
      context,
      cancellation: scope.cancellation,
    });
    response.body.discard();
    if (response.status < 400) return;
    throw new GatewayError("upstream.invalid", "The MCP server refused a message of the client's.", {
      detail: `status ${response.status}`,
    });
  } finally {
    scope.end();
  }
}

function bare({ params: _, ...message }: McpObject): McpObject {
  return message;
}

/** In this era leaving is no cancellation: the server is told (2025-11-25, basic/utilities/cancellation). */
function tellCancelled(tools: SessionTools, requestId: number): void {
  const params = { requestId, reason: "The client does not wait any more." };
  void aside(tools, (cancellation) =>
    tools.link.send({
      method: "POST",
      message: { jsonrpc: "2.0", method: "notifications/cancelled", params },
      headers: tools.handshake.headers,
      context: undefined,
      cancellation,
    }),
  );
}

/** Something that nobody waits for, for as long as it may take at most. */
async function aside(
  { link }: SessionTools,
  send: (cancellation: Cancellation) => ReturnType<UpstreamLink["send"]>,
): Promise<void> {
  const late = new Cancellation();
  const stop = link.clock.after(goodbyeMs, () => late.cancel(new GatewayError("upstream.timeout", "Too late.")));
  try {
    (await send(late)).body.discard();
  } catch {
    // The server finds out by itself: its session runs out, or its answer finds nobody.
  } finally {
    stop();
  }
}
