import type { Clock } from "../../kernel/clock.ts";
import { GatewayError } from "../../kernel/errors.ts";
import type { ByteEdit } from "../../kernel/json-scan.ts";
import { scanJson, spliceBytes } from "../../kernel/json-scan.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { UpstreamTimeouts } from "../../pipeline/adapter.ts";
import type { CompiledProvider, ProviderRequest } from "../../pipeline/define-provider.ts";
import type { Answer, Exchange, Frame, Operation } from "../../pipeline/exchange.ts";
import { hasResponseSteps } from "../../pipeline/run-steps.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";
import { answerHeaders, forwardableHeaders } from "../headers.ts";
import type { UpstreamClient, UpstreamResponse } from "../upstream.ts";
import { isEventStream } from "../upstream.ts";
import type { LlmEndpoint } from "./compile-llm.ts";
import { endpointOf, llmTables } from "./compile-llm.ts";
import type { LlmRequest } from "./llm-request.ts";
import { llmRequest } from "./llm-request.ts";
import { LlmStream } from "./llm-stream.ts";
import { answerBounds } from "./llm-token-demand.ts";
import { readableError } from "./upstream-error.ts";

export interface LlmCallTools {
  readonly upstream: UpstreamClient;
  readonly clock: Clock;
}

/** One try of a chat or embeddings call at one target. */
export function callLlm(
  exchange: Exchange,
  operation: Operation,
  target: CompiledTarget,
  tools: LlmCallTools,
): Promise<Answer> {
  const request = llmRequest(operation);
  const endpoint = endpointOf(target);
  const { provider } = endpoint;
  const injectsUsage = operation.stream && provider.streamUsage && !request.wantsUsage;
  const wanted = provider.request({
    operation: request.kind === "embeddings" ? "embeddings" : "chat",
    model: target.model ?? operation.name,
    stream: operation.stream,
    body: upstreamBody(operation, request, target.model, injectsUsage, boundEdits(exchange, endpoint, request)),
  });
  const { timeouts } = exchange.api.protocol.upstreams[exchange.principal?.environment ?? "production"];
  const send = (ready: ProviderRequest): Promise<UpstreamResponse> =>
    sendToProvider(exchange, endpoint, ready, timeouts, tools.upstream);
  const sent = wanted instanceof Promise ? wanted.then(send) : send(wanted);
  return sent.then((response) => readAnswer(exchange, operation, provider, injectsUsage, response, tools.clock));
}

function readAnswer(
  exchange: Exchange,
  operation: Operation,
  provider: CompiledProvider,
  stripUsage: boolean,
  response: UpstreamResponse,
  clock: Clock,
): MaybePromise<Answer> {
  refuseEncoded(response);
  const headers = answerHeaders(response.headers);
  const { status, body } = response;
  if (status >= 300) return errorAnswer(response, headers);
  if (isEventStream(response.headers["content-type"])) {
    headers["content-type"] = "text/event-stream; charset=utf-8";
    headers["cache-control"] = "no-cache";
    headers["x-accel-buffering"] = "no";
    const maxEventBytes = exchange.api.limits.responseBytes;
    const isJudged = hasResponseSteps(exchange);
    const stream = new LlmStream(body, { operation, provider, stripUsage, maxEventBytes, isJudged, clock });
    return stream.start().then((frames) => ({ status, headers, body: { type: "stream", frames } }));
  }
  const answered = (bytes: Buffer): Answer => {
    const message = parseAnswer(bytes);
    operation.usage = provider.usage(message) ?? operation.usage;
    headers["content-type"] = "application/json";
    return { status, headers, body: { type: "whole", frame: jsonFrame(bytes, message) } };
  };
  const bytes = body.whole(exchange.api.limits.responseBytes);
  return bytes instanceof Promise ? bytes.then(answered) : answered(bytes);
}

/** A provider's request on its way, with the headers of the client that may travel on. */
export function sendToProvider(
  exchange: Exchange,
  { origin, basePath }: LlmEndpoint,
  request: ProviderRequest,
  timeouts: UpstreamTimeouts,
  upstream: UpstreamClient,
): Promise<UpstreamResponse> {
  const headers = forwardableHeaders(exchange.inbound.headers, llmTables(exchange.api).keyHeader);
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

/** A frame of JSON bytes that have been parsed already. */
export function jsonFrame(bytes: Uint8Array, message: unknown): Frame {
  return new ParsedFrame(bytes, message);
}

class ParsedFrame implements Frame {
  readonly bytes: Uint8Array;
  readonly #message: unknown;

  constructor(bytes: Uint8Array, message: unknown) {
    this.bytes = bytes;
    this.#message = message;
  }

  message(): unknown {
    return this.#message;
  }
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

/** We asked for plain bytes; what comes otherwise could be neither read nor passed on truly. */
function refuseEncoded({ headers, body }: UpstreamResponse): void {
  const encoding = headers["content-encoding"];
  if (encoding === undefined || encoding === "identity" || encoding === "") return;
  body.discard();
  throw new GatewayError("upstream.invalid", "The upstream's answer is encoded, which was not asked for.", {
    detail: `content-encoding ${String(encoding).slice(0, 40)}`,
  });
}

async function errorAnswer(response: UpstreamResponse, headers: Record<string, string>): Promise<Answer> {
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
  return { status, headers, body: { type: "whole", frame: readableError(bytes, status) } };
}
