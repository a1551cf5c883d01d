import type { Clock } from "../../kernel/clock.ts";
import { GatewayError } from "../../kernel/errors.ts";
import type { ByteEdit } from "../../kernel/json-scan.ts";
import { scanJson, spliceBytes } from "../../kernel/json-scan.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { UpstreamTimeouts } from "../../pipeline/adapter.ts";
import type { CompiledProvider, DialectId, ProviderCall, ProviderRequest } from "../../pipeline/define-provider.ts";
import type { Answer, Exchange, Operation, Usage } from "../../pipeline/exchange.ts";
import { hasResponseSteps } from "../../pipeline/run-steps.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";
import { inboundDialects, upstreamDialects } from "../../routing/dialects/index.ts";
import { answerHeaders, forwardableHeaders } from "../headers.ts";
import type { UpstreamClient, UpstreamResponse } from "../upstream.ts";
import { isEventStream } from "../upstream.ts";
import { awsEventStream } from "./aws-event-stream.ts";
import type { LlmEndpoint } from "./compile-llm.ts";
import { endpointOf, llmTables } from "./compile-llm.ts";
import type { LlmRequest } from "./llm-request.ts";
import { llmRequest } from "./llm-request.ts";
import { LlmStream } from "./llm-stream.ts";
import { LlmStreamReader } from "./llm-stream-reader.ts";
import { answerBounds } from "./llm-token-demand.ts";
import { jsonFrame } from "./parsed-frame.ts";
import { PassingReader } from "./passing-reader.ts";
import { sseFraming } from "./stream-framing.ts";
import type { StreamReader } from "./stream-reader.ts";
import { answerContext, translatedAnswer, translatedBody, translatedError } from "./translate-call.ts";
import { TranslatingReader } from "./translating-reader.ts";
import { readableError } from "./upstream-error.ts";

export interface LlmCallTools {
  readonly upstream: UpstreamClient;
  readonly clock: Clock;
}

/** One try of a chat or embeddings call at one target: passed through where both speak one dialect, else translated. */
export function callLlm(
  exchange: Exchange,
  operation: Operation,
  target: CompiledTarget,
  tools: LlmCallTools,
): Promise<Answer> {
  const endpoint = endpointOf(target);
  const call = planCall(exchange, operation, target, endpoint);
  const wanted = endpoint.provider.request(call.request);
  const { timeouts } = exchange.api.protocol.upstreams[exchange.principal?.environment ?? "production"];
  const send = (ready: ProviderRequest): Promise<UpstreamResponse> =>
    sendToProvider(exchange, endpoint, ready, timeouts, tools.upstream, call.isTranslated);
  const sent = wanted instanceof Promise ? wanted.then(send) : send(wanted);
  return sent.then((response) => readAnswer(exchange, operation, call, response, tools.clock));
}

/** A call as it is to be made. */
interface PlannedCall {
  readonly provider: CompiledProvider;
  readonly request: ProviderCall;
  /** The client's dialect is another than the provider's. */
  readonly isTranslated: boolean;
  /** The gateway asks for usage on its own account: the client must not see it. */
  readonly stripUsage: boolean;
}

const openAiOnly: readonly DialectId[] = ["openai-chat"];

function planCall(
  exchange: Exchange,
  operation: Operation,
  target: CompiledTarget,
  endpoint: LlmEndpoint,
): PlannedCall {
  const { provider } = endpoint;
  const own = llmRequest(operation);
  const { dialects = openAiOnly } = provider;
  const isSpoken = dialects.includes(own.dialect);
  const dialect = isSpoken ? own.dialect : (dialects[0] ?? "openai-chat");
  const model = target.model ?? operation.name;
  const { stream } = operation;
  if (own.kind !== "chat") return planOther(operation, own, target, provider, dialect, isSpoken);
  if (!isSpoken) {
    const { maxOutputTokens } = provider;
    const facts = { name: model, ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }) };
    const body = translatedBody(operation, dialect, facts, llmTables(exchange.api).maxOutputTokens);
    return {
      provider,
      request: { operation: "chat", dialect, model, stream, body },
      isTranslated: true,
      stripUsage: false,
    };
  }
  const stripUsage = stream && dialect === "openai-chat" && provider.streamUsage && !own.wantsUsage;
  const body = upstreamBody(operation, own, target.model, stripUsage, boundEdits(exchange, endpoint, own));
  return { provider, request: { operation: "chat", dialect, model, stream, body }, isTranslated: false, stripUsage };
}

