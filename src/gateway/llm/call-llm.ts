import type { Clock } from "../../kernel/clock.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { UpstreamTimeouts } from "../../pipeline/adapter.ts";
import type { AffinityStore } from "../../pipeline/affinity-store.ts";
import type { ProviderRequest } from "../../pipeline/define-provider.ts";
import type { Answer, Exchange, Operation, Usage } from "../../pipeline/exchange.ts";
import { hasResponseSteps } from "../../pipeline/run-steps.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";
import { traceUpstream } from "../../pipeline/trace-context.ts";
import { inboundDialects } from "../../routing/dialects/index.ts";
import { answerHeaders, forwardableHeaders } from "../headers.ts";
import type { UpstreamClient, UpstreamResponse } from "../upstream.ts";
import { isEventStream } from "../upstream.ts";
import { noteCached, noteMade } from "./affinity.ts";
import { awsEventStream } from "./aws-event-stream.ts";
import type { LlmEndpoint } from "./compile-llm.ts";
import { endpointOf, llmTables } from "./compile-llm.ts";
import { errorAnswer } from "./error-answer.ts";
import { llmRequest } from "./llm-request.ts";
import { LlmStream } from "./llm-stream.ts";
import { LlmStreamReader } from "./llm-stream-reader.ts";
import { readWhole, refuseEncoded } from "./parse-answer.ts";
import { callPassThrough } from "./pass-through/call-pass-through.ts";
import { PassingReader } from "./passing-reader.ts";
import type { PlannedCall } from "./plan-call.ts";
import { planCall } from "./plan-call.ts";
import { estimatedCount } from "./plan-other-call.ts";
import { spokenDialect } from "./spoken-dialect.ts";
import { sseFraming } from "./stream-framing.ts";
import type { StreamReader } from "./stream-reader.ts";
import { answerContext, translatedAnswer } from "./translate-call.ts";
import { TranslatingReader } from "./translating-reader.ts";
import { limitRestMs } from "./upstream-limits.ts";

export interface LlmCallTools {
  readonly upstream: UpstreamClient;
  readonly clock: Clock;
  /** Who made what providers keep; nothing is remembered when absent. */
  readonly affinity?: AffinityStore | undefined;
}

/** One try of a chat or embeddings call at one target: passed through where both speak one dialect, else translated. */
export function callLlm(
  exchange: Exchange,
  operation: Operation,
  target: CompiledTarget,
  tools: LlmCallTools,
): Promise<Answer> {
  const { passThrough } = llmRequest(operation);
  if (passThrough !== undefined) return callPassThrough(exchange, operation, target, passThrough, tools);
  const endpoint = endpointOf(target);
  const estimated = estimatedCount(exchange, operation, endpoint);
  if (estimated !== undefined) return Promise.resolve(estimated);
  const call = planCall(exchange, operation, target, endpoint);
  const wanted = endpoint.provider.request(call.request);
  const { timeouts } = exchange.api.protocol.upstreams[exchange.principal?.environment ?? "production"];
  const send = (ready: ProviderRequest): Promise<UpstreamResponse> =>
    sendToProvider(exchange, endpoint, ready, timeouts, tools.upstream, call.isTranslated);
  const sent = wanted instanceof Promise ? wanted.then(send) : send(wanted);
  const { affinity } = tools;
  if (affinity === undefined)
    return sent.then((response) => readAnswer(exchange, operation, call, response, tools.clock));
  const isKept = call.request.dialect === "openai-responses" && !call.isTranslated;
  const heard = isKept ? (message: unknown) => noteMade(exchange, operation, target, message, affinity) : undefined;
  return sent.then((response) => {
    if (response.status < 300) noteCached(exchange, operation, target, affinity);
    return readAnswer(exchange, operation, call, response, tools.clock, heard);
  });
}

/**
 * A provider's answer as the client is to get it. Throws `upstream.…` for what is none.
 * @param heard is told the messages of an answer that passes through
 */
