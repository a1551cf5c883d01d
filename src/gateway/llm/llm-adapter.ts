import type { Clock } from "../../kernel/clock.ts";
import { errorCodes } from "../../kernel/error-codes.ts";
import { GatewayError } from "../../kernel/errors.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { ClientResponse, Encoded, ProtocolAdapter } from "../../pipeline/adapter.ts";
import type { Answer, Exchange, Operation } from "../../pipeline/exchange.ts";
import type { ModelTable } from "../../pipeline/model-table.ts";
import { noModels } from "../../pipeline/model-table.ts";
import type { Deny, Outcome } from "../../pipeline/outcome.ts";
import type { PriceTable } from "../../pipeline/price-table.ts";
import { noPrices } from "../../pipeline/price-table.ts";
import type { InboundDialectId } from "../../routing/dialects/index.ts";
import { dropUnreadBody } from "../drop-unread-body.ts";
import { addRetryHeaders } from "../retry-headers.ts";
import { cacheFields } from "../tell-cache.ts";
import { asksForRoute, noFields, routeFields, routeHeader } from "../tell-route.ts";
import { toolFields } from "../tell-tools.ts";
import type { WriteOptions } from "../write-answer.ts";
import { writeAnswer, writeWhole } from "../write-answer.ts";
import { addTurns } from "./add-turns.ts";
import { bindingOf } from "./affinity.ts";
import type { LlmCallTools } from "./call-llm.ts";
import { callLlm } from "./call-llm.ts";
import { compileLlm, llmTables } from "./compile-llm.ts";
import { decodeLlm, dialectOf } from "./decode-llm.ts";
import { keepAnswers } from "./keep-answers.ts";
import { llmErrorBody, llmErrorFrame } from "./llm-error.ts";
import { hiddenText, withoutHiddenText } from "./llm-hidden-text.ts";
import { answerModels, notOffered } from "./llm-models.ts";
import { llmRequest } from "./llm-request.ts";
import { editFrame, editRequest, frameSpans, requestSpans, texts } from "./llm-spans.ts";
import { llmTokenDemand } from "./llm-token-demand.ts";
import { offeredTools } from "./offered-tools.ts";
import type { ErrorParts } from "./openai-error.ts";
import { keepOwed } from "./owed-usage.ts";
import type { ClientUpload } from "./pass-through/client-upload.ts";
import { listKept } from "./pass-through/list-kept.ts";
import { forwardState } from "./response-state.ts";

export interface LlmAdapterOptions extends LlmCallTools {
  /** A client that takes no byte of its stream for so long is let go. */
  readonly stalledMs: number;
  /** Built-in prices of models; none when absent. */
  readonly prices?: PriceTable;
  /** Built-in facts of models; none when absent. */
  readonly models?: ModelTable;
}

/**
 * LLM endpoints in the dialects of OpenAI (chat completions, Responses, embeddings, models) and of Anthropic (Messages,
 * counting of tokens), each to any provider.
 */
