import type { Clock } from "../../../kernel/clock.ts";
import { GatewayError, toGatewayError } from "../../../kernel/errors.ts";
import type { McpBackend, McpCall, McpContext, McpFilter, McpReply } from "../../../mcp/backend.ts";
import type { TaskOwners } from "../../../mcp/task-owners.ts";
import type { JsonRpcRequest } from "../../../mcp/wire/json-rpc.ts";
import { readJsonRpc } from "../../../mcp/wire/json-rpc.ts";
import { messageTarget } from "../../../mcp/wire/message-target.ts";
import type { Answer, Exchange, Operation } from "../../../pipeline/exchange.ts";
import type { Deny, Outcome } from "../../../pipeline/outcome.ts";
import { refusalError } from "../../../pipeline/outcome.ts";
import type { NestedRunner } from "../../../pipeline/run-nested.ts";
import type { CompiledApi, Snapshot } from "../../../pipeline/snapshot.ts";
import { authorizeMcp } from "../authorize-mcp.ts";
import { refusePinned } from "../check-pins.ts";
import { behindOf } from "../compile-mcp.ts";
import { operationOf } from "../decode-message.ts";
import type { CallItem, FaceCall, Question } from "../face/face-call.ts";
import { beginCall, clientLeft } from "../face/face-call.ts";
import { streamAnswer, wholeAnswer } from "../face/face-frames.ts";
import { notBridged } from "../face/modern-face.ts";
import { faultResult, isToldAsResult } from "../fault-message.ts";
import { jsonRpcError } from "../json-rpc-error.ts";
import { mcpRequest, nothingSeen } from "../mcp-request.ts";
import { memberExchange } from "./member-exchange.ts";

export interface MemberBackendParts {
  readonly clock: Clock;
  readonly tasks: TaskOwners;
  readonly runner: NestedRunner;
}

/**
 * A published MCP server as a part of another one. A request goes through the server's own chain, authorization, pins,
 * limits and breaker, for the caller of the other one: there is no way around what holds for the server by itself. It is
 * found by name in the snapshot that the call began with.
 */
export function createMemberBackend(name: string, parts: MemberBackendParts): McpBackend {
  return {
    async facts(context) {
      const { api, backend } = find(name, context);
      const { refusal } = memberExchange(exchangeOf(context), api, context, noCall);
      if (refusal !== undefined) throw refusalError(refusal);
      return backend.facts(context);
    },
    request: (call, context) => request(name, call, context, parts),
    notify: (notification, context) => find(name, context).backend.notify(notification, context),
    async listen(filter, context) {
      const { api, backend } = find(name, context);
      return backend.listen(permitted(filter, context, api), context);
    },
    sessionEnded(context) {
      find(name, context).backend.sessionEnded?.(context);
    },
    dispose() {},
  };
}

interface Found {
  readonly api: CompiledApi;
  readonly backend: McpBackend;
  /** Whether a call may wait there while its client is away. */
  readonly mayPark: boolean;
}

const byName = new WeakMap<Snapshot, Map<string, CompiledApi | undefined>>();

function find(name: string, context: McpContext): Found {
  const { snapshot, principal } = exchangeOf(context);
  const known = byName.get(snapshot) ?? new Map<string, CompiledApi | undefined>();
  byName.set(snapshot, known);
  if (!known.has(name)) {
    known.set(
      name,
      snapshot.apis.find((api) => api.kind === "McpServer" && api.name === name),
    );
  }
  const api = known.get(name);
  const target = api?.protocol.upstreams[principal?.environment ?? "production"].targets[0];
  if (api === undefined || target === undefined) {
    throw new GatewayError("upstream.unavailable", "A part of this server is not deployed.", { detail: name });
  }
  const { backend, plain = backend, parking } = behindOf(target);
  return { api, backend: plain, mayPark: parking.park };
}

function exchangeOf({ exchange }: McpContext): Exchange {
  if (exchange !== undefined) return exchange;
  throw new GatewayError("internal", "A virtual server serves callers only.");
}

const noCall = (): never => {
  throw new GatewayError("internal", "Nothing is called here.");
};

async function request(name: string, call: McpCall, context: McpContext, parts: MemberBackendParts): Promise<McpReply> {
  const { api, backend, mayPark } = find(name, context);
  const held: { running?: FaceCall } = {};
  const { exchange, refusal } = memberExchange(exchangeOf(context), api, context, async (own, operation) => {
    // The runner and the guardrails have seen the operation, which may be another call than before.
    const asked = callOf(operation, call);
    const running = beginCall(context, asked, (inner) => backend.request(asked, inner));
    held.running = running;
    running.attach(own);
    return answerOf(running, own, operation, parts);
  });
  if (refusal !== undefined) return denied(refusal);
  const operation = operationFor(exchange, call, context);
  exchange.operations.push(operation);
  let outcome: Outcome | undefined;
  try {
    outcome = await parts.runner.run(exchange, operation);
    if (outcome.type === "failed") throw outcome.error;
    if (outcome.type === "denied") return denied(outcome.deny, operation);
    return await replyIn(outcome.answer, mayPark ? context : unparked(context), questionsOf(exchange), (error) =>
      held.running?.cancel(error),
    );
  } catch (error) {
    outcome = { type: "failed", error: toGatewayError(error) };
    throw error;
  } finally {
    held.running?.cancel(clientLeft());
    await parts.runner.end(exchange, operation, outcome ?? { type: "failed", error: clientLeft() });
  }
}

