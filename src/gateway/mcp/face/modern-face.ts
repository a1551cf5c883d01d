import { GatewayError } from "../../../kernel/errors.ts";
import type { McpCall, McpClientFacts, McpFault, McpObject, McpReply } from "../../../mcp/backend.ts";
import { bridgedCapabilities, modernResult } from "../../../mcp/wire/era-results.ts";
import type { JsonRpcId, JsonRpcRequest } from "../../../mcp/wire/json-rpc.ts";
import { isObject, jsonRpcCodes } from "../../../mcp/wire/json-rpc.ts";
import { claimedVersion, metaKeys, modernCodes, modernVersions } from "../../../mcp/wire/modern.ts";
import { withoutReserved } from "../../../mcp/wire/reserved-meta.ts";
import type { Answer } from "../../../pipeline/exchange.ts";
import { mcpRequest } from "../mcp-request.ts";
import { ownerOf } from "../open-session.ts";
import { unrepeated } from "../tool-headers.ts";
import { beginAnswer } from "./call-messages.ts";
import { capabilityObject, isQuestion, missingCapability } from "./client-capabilities.ts";
import type { CallItem, FaceCall, Question } from "./face-call.ts";
import { beginCall, clientLeft } from "./face-call.ts";
import { faultAnswer, streamAnswer, takenAnswer, wholeAnswer } from "./face-frames.ts";
import type { FaceRequest } from "./face-tools.ts";
import { callFacts, idle } from "./face-tools.ts";
import { answerListen } from "./modern-listen.ts";
import type { ParkedCall } from "./parking.ts";

/** Methods that only the era of sessions has. */
const notHere: ReadonlySet<string> = new Set([
  "initialize",
  "ping",
  "logging/setLevel",
  "resources/subscribe",
  "resources/unsubscribe",
  "tasks/list",
  "tasks/result",
]);

/** A message of a client of the stateless era, answered from a backend of whichever. */
export async function answerModern(request: FaceRequest): Promise<Answer> {
  const { message } = mcpRequest(request.operation);
  if (message?.type === "notification") return takenAnswer(); // this era has none over HTTP; nobody waits for them
  if (message?.type !== "request") {
    throw new GatewayError("request.invalid", "A client of this protocol version sends no responses.");
  }
  const client = clientOf(message);
  const { id, method } = message;
  if (notHere.has(method)) return faultAnswer(request, id, notFound);
  if (method === "server/discover") return answerDiscover(request, id, client);
  if (method === "subscriptions/listen") return answerListen(request, message, client);
  return answerCall(request, message, client);
}

const notFound: McpFault = { code: jsonRpcCodes.methodNotFound, message: "Method not found" };

function clientOf(message: JsonRpcRequest): McpClientFacts {
  const client = modernClient(message);
  if (client !== undefined) return client;
  const missing = claimedVersion(message) === undefined ? metaKeys.protocolVersion : metaKeys.clientCapabilities;
  throw new GatewayError("mcp.invalid_params", `\`params._meta\` must have \`${missing}\`.`);
}

/** What a request of this era tells of its client; undefined where it lacks what it must tell. */
export function modernClient(message: JsonRpcRequest): McpClientFacts | undefined {
  const meta = isObject(message.params["_meta"]) ? message.params["_meta"] : {};
  const { [metaKeys.clientCapabilities]: capabilities, [metaKeys.clientInfo]: info, [metaKeys.logLevel]: level } = meta;
  const version = claimedVersion(message);
  if (version === undefined || !isObject(capabilities)) return undefined;
  return {
    era: "modern",
    protocolVersion: version,
    info: isObject(info) ? info : undefined,
    capabilities,
    logLevel: typeof level === "string" ? level : undefined,
  };
}

async function answerDiscover(request: FaceRequest, id: JsonRpcId, client: McpClientFacts): Promise<Answer> {
  const { exchange, operation, backend } = request;
  const facts = await backend.facts(idle(callFacts(exchange, operation, client), exchange.cancellation));
  const isBridged = !facts.versions.some((version) => modernVersions.some((known) => known === version));
  const result = {
    supportedVersions: modernVersions,
    capabilities: isBridged ? bridgedCapabilities(facts.capabilities) : facts.capabilities,
    ...(facts.instructions !== undefined && { instructions: facts.instructions }),
  };
  const message = { jsonrpc: "2.0", id, result: modernResult("server/discover", result, facts.serverInfo) };
  return wholeAnswer(request, message);
}