export function readAnswer(
  exchange: Exchange,
  operation: Operation,
  call: PlannedCall,
  response: UpstreamResponse,
  clock: Clock,
  heard?: (message: unknown) => void,
): MaybePromise<Answer> {
  refuseEncoded(response);
  const headers = answerHeaders(response.headers);
  const { status, body } = response;
  if (status >= 300) {
    const { request, isTranslated } = call;
    return errorAnswer(operation, request.dialect, response, headers, clock.now(), isTranslated);
  }
  const restMs = limitRestMs(response.headers, call.provider, clock.now());
  const report = restMs === undefined ? undefined : { restMs };
  const isBinary = call.provider.framing === "aws-event-stream" && call.request.stream;
  if (isBinary || isEventStream(response.headers["content-type"])) {
    headers["content-type"] = "text/event-stream; charset=utf-8";
    if (!headers["cache-control"]?.includes("no-store")) headers["cache-control"] = "no-cache";
    headers["x-accel-buffering"] = "no";
    const stream = new LlmStream(body, readerOf(exchange, operation, call, clock, heard), clock);
    return stream.start().then((frames) => ({ status, headers, report, body: { type: "stream", frames } }));
  }
  const answered = (bytes: Buffer): Answer => {
    const frame = readWhole(bytes, hasResponseSteps(exchange) && !call.isTranslated);
    const message = frame.message();
    headers["content-type"] = "application/json";
    if (call.read !== undefined) return { status, headers, report, body: call.read(message) };
    if (call.isTranslated) {
      const { dialect, model } = call.request;
      const context = answerContext(exchange, operation, clock.now());
      return {
        status,
        headers,
        report,
        body: translatedAnswer(operation, spokenDialect(call.provider, dialect), message, model, context),
      };
    }
    heard?.(message);
    if (llmRequest(operation).kind !== "response") operation.usage = usageOf(call, message) ?? operation.usage;
    return { status, headers, report, body: { type: "whole", frame } };
  };
  const bytes = body.whole(exchange.api.limits.responseBytes);
  return bytes instanceof Promise ? bytes.then(answered) : answered(bytes);
}

function usageOf({ provider, request }: PlannedCall, message: unknown): Usage | undefined {
  if (request.dialect === "openai-chat") return provider.usage(message);
  return request.operation === "chat" ? spokenDialect(provider, request.dialect).usage(message) : undefined;
}

function readerOf(
  exchange: Exchange,
  operation: Operation,
  call: PlannedCall,
  clock: Clock,
  heard: ((message: unknown) => void) | undefined,
): StreamReader {
  const { dialect, model } = call.request;
  const maxEventBytes = exchange.api.limits.responseBytes;
  const isJudged = hasResponseSteps(exchange);
  if (!call.isTranslated && dialect === "openai-chat" && call.provider.tellsUsageElsewhere === undefined) {
    const { provider, stripUsage } = call;
    return new LlmStreamReader({ operation, provider, stripUsage, maxEventBytes, isJudged });
  }
  const framing =
    call.provider.framing === "aws-event-stream" ? awsEventStream(maxEventBytes) : sseFraming(maxEventBytes);
  const upstream = spokenDialect(call.provider, dialect);
  if (!call.isTranslated) return new PassingReader({ operation, dialect: upstream, framing, heard });
  const inbound = inboundDialects[llmRequest(operation).dialect];
  const context = answerContext(exchange, operation, clock.now());
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
  const [operation] = exchange.operations; // the only one of its exchange
  if (operation !== undefined) traceUpstream(exchange, operation, headers);
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

/** What a client says to providers of its own dialect. */
function dropDialectHeaders(headers: Record<string, string>): void {
  for (const name in headers) {
    if (name.startsWith("anthropic-") || name.startsWith("openai-") || name.startsWith("x-stainless-"))
      delete headers[name];
  }
}