/** Embeddings are OpenAI's, and tokens are counted by those who speak Anthropic's dialect; neither is translated. */
function planOther(
  operation: Operation,
  own: LlmRequest,
  target: CompiledTarget,
  provider: CompiledProvider,
  dialect: DialectId,
  isSpoken: boolean,
): PlannedCall {
  if (!isSpoken) {
    const wanted = own.kind === "embeddings" ? "embeddings" : "counting tokens";
    throw new GatewayError("request.not_offered", `The provider of this model has no ${wanted}.`, {
      param: "model",
      detail: target.id,
    });
  }
  const kind = own.kind === "count-tokens" ? "count-tokens" : "embeddings";
  const body = upstreamBody(operation, own, target.model, false, noEdits);
  const model = target.model ?? operation.name;
  return {
    provider,
    request: { operation: kind, dialect, model, stream: false, body },
    isTranslated: false,
    stripUsage: false,
  };
}

function readAnswer(
  exchange: Exchange,
  operation: Operation,
  call: PlannedCall,
  response: UpstreamResponse,
  clock: Clock,
): MaybePromise<Answer> {
  refuseEncoded(response);
  const headers = answerHeaders(response.headers);
  const { status, body } = response;
  if (status >= 300) return errorAnswer(operation, call, response, headers);
  const isBinary = call.provider.framing === "aws-event-stream" && call.request.stream;
  if (isBinary || isEventStream(response.headers["content-type"])) {
    headers["content-type"] = "text/event-stream; charset=utf-8";
    headers["cache-control"] = "no-cache";
    headers["x-accel-buffering"] = "no";
    const stream = new LlmStream(body, readerOf(exchange, operation, call, clock), clock);
    return stream.start().then((frames) => ({ status, headers, body: { type: "stream", frames } }));
  }
  const answered = (bytes: Buffer): Answer => {
    const message = parseAnswer(bytes);
    headers["content-type"] = "application/json";
    if (call.isTranslated) {
      const { dialect, model } = call.request;
      const context = answerContext(exchange, operation, clock.now());
      return { status, headers, body: translatedAnswer(operation, dialect, message, model, context) };
    }
    operation.usage = usageOf(call, message) ?? operation.usage;
    return { status, headers, body: { type: "whole", frame: jsonFrame(bytes, message) } };
  };
  const bytes = body.whole(exchange.api.limits.responseBytes);
  return bytes instanceof Promise ? bytes.then(answered) : answered(bytes);
}

function usageOf({ provider, request }: PlannedCall, message: unknown): Usage | undefined {
  if (request.dialect === "openai-chat") return provider.usage(message);
  return request.operation === "chat" ? upstreamDialects[request.dialect].usage(message) : undefined;
}

function readerOf(exchange: Exchange, operation: Operation, call: PlannedCall, clock: Clock): StreamReader {
  const { dialect, model } = call.request;
  const maxEventBytes = exchange.api.limits.responseBytes;
  const isJudged = hasResponseSteps(exchange);
  if (!call.isTranslated && dialect === "openai-chat") {
    const { provider, stripUsage } = call;
    return new LlmStreamReader({ operation, provider, stripUsage, maxEventBytes, isJudged });
  }
  const framing =
    call.provider.framing === "aws-event-stream" ? awsEventStream(maxEventBytes) : sseFraming(maxEventBytes);
  if (!call.isTranslated) return new PassingReader({ operation, dialect: upstreamDialects[dialect], framing });
  const inbound = inboundDialects[llmRequest(operation).dialect];
  const context = answerContext(exchange, operation, clock.now());
  const upstream = upstreamDialects[dialect];
  return new TranslatingReader({ operation, upstream, inbound, framing, context, model, isJudged });
}

/** A provider's request on its way, with the headers of the client that may travel on. */
export function sendToProvider(
  exchange: Exchange,
  { origin, basePath }: LlmEndpoint,
  request: ProviderRequest,
  timeouts: UpstreamTimeouts,
  upstream: UpstreamClient,
  isTranslated = false,
): Promise<UpstreamResponse> {
  const headers = forwardableHeaders(exchange.inbound.headers, llmTables(exchange.api).keyHeader);
  if (isTranslated) dropDialectHeaders(headers);
  for (const name in request.defaults) headers[name] ??= request.defaults[name] ?? "";
  if (request.body !== undefined) headers["content-type"] = "application/json";
  Object.assign(headers, request.headers);
  headers["x-request-id"] = exchange.id;
  return upstream.send({
    origin,
    method: request.method,
    path: basePath + request.path,
    headers,
    body: request.body,
    timeouts,
    cancellation: exchange.cancellation,
    wholeBytes: exchange.api.limits.responseBytes,
  });
}