async function answerCall(request: FaceRequest, message: JsonRpcRequest, client: McpClientFacts): Promise<Answer> {
  const { exchange, operation, backend, tools } = request;
  const call: McpCall = { method: message.method, params: withoutReserved(message.params, { progressToken: "drop" }) };
  const unsaid = unsaidHeader(request, call);
  if (unsaid !== undefined) return faultAnswer(request, message.id, unsaid);
  const resumed = resumeParked(request, call);
  if (resumed !== undefined && "fault" in resumed) return faultAnswer(request, message.id, resumed.fault);
  const running =
    resumed?.call ??
    beginCall(callFacts(exchange, operation, client), call, (context) => backend.request(call, context));
  running.attach(exchange);
  const turn: ModernTurn = { request, message, client, running, isParked: false };
  const over = (): void => {
    if (!turn.isParked) running.cancel(clientLeft());
  };
  try {
    const pending = resumed === undefined ? undefined : answerQuestions(resumed, call.params["inputResponses"]);
    if (pending !== undefined && pending.size > 0) return wholeAnswer(request, parked(turn, pending));
    const { first, rest } = await beginAnswer(running, tools.clock);
    if (first !== undefined && first !== "silence" && first.type !== "notification") {
      return await answerWith(turn, first, over);
    }
    return streamAnswer(request, messagesOf(turn, rest), over);
  } catch (error) {
    over();
    throw error;
  }
}

/**
 * A tool's schema may want arguments repeated in headers, so that who stands between can go by them: a call that does not
 * do that is refused by whoever has shown the schema (2026-07-28, basic/transports/streamable-http, "Custom headers").
 */
function unsaidHeader({ exchange, operation, tools }: FaceRequest, { method, params }: McpCall): McpFault | undefined {
  if (method !== "tools/call") return undefined;
  const expected = tools.toolHeaders.of(params["name"], params["arguments"], ownerOf(exchange));
  const name = unrepeated(expected, exchange.inbound.headers, mcpRequest(operation).mirrored);
  if (name === undefined) return undefined;
  return { code: modernCodes.headerMismatch, message: `The header ${name} must repeat the argument that it is for.` };
}

interface ModernTurn {
  readonly request: FaceRequest;
  readonly message: JsonRpcRequest;
  readonly client: McpClientFacts;
  readonly running: FaceCall;
  isParked: boolean;
}

/** The call that a state of the gateway's own stands for; nothing where the request carries none. */
function resumeParked(
  { exchange, tools }: FaceRequest,
  call: McpCall,
): ParkedCall | { readonly fault: McpFault } | undefined {
  const { requestState } = call.params;
  if (typeof requestState !== "string" || !tools.parking.isOurs(requestState)) return undefined;
  const found = tools.parking.resume(requestState, ownerOf(exchange), call);
  if (found !== undefined) return found;
  const message = "`requestState` is not valid for this request, was used already, or has expired.";
  return { fault: { code: jsonRpcCodes.invalidParams, message } };
}

/** Hands the client's input to those who wait for it; the questions that it has left open. */
function answerQuestions({ questions }: ParkedCall, given: unknown): ReadonlyMap<string, Question> {
  const open = new Map(questions);
  const responses = isObject(given) ? given : {};
  const answered = [...questions].filter(([key]) => Object.hasOwn(responses, key) && isObject(responses[key]));
  if (answered.length < questions.size) return open; // asked again for all: an answer counts when all are there
  for (const [key, question] of answered) question.answer({ result: responses[key] as McpObject }); // just looked at
  return new Map();
}