function denied(refusal: Deny, operation?: Operation): McpReply {
  if (isToldAsResult(operation, refusal)) return { result: faultResult(refusal, "legacy") };
  return { error: jsonRpcError(undefined, refusal).error };
}

/** A message of the gateway's own to the member, in the newest era's words. */
function operationFor(exchange: Exchange, call: McpCall, { client }: McpContext): Operation {
  const message: JsonRpcRequest = { type: "request", id: 1, ...call };
  const target = messageTarget(message);
  if ("fault" in target) throw new GatewayError("mcp.invalid_params", `The request is refused: ${target.fault}.`);
  const own = {
    type: "message",
    message,
    era: client.era,
    protocolVersion: client.protocolVersion,
    session: undefined,
    target,
    mirrored: new Map(),
    seen: nothingSeen(),
  } as const;
  const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", id: 1, ...call }));
  return operationOf(exchange, call.method, target.names[0] ?? "", body, own);
}

function callOf(operation: Operation, call: McpCall): McpCall {
  const { message } = mcpRequest(operation);
  return message?.type === "request" ? { method: message.method, params: message.params } : call;
}

const asked = new WeakMap<Exchange, Map<number, Question>>();

function questionsOf(exchange: Exchange): Map<number, Question> {
  const known = asked.get(exchange) ?? new Map<number, Question>();
  asked.set(exchange, known);
  return known;
}

/** The context of a call that may not be kept waiting for a client who can be asked by a result only. */
function unparked(context: McpContext): McpContext {
  if (context.client.era === "legacy") return context;
  const ask: McpContext["ask"] = ({ method }) => Promise.reject(notBridged(method));
  return { ...context, ask };
}

/** The call's messages as frames, so that what judges answers sees them all. */
async function answerOf(
  running: FaceCall,
  exchange: Exchange,
  operation: Operation,
  { clock, tasks }: MemberBackendParts,
): Promise<Answer> {
  const turn = { exchange, operation, clock, tasks };
  const first = await running.items.take();
  if (first === undefined) throw new GatewayError("upstream.reset", "The MCP server gave no answer.");
  if (first.type === "reply") return wholeAnswer(turn, messageOf(first));
  return streamAnswer(turn, messagesOf(running, first, questionsOf(exchange)), () => undefined);
}

async function* messagesOf(
  running: FaceCall,
  first: CallItem,
  questions: Map<number, Question>,
): AsyncGenerator<object> {
  let item: CallItem | undefined = first;
  while (item !== undefined) {
    if (item.type === "question") {
      questions.set(questions.size + 1, item);
      yield { jsonrpc: "2.0", id: questions.size, ...item.call };
    } else yield messageOf(item);
    if (item.type === "reply") return;
    item = await running.items.take();
  }
}

function messageOf(item: Exclude<CallItem, Question>): object {
  if (item.type === "notification") return { jsonrpc: "2.0", ...item.call };
  return { jsonrpc: "2.0", id: 1, ...item.reply };
}

async function replyIn(
  { body }: Answer,
  context: McpContext,
  questions: ReadonlyMap<number, Question>,
  cancel: (reason: unknown) => void,
): Promise<McpReply> {
  if (body.type === "whole") return replyOf(body.frame.message());
  for await (const frame of body.frames) {
    const message = readJsonRpc(frame.message());
    if (message.type === "notification") await context.notify({ method: message.method, params: message.params });
    if (message.type === "response") return replyOf(frame.message());
    if (message.type !== "request") continue;
    const question = questions.get(Number(message.id));
    // The client is asked in what the guardrails have left of the question; the call waits for the answer meanwhile.
    const answering = context.ask({ method: message.method, params: message.params });
    answering.then(
      (reply) => question?.answer(reply),
      (error: unknown) => cancel(error),
    );
  }
  throw new GatewayError("upstream.reset", "The MCP server's stream ended without an answer.");
}

function replyOf(value: unknown): McpReply {
  const message = readJsonRpc(value);
  if (message.type === "response" && message.error !== undefined) return { error: message.error };
  if (message.type === "response" && message.result !== undefined) return { result: message.result };
  throw new GatewayError("upstream.invalid", "The MCP server's answer is no response.");
}

/** What of a filter this caller may hear of at the member. */
function permitted(filter: McpFilter, context: McpContext, api: CompiledApi): McpFilter {
  const { exchange, refusal } = memberExchange(exchangeOf(context), api, context, noCall);
  if (refusal !== undefined) throw refusalError(refusal);
  const { resourceSubscriptions, ...flags } = filter;
  if (resourceSubscriptions === undefined) return filter;
  const mine = resourceSubscriptions.filter((uri) => {
    const operation = operationFor(exchange, { method: "resources/subscribe", params: { uri } }, context);
    return refusePinned(exchange, operation) === undefined && authorizeMcp(exchange, operation) === undefined;
  });
  return mine.length === 0 ? flags : { ...flags, resourceSubscriptions: mine };
}
