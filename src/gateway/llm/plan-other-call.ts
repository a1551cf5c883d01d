import { GatewayError } from "../../kernel/errors.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { CompiledProvider, DialectId, EmbeddingsTold } from "../../pipeline/define-provider.ts";
import type { Answer, Exchange, Operation } from "../../pipeline/exchange.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";
import { noEdits, upstreamBody } from "./body-edits.ts";
import type { LlmEndpoint } from "./compile-llm.ts";
import { llmTables } from "./compile-llm.ts";
import type { LlmRequest } from "./llm-request.ts";
import { llmRequest } from "./llm-request.ts";
import { promptDemand } from "./llm-token-demand.ts";
import { jsonFrame } from "./parsed-frame.ts";
import type { PlannedCall } from "./plan-call.ts";
import { translatedBody } from "./translate-call.ts";

/**
 * How embeddings and counts of tokens are asked of a target: as they are where its provider speaks the client's dialect,
 * else in the provider's own form. Throws `request.not_offered` where it has none.
 */
export function planOtherCall(
  operation: Operation,
  own: LlmRequest,
  target: CompiledTarget,
  provider: CompiledProvider,
  dialect: DialectId,
  isSpoken: boolean,
): PlannedCall {
  const kind = own.kind === "count-tokens" ? "count-tokens" : "embeddings";
  const model = target.model ?? operation.name;
  const request = { operation: kind, dialect, model, stream: false } as const;
  if (isSpoken) {
    const body = upstreamBody(operation, own, target.model, false, noEdits);
    return { provider, request: { ...request, body }, isTranslated: false, stripUsage: false };
  }
  const made =
    kind === "embeddings" ? embeddingsOf(operation, provider, model) : countOf(operation, provider, dialect, model);
  if (made !== undefined) {
    const { body, read } = made;
    return { provider, request: { ...request, body }, isTranslated: true, stripUsage: false, read };
  }
  const wanted = kind === "embeddings" ? "embeddings" : "counting of tokens";
  throw new GatewayError("request.not_offered", `The provider of this model has no ${wanted}.`, {
    param: "model",
    detail: target.id,
  });
}

/**
 * The count of a prompt whose provider counts none: an estimate by what its model has taken for texts lately, and marked
 * as one. Undefined where the provider counts.
 */
export function estimatedCount(
  exchange: Exchange,
  operation: Operation,
  { provider }: LlmEndpoint,
): Answer | undefined {
  const own = llmRequest(operation);
  const { dialects = ["openai-chat"], counting } = provider;
  if (own.kind !== "count-tokens" || counting !== undefined || dialects.includes(own.dialect)) return undefined;
  const { promptTokens } = llmTables(exchange.api);
  const tokens = promptTokens(exchange.api.id, operation.name, promptDemand(operation));
  return whole({ input_tokens: tokens, estimated: true }, { "x-gatehouse-estimated": "true" });
}

interface OwnForm {
  readonly body: Buffer;
  readonly read: (message: unknown) => Answer["body"];
}

function countOf(
  operation: Operation,
  provider: CompiledProvider,
  dialect: DialectId,
  model: string,
): OwnForm | undefined {
  const { counting } = provider;
  if (counting === undefined) return undefined;
  const chat: unknown = parseJson(translatedBody(operation, dialect, { name: model }, undefined).toString("utf8"));
  return {
    body: Buffer.from(JSON.stringify(counting.write(chat as Readonly<Record<string, unknown>>, model))), // an object, as written
    read(message) {
      const tokens = counting.read(message);
      if (tokens === undefined) throw noAnswer("a count of tokens");
      return whole({ input_tokens: tokens }).body;
    },
  };
}

const known: ReadonlySet<string> = new Set(["model", "input", "dimensions", "encoding_format", "user"]);

function embeddingsOf(operation: Operation, provider: CompiledProvider, model: string): OwnForm | undefined {
  const { embeddings } = provider;
  if (embeddings === undefined) return undefined;
  const { json } = llmRequest(operation);
  const lost = Object.keys(json).find((name) => !known.has(name) && json[name] !== null);
  if (lost !== undefined) throw wrong(lost, "cannot be carried over to this model's provider");
  const { dimensions, encoding_format: format = "float" } = json;
  const texts = textsOf(json["input"]);
  if (dimensions !== undefined && dimensions !== null && !isCount(dimensions))
    throw wrong("dimensions", "must be a whole number from 1 on");
  if (format !== "float" && format !== "base64") throw wrong("encoding_format", "must be float or base64");
  const written = embeddings.write({ texts, ...(isCount(dimensions) ? { dimensions } : {}) }, model);
  if ("lost" in written) throw wrong(String(written["lost"]), "cannot be carried over to this model's provider");
  return {
    body: Buffer.from(JSON.stringify(written)),
    read(message) {
      const told = embeddings.read(message);
      if (told === undefined || told.vectors.length !== texts.length) throw noAnswer("embeddings");
      note(operation, told, texts);
      const prompt = operation.usage?.inputTokens ?? 0;
      const data = told.vectors.map((vector, index) => ({
        object: "embedding",
        index,
        embedding: format === "float" ? vector : Buffer.from(Float32Array.from(vector).buffer).toString("base64"),
      }));
      return whole({ object: "list", data, model, usage: { prompt_tokens: prompt, total_tokens: prompt } }).body;
    },
  };
}

function note(operation: Operation, { inputTokens }: EmbeddingsTold, texts: readonly string[]): void {
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  operation.usage = {
    inputTokens: inputTokens ?? Math.ceil(bytes / 4),
    outputTokens: 0,
    cachedInputTokens: 0,
    reasoningTokens: 0,
    source: inputTokens === undefined ? "estimated" : "actual",
  };
}

function textsOf(input: unknown): readonly string[] {
  if (typeof input === "string") return [input];
  if (Array.isArray(input) && input.length > 0 && input.every((text) => typeof text === "string")) return input;
  throw wrong("input", "must be a text or a list of texts for this model");
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}

function wrong(param: string, why: string): GatewayError {
  return new GatewayError("request.invalid", `\`${param}\` ${why}.`, { param });
}

function noAnswer(what: string): GatewayError {
  return new GatewayError("upstream.invalid", `The provider's answer is not ${what}.`);
}

function whole(message: object, headers: Readonly<Record<string, string>> = {}): Answer {
  const frame = jsonFrame(Buffer.from(JSON.stringify(message)), message);
  return { status: 200, headers: { "content-type": "application/json", ...headers }, body: { type: "whole", frame } };
}