export function createLlmAdapter(options: LlmAdapterOptions): ProtocolAdapter {
  return {
    kind: "LlmApi",
    routes: [
      { method: "POST", path: "/v1/chat/completions" },
      { method: "POST", path: "/v1/responses" },
      { method: "GET", path: "/v1/responses/:id" },
      { method: "DELETE", path: "/v1/responses/:id" },
      { method: "POST", path: "/v1/responses/:id/cancel" },
      { method: "GET", path: "/v1/responses/:id/input_items" },
      { method: "POST", path: "/v1/messages" },
      { method: "POST", path: "/v1/messages/count_tokens" },
      { method: "POST", path: "/v1/embeddings" },
      { method: "GET", path: "/v1/models" },
      { method: "GET", path: "/v1/models/:model{.+}" },
    ],
    keyHeader: "x-api-key", // Anthropic's clients
    cutsText: true,
    texts,
    compile: (input) =>
      compileLlm({ ...input, prices: options.prices ?? noPrices, models: options.models ?? noModels }),
    tokenDemand: llmTokenDemand,
    decode: (exchange, request) => decodeLlm(exchange, request, options.affinity),
    bindingOf,
    offeredTools,
    keeping: keepAnswers,
    addTurns,
    requestJson: (operation) => llmRequest(operation).json,
    requestSpans,
    editRequest,
    frameSpans,
    editFrame,
    hiddenText,
    withoutHidden: withoutHiddenText,
    notOffered,
    answerLocally(exchange, operation) {
      if (operation.kind === "models" || operation.kind === "model") return answerModels(exchange, operation, options);
      if (operation.kind === "response") return forwardState(exchange, operation, options);
      const { passThrough } = llmRequest(operation);
      if (passThrough?.asks === "list") return listKept(exchange, operation, passThrough, options);
      if (passThrough !== undefined && operation.name === "") return undefined; // no model to look for
      return llmTables(exchange.api).offers(operation.name) ? undefined : notOffered(operation, exchange);
    },
    call: (exchange, operation, target) => callLlm(exchange, operation, target, options),
    encode(exchange, outcome, response) {
      const upload = exchange.operations[0] && llmRequest(exchange.operations[0]).passThrough?.upload;
      if (outcome.type !== "answer") upload?.letGo();
      const encoded = withOwed(exchange.operations[0], encode(exchange, outcome, response, options), options);
      return upload === undefined ? encoded : endUpload(upload, encoded, response, options.clock);
    },
    eventFields: ({ route, tools, cache }) =>
      route === undefined && tools === undefined && cache === undefined
        ? noFields
        : { ...(route && routeFields(route)), ...(tools && toolFields(tools)), ...(cache && cacheFields(cache)) },
    encodeDeny(deny, requestId, response, headers) {
      const bytes = Buffer.from(JSON.stringify(llmErrorBody(dialectOfResponse(response), deny, requestId)));
      const all: Record<string, string | number> = {
        ...headers,
        "content-type": "application/json",
        "content-length": bytes.length,
        "x-request-id": requestId,
      };
      addRetryHeaders(all, deny);
      response.writeHead(errorCodes[deny.code].status, all);
      response.end(bytes);
      dropUnreadBody(response, options.clock);
    },
  };
}

/** The dialect of a request that has no exchange, by where it went. */
function dialectOfResponse({ req }: ClientResponse): InboundDialectId {
  const path = (req.url ?? "").split("?", 1)[0] ?? "";
  if (path.endsWith("/v1/messages") || path.endsWith("/v1/messages/count_tokens")) return "anthropic-messages";
  return req.headers["anthropic-version"] === undefined ? "openai-chat" : "anthropic-messages";
}

function encode(
  exchange: Exchange,
  outcome: Outcome,
  response: ClientResponse,
  options: LlmAdapterOptions,
): MaybePromise<Encoded> {
  const write = writeOptions(exchange, options);
  if (exchange.route !== undefined && asksForRoute(exchange)) {
    exchange.responseHeaders["x-gatehouse-route"] = routeHeader(exchange.route);
  }
  if (write.dialect === "anthropic-messages") exchange.responseHeaders["request-id"] = exchange.id;
  if (outcome.type !== "answer") {
    // The client left while the upstream was at work, which counts what it has read.
    const wasCancelled = outcome.type === "failed" && outcome.error.code === "client.closed";
    if (wasCancelled && exchange.attempts.length > 0) estimateUsage(exchange.operations[0], 200);
    return encodeFault(exchange, outcome, response, write);
  }
  const written = writeAnswer(exchange, withRetryHint(exchange, outcome.answer), response, write);
  const [operation] = exchange.operations;
  if (!(written instanceof Promise)) {
    estimateUsage(operation, outcome.answer.status);
    return written;
  }
  return written
    .then((encoded) => withStreamError(operation, encoded))
    .then((encoded) => {
      if (encoded.error !== undefined) estimateRest(operation);
      return encoded;
    })
    .catch((error: unknown) => {
      if (!(error instanceof GatewayError) || response.headersSent) throw error;
      return { ...encodeFault(exchange, { type: "failed", error }, response, write), error };
    })
    .finally(() => estimateUsage(operation, outcome.answer.status));
}