/** The client's bytes; the model's name and the wish for usage are put in where the target needs them. */
function upstreamBody(
  operation: Operation,
  request: LlmRequest,
  model: string | undefined,
  injectsUsage: boolean,
  bounds: readonly ByteEdit[],
): Buffer {
  const edits: ByteEdit[] = [...bounds];
  const modelAt = request.scan.members.get("model");
  if (model !== undefined && model !== operation.name && modelAt !== undefined) {
    edits.push({ start: modelAt[0], end: modelAt[1], replacement: JSON.stringify(model) });
  }
  if (injectsUsage) edits.push(usageEdit(request, operation.body));
  return edits.length === 0 ? operation.body : spliceBytes(operation.body, edits);
}

const noEdits: readonly ByteEdit[] = [];

/** Puts the API's own bound on answers into a request that asks for more, or says nothing. */
function boundEdits({ api }: Exchange, { origin }: LlmEndpoint, request: LlmRequest): readonly ByteEdit[] {
  const { maxOutputTokens } = llmTables(api);
  if (maxOutputTokens === undefined || request.kind !== "chat") return noEdits;
  const { members, insertAt } = request.scan;
  const said = answerBounds.flatMap((name) => {
    const at = members.get(name);
    return at === undefined ? [] : [{ at, value: request.json[name] }];
  });
  const replacement = String(maxOutputTokens);
  if (said.length === 0) {
    if (request.dialect !== "openai-chat") {
      const name = request.dialect === "anthropic-messages" ? "max_tokens" : "max_output_tokens";
      return [{ start: insertAt, end: insertAt, replacement: `"${name}":${replacement},` }];
    }
    // OpenAI's newer models refuse the older name, which is the one that all others know.
    const name = new URL(origin).hostname === "api.openai.com" ? "max_completion_tokens" : "max_tokens";
    return [{ start: insertAt, end: insertAt, replacement: `"${name}":${replacement},` }];
  }
  return said
    .filter(({ value }) => typeof value !== "number" || value > maxOutputTokens)
    .map(({ at: [start, end] }) => ({ start, end, replacement }));
}

function usageEdit(request: LlmRequest, body: Buffer): ByteEdit {
  const wish = '"include_usage":true';
  const at = request.scan.members.get("stream_options");
  if (at === undefined) {
    const { insertAt } = request.scan;
    return { start: insertAt, end: insertAt, replacement: `"stream_options":{${wish}},` };
  }
  const [start, end] = at;
  const options = scanJson(body.subarray(start, end), { maxDepth: Number.MAX_SAFE_INTEGER });
  if (options.insertAt < 0) return { start, end, replacement: `{${wish}}` };
  const said = options.members.get("include_usage");
  if (said !== undefined) return { start: start + said[0], end: start + said[1], replacement: "true" };
  const insertAt = start + options.insertAt;
  return { start: insertAt, end: insertAt, replacement: options.members.size === 0 ? wish : `${wish},` };
}

function parseAnswer(bytes: Buffer): unknown {
  try {
    const message: unknown = JSON.parse(bytes.toString("utf8"));
    if (message !== null && typeof message === "object") return message;
  } catch {
    // told below, with everything else that is no JSON object
  }
  throw new GatewayError("upstream.invalid", "The upstream's answer is not valid JSON.", {
    detail: `${bytes.length} bytes`,
  });
}

/** What a client says to providers of its own dialect. */
function dropDialectHeaders(headers: Record<string, string>): void {
  for (const name in headers) {
    if (name.startsWith("anthropic-") || name.startsWith("openai-") || name.startsWith("x-stainless-"))
      delete headers[name];
  }
}

/** We asked for plain bytes; what comes otherwise could be neither read nor passed on truly. */
function refuseEncoded({ headers, body }: UpstreamResponse): void {
  const encoding = headers["content-encoding"];
  if (encoding === undefined || encoding === "identity" || encoding === "") return;
  body.discard();
  throw new GatewayError("upstream.invalid", "The upstream's answer is encoded, which was not asked for.", {
    detail: `content-encoding ${String(encoding).slice(0, 40)}`,
  });
}

async function errorAnswer(
  operation: Operation,
  { request, isTranslated }: PlannedCall,
  response: UpstreamResponse,
  headers: Record<string, string>,
): Promise<Answer> {
  const { status } = response;
  const bytes = await response.body.whole(1_048_576);
  if (status < 400) {
    throw new GatewayError("upstream.invalid", "The upstream answered with a redirect, which is not followed.", {
      detail: `status ${status}`,
    });
  }
  if (status === 401 || status === 407) {
    const message = "The provider refused the gateway's own credentials; the operator must renew its secret.";
    throw new GatewayError("upstream.credentials", message, { detail: `status ${status}` });
  }
  headers["content-type"] = "application/json";
  if (isTranslated) return { headers, ...translatedError(operation, request.dialect, status, bytes) };
  return {
    status,
    headers,
    body: { type: "whole", frame: readableError(bytes, status, llmRequest(operation).dialect) },
  };
}
