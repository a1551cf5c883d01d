import { GatewayError } from "../../../kernel/errors.ts";
import type { McpCall, McpContext, McpReply } from "../../../mcp/backend.ts";
import { legacyResult } from "../../../mcp/wire/era-results.ts";
import type { JsonRpcId, JsonRpcRequest } from "../../../mcp/wire/json-rpc.ts";
import { jsonRpcCodes } from "../../../mcp/wire/json-rpc.ts";
import { withoutReserved } from "../../../mcp/wire/reserved-meta.ts";
import type { Answer } from "../../../pipeline/exchange.ts";
import { mcpRequest } from "../mcp-request.ts";
import { ownerOf } from "../open-session.ts";
import { beginAnswer } from "./call-messages.ts";
import { missingCapability } from "./client-capabilities.ts";
import type { CallItem, FaceCall } from "./face-call.ts";
import { beginCall, clientLeft } from "./face-call.ts";
import { streamAnswer, takenAnswer, wholeAnswer } from "./face-frames.ts";
import type { FaceRequest } from "./face-tools.ts";
import { callFacts, idle } from "./face-tools.ts";
import { withInputRounds } from "./input-rounds.ts";
import { answerInitialize } from "./legacy-initialize.ts";
import { answerStream } from "./legacy-stream.ts";
import type { SessionPlace } from "./session-place.ts";
import { sessionOf } from "./session-place.ts";
import { questionMessage } from "./waiting-answers.ts";

/** A message of a client of the sessions' era, answered from a backend of whichever. */
export async function answerLegacy(request: FaceRequest): Promise<Answer> {
  const { operation, exchange, tools } = request;
  const { type, message } = mcpRequest(operation);
  if (message?.type === "request" && message.method === "initialize") return answerInitialize(request, message);
  if (message?.type === "request" && message.method === "ping") return answered(request, message.id, { result: {} });
  const at = sessionOf(request);
  if (type === "end-session") return endSession(request, at);
  if (type === "stream") return answerStream(request, at);
  if (message?.type === "response") {
    const { id, result = {}, error } = message;
    const reply: McpReply = error === undefined ? { result: withoutReserved(result) } : { error };
    if (id !== undefined && tools.answers.take(ownerOf(exchange), at.id, id, reply)) return takenAnswer();
    throw new GatewayError(
      "request.invalid",
      "Nothing waits for this answer here: it came late, or to another gateway.",
    );
  }
  if (message?.type === "notification") return takeNotification(request, at, message);
  if (message?.type === "request") return answerRequest(request, at, message);
  throw new GatewayError("request.invalid", "The request holds nothing to do.");
}

function endSession({ exchange, operation, backend, tools }: FaceRequest, at: SessionPlace): Answer {
  tools.sessions.end(ownerOf(exchange), at.id);
  backend.sessionEnded?.(idle(callFacts(exchange, operation, at.client, at.id), exchange.cancellation));
  return takenAnswer(200);
}

async function takeNotification(
  { exchange, operation, backend, tools }: FaceRequest,
  at: SessionPlace,
  { method, params }: McpCall,
): Promise<Answer> {
  if (method === "notifications/initialized") return takenAnswer();
  if (method === "notifications/cancelled") {
    const { requestId } = params;
    if (typeof requestId === "string" || typeof requestId === "number") {
      tools.running.get(runningKey(ownerOf(exchange), at.id, requestId))?.cancel(clientLeft());
    }
    return takenAnswer();
  }
  const context = idle(callFacts(exchange, operation, at.client, at.id), exchange.cancellation);
  await backend.notify({ method, params: withoutReserved(params) }, context);
  return takenAnswer();
}

function runningKey(owner: string, session: string, id: JsonRpcId): string {
  return JSON.stringify([owner, session, id]);
}

/** Methods that only the other era has. */
const notHere: ReadonlySet<string> = new Set(["server/discover", "subscriptions/listen"]);