/** What was charged by estimate, because nobody has told more, may be told later. */
function withOwed(
  operation: Operation | undefined,
  encoded: MaybePromise<Encoded>,
  { affinity }: LlmAdapterOptions,
): MaybePromise<Encoded> {
  if (encoded instanceof Promise) return encoded.finally(() => keepOwed(operation, affinity));
  keepOwed(operation, affinity);
  return encoded;
}

/** An answer may come before the upload has ended: the rest is nobody's. */
async function endUpload(
  upload: ClientUpload,
  encoded: MaybePromise<Encoded>,
  response: ClientResponse,
  clock: Clock,
): Promise<Encoded> {
  try {
    return await encoded;
  } finally {
    upload.letGo();
    dropUnreadBody(response, clock);
  }
}

interface LlmWriteOptions extends WriteOptions {
  readonly dialect: InboundDialectId;
}

function writeOptions(exchange: Exchange, { clock, stalledMs }: LlmAdapterOptions): LlmWriteOptions {
  const dialect = dialectOf(exchange);
  return {
    clock,
    stalledMs,
    dialect,
    errorFrame(error) {
      const [operation] = exchange.operations;
      if (operation !== undefined && llmRequest(operation).kind === "pass-through") return undefined;
      const sequence = operation === undefined ? 0 : llmRequest(operation).nextSequence;
      return llmErrorFrame(dialect, error, { requestId: exchange.id, sequence });
    },
  };
}

function encodeFault(
  exchange: Exchange,
  outcome: Exclude<Outcome, { type: "answer" }>,
  response: ClientResponse,
  write: LlmWriteOptions,
): Encoded {
  const parts: ErrorParts & Pick<Deny | GatewayError, "manner" | "retryAfterMs"> =
    outcome.type === "denied" ? outcome.deny : outcome.error;
  const status = parts.manner?.status ?? errorCodes[parts.code].status;
  const headers: Record<string, string | number> = {
    ...exchange.responseHeaders,
    "content-type": "application/json",
    "x-request-id": exchange.id,
  };
  addRetryHeaders(headers, parts, exchange.attempts.length);
  const bytes = Buffer.from(JSON.stringify(llmErrorBody(write.dialect, parts, exchange.id)));
  const encoded = writeWhole(exchange, status, headers, bytes, response, write);
  dropUnreadBody(response, write.clock);
  return encoded;
}

/** An upstream's error that stood after tries at several targets: the client's own would only multiply them. */
function withRetryHint(exchange: Exchange, answer: Answer): Answer {
  if (answer.status < 400 || exchange.attempts.length < 2) return answer;
  return { ...answer, headers: { ...answer.headers, "x-should-retry": "false" } };
}

function withStreamError(operation: Operation | undefined, encoded: Encoded): Encoded {
  if (encoded.error !== undefined || operation === undefined || !llmRequest(operation).streamError) return encoded;
  const error = new GatewayError("upstream.invalid", "The upstream reported an error inside its stream.");
  return { ...encoded, error };
}

/**
 * Of a stream that broke off, what the upstream told before is only a part: its answer is at least as many tokens as
 * pieces have come. Marked as estimated.
 */
function estimateRest(operation: Operation | undefined): void {
  if (operation?.usage === undefined || !operation.stream) return;
  const outputTokens = Math.max(operation.usage.outputTokens, llmRequest(operation).contentEvents);
  operation.usage = { ...operation.usage, outputTokens, source: "estimated" };
}

/**
 * Where the upstream told no usage: a quarter of a token for each byte of the request, one for each piece of the
 * stream. Marked as estimated; a bill says so too.
 */
function estimateUsage(operation: Operation | undefined, status: number): void {
  if (operation === undefined || operation.usage !== undefined || status !== 200 || operation.body.length === 0) return;
  const { kind } = llmRequest(operation);
  if (kind === "count-tokens" || kind === "pass-through") return; // no model has read it, or not by the byte
  operation.usage = {
    inputTokens: Math.ceil(operation.body.length / 4),
    outputTokens: llmRequest(operation).contentEvents,
    cachedInputTokens: 0,
    reasoningTokens: 0,
    source: "estimated",
  };
}