async function answerWith(
  turn: ModernTurn,
  item: Exclude<CallItem, { type: "notification" }>,
  over: () => void,
): Promise<Answer> {
  const { request, message } = turn;
  if (item.type === "question") {
    const asked = ask(turn, item);
    if (!("error" in asked)) return wholeAnswer(request, asked);
    over();
    return faultAnswer(request, message.id, asked.error);
  }
  over();
  if ("error" in item.reply) return faultAnswer(request, message.id, item.reply.error);
  return wholeAnswer(request, await replyMessage(turn, item.reply));
}

async function* messagesOf(
  turn: ModernTurn,
  items: AsyncGenerator<CallItem | "silence">,
): AsyncGenerator<object | undefined> {
  for await (const item of items) {
    if (item === "silence") yield undefined;
    else if (item.type === "notification") {
      if (mayTell(item.call, turn.client)) yield { jsonrpc: "2.0", ...item.call };
    } else if (item.type === "reply") yield await replyMessage(turn, item.reply);
    else {
      const asked = ask(turn, item);
      yield "error" in asked ? { jsonrpc: "2.0", id: turn.message.id, error: asked.error } : asked;
      return;
    }
  }
}

/** What belongs to a call in this era: its progress, and log lines if the client has asked for any. */
function mayTell({ method }: McpCall, { logLevel }: McpClientFacts): boolean {
  if (method === "notifications/message") return logLevel !== undefined;
  return method === "notifications/progress" || method === "notifications/elicitation/complete";
}

/**
 * A server of the other era asks in the middle of a call, and this client can only be asked by a result: so the call
 * waits while the client is away, where its upstream allows that. Else it ends with an error that says so.
 */
function ask(
  turn: ModernTurn,
  question: Question,
): (object & { readonly error?: never }) | { readonly error: McpFault } {
  const { client, request, message } = turn;
  const { method } = question.call;
  const missing = missingCapability(question.call, client.capabilities);
  if (missing !== undefined) {
    const text = `The server asks the client for ${method}, and the client has not declared ${missing}.`;
    const data = { requiredCapabilities: capabilityObject(missing) };
    return { error: { code: modernCodes.missingCapability, message: text, data } };
  }
  if (!request.parking.park || !isQuestion(method) || !mayAsk.has(message.method)) throw notBridged(method);
  const more = turn.running.items.takeAll().filter((item) => item.type === "question");
  return parked(turn, new Map([question, ...more].map((each, at) => [`input_${at + 1}`, each])));
}

const mayAsk: ReadonlySet<string> = new Set(["tools/call", "prompts/get", "resources/read"]);

/** The error of a call that would have to wait for its client, where that is not allowed. */
export function notBridged(method: string): GatewayError {
  return new GatewayError(
    "mcp.not_bridged",
    `The MCP server asks for ${method} in the middle of the call, as servers up to 2025-11-25 do. A client of 2026-07-28 can be asked only while the gateway keeps the call waiting, and this API does not allow that (upstream.bridge.park).`,
  );
}

function parked(turn: ModernTurn, questions: ReadonlyMap<string, Question>): object {
  const { request, message, running } = turn;
  const { exchange, tools } = request;
  const place = `${exchange.api.id}/${exchange.principal?.environment ?? "production"}`;
  const requestState = tools.parking.park({ call: running, questions }, ownerOf(exchange), place, request.parking);
  turn.isParked = true;
  const inputRequests = Object.fromEntries([...questions].map(([key, { call }]) => [key, call]));
  const result = modernResult(message.method, { resultType: "input_required", inputRequests, requestState }, undefined);
  return { jsonrpc: "2.0", id: message.id, result };
}

async function replyMessage({ request, message, client }: ModernTurn, reply: McpReply): Promise<object> {
  const { id, method } = message;
  if ("error" in reply) return { jsonrpc: "2.0", id, error: reply.error };
  const { exchange, operation, backend, tools } = request;
  if (method === "tools/list") tools.toolHeaders.learn(reply.result["tools"], ownerOf(exchange));
  const context = idle(callFacts(exchange, operation, client), exchange.cancellation);
  const serverInfo = await backend.facts(context).then(
    (facts) => facts.serverInfo,
    () => undefined, // a name beside the result, and no reason to lose it
  );
  return { jsonrpc: "2.0", id, result: modernResult(method, reply.result, serverInfo) };
}