async function answerRequest(request: FaceRequest, at: SessionPlace, message: JsonRpcRequest): Promise<Answer> {
  const { id, method, params } = message;
  if (notHere.has(method)) return answered(request, id, notFound);
  if (method === "logging/setLevel" && typeof params["level"] === "string") at.memory.logLevel = params["level"];
  if (method === "resources/subscribe" || method === "resources/unsubscribe") {
    return answered(request, id, await watch(at, method, params["uri"]));
  }
  return runRequest(request, at, message);
}

/** What is watched is the session's; the stream of news follows where it is open. */
async function watch({ memory }: SessionPlace, method: string, uri: unknown): Promise<McpReply> {
  if (typeof uri !== "string") {
    return { error: { code: jsonRpcCodes.invalidParams, message: "`params.uri` must be a string." } };
  }
  if (method === "resources/unsubscribe") memory.watched.delete(uri);
  else if (memory.watched.size < maxWatched) memory.watched.add(uri);
  else return { error: { code: jsonRpcCodes.invalidParams, message: "This session watches too many resources." } };
  await memory.follow?.();
  return { result: {} };
}

const maxWatched = 1_000;
const notFound: McpReply = { error: { code: jsonRpcCodes.methodNotFound, message: "Method not found" } };

async function runRequest(request: FaceRequest, at: SessionPlace, message: JsonRpcRequest): Promise<Answer> {
  const { exchange, operation, backend, tools } = request;
  const owner = ownerOf(exchange);
  const { id, method } = message;
  const call: McpCall = { method, params: withoutReserved(message.params, { progressToken: "drop" }) };
  const facts = callFacts(exchange, operation, at.client, at.id);
  const running = beginCall(facts, call, (context) =>
    withInputRounds(backend, call, { ...context, ask: (question) => askIfAble(question, at, context) }),
  );
  const key = runningKey(owner, at.id, id);
  tools.running.set(key, running);
  running.attach(exchange);
  const over = (): void => {
    if (tools.running.get(key) === running) tools.running.delete(key);
    running.cancel(clientLeft());
  };
  try {
    const { first, rest } = await beginAnswer(running, tools.clock);
    const isWhole = first !== undefined && first !== "silence" && first.type === "reply";
    if (isWhole && !prefersStream(exchange.inbound.headers.accept)) {
      over();
      return answered(request, id, first.reply, method);
    }
    return streamAnswer(request, messagesOf(request, at, message, running, rest), over);
  } catch (error) {
    over();
    if (mcpRequest(operation).seen.isCancelled && !exchange.cancellation.isCancelled) {
      return streamAnswer(request, nothing(), over); // its client waits for nothing more
    }
    throw error;
  }
}

/** A client that names event streams first gets one also where the reply is all there is. */
function prefersStream(accept: string | undefined): boolean {
  return accept !== undefined && /^\s*text\/event-stream\b/i.test(accept);
}

async function* nothing(): AsyncGenerator<object> {}

function askIfAble(question: McpCall, { client }: SessionPlace, context: McpContext): Promise<McpReply> {
  const missing = missingCapability(question, client.capabilities);
  if (missing === undefined) return context.ask(question);
  const message = `The client cannot be asked: it has not declared ${missing}.`;
  return Promise.resolve({ error: { code: jsonRpcCodes.methodNotFound, message } });
}

async function* messagesOf(
  { exchange, tools }: FaceRequest,
  at: SessionPlace,
  { id, method }: JsonRpcRequest,
  running: FaceCall,
  items: AsyncGenerator<CallItem | "silence">,
): AsyncGenerator<object | undefined> {
  const owner = ownerOf(exchange);
  for await (const item of items) {
    if (item === "silence") yield undefined;
    else if (item.type === "notification") yield { jsonrpc: "2.0", ...item.call };
    else if (item.type === "question") yield questionMessage(tools.answers, owner, at.id, item, running.cancellation);
    else yield replyMessage(id, item.reply, method);
  }
}

function replyMessage(id: JsonRpcId, reply: McpReply, method: string): object {
  if ("error" in reply) return { jsonrpc: "2.0", id, error: reply.error };
  return { jsonrpc: "2.0", id, result: legacyResult(method, reply.result) };
}

function answered(request: FaceRequest, id: JsonRpcId, reply: McpReply, method = ""): Answer {
  return wholeAnswer(request, replyMessage(id, reply, method));
}
