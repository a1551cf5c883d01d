import type { TokenDemand } from "../../pipeline/adapter.ts";
import type { Exchange, Operation } from "../../pipeline/exchange.ts";
import type { CompiledApi } from "../../pipeline/snapshot.ts";
import { boundOf } from "./answer-bound.ts";
import { llmTables } from "./compile-llm.ts";
import type { LlmRequest, PassThroughRequest } from "./llm-request.ts";
import { llmRequest } from "./llm-request.ts";
import { usesModel } from "./pass-through/endpoints.ts";

/** Tokens that a picture, a recording or a file takes at most as a rule; what it really takes only the model knows. */
const mediaTokens = 1_600;

/** Bytes of a document, as it is sent, for a token: text in base64 has a third as many, scanned pages twice as many. */
const documentBytesPerToken = 16;

/** Members by which a request brings in what the provider keeps. */
const keptMembers = ["previous_response_id", "conversation", "prompt"] as const;

/**
 * What a request asks of a model: its bytes but for pictures and the like, and what bounds the answer, which is what the
 * client says or the API's own cap, for each answer of `n`. Undefined for what reaches no model.
 */
export function llmTokenDemand({ api }: Exchange, operation: Operation): TokenDemand | undefined {
  const request = llmRequest(operation);
  request.demand ??= demandOf(api, operation);
  return request.demand;
}

function demandOf(api: CompiledApi, operation: Operation): TokenDemand | undefined {
  const { kind, json, passThrough } = llmRequest(operation);
  if (passThrough !== undefined) return passThroughDemand(operation, passThrough);
  if (kind !== "chat" && kind !== "embeddings") return undefined;
  const media = mediaIn(json);
  const prompt = promptOf(operation, media);
  const isPartlyKept = media.isPartlyKept || keptMembers.some((name) => isKept(json[name]));
  if (kind === "embeddings") return { ...prompt, outputCap: 0 };
  const caps = [boundOf(json), llmTables(api).maxOutputTokens].filter((cap) => cap !== undefined);
  const outputCap = caps.length === 0 ? undefined : Math.min(...caps) * answersAsked(json["n"]);
  return { ...prompt, ...(isPartlyKept && { isPartlyKept }), outputCap };
}

/** Pictures cost what they cost, which the answer tells; what else is opened answers with few tokens or none. */
function passThroughDemand({ body }: Operation, asked: PassThroughRequest): TokenDemand | undefined {
  if (!usesModel(asked)) return undefined;
  const outputCap = asked.family === "images" ? undefined : 0;
  return { textBytes: body.length, mediaTokens: asked.upload === undefined ? 0 : mediaTokens, outputCap };
}

/** What the prompt of a request holds, whatever is asked with it; no answer. */
export function promptDemand(operation: Operation): TokenDemand {
  return { ...promptOf(operation, mediaIn(llmRequest(operation).json)), outputCap: 0 };
}

function promptOf(
  { body }: Operation,
  { bytes, count, documentBytes }: Media,
): Pick<TokenDemand, "textBytes" | "mediaTokens"> {
  const textBytes = Math.max(body.length - bytes, 0);
  return { textBytes, mediaTokens: count * mediaTokens + Math.ceil(documentBytes / documentBytesPerToken) };
}

function answersAsked(n: unknown): number {
  return typeof n === "number" && Number.isSafeInteger(n) && n > 1 ? Math.min(n, 1_000) : 1;
}

/** An id, or an object that has one; what is no reference the provider refuses or passes over. */
function isKept(value: unknown): boolean {
  return (typeof value === "string" && value !== "") || isObject(value);
}

interface Media {
  bytes: number;
  count: number;
  /** Of what is no picture or recording, and as long as it likes. */
  documentBytes: number;
  isPartlyKept: boolean;
}

/** Parts of messages that are no text. Only places that the dialect has for them are looked at: text stays text. */
function mediaIn(json: LlmRequest["json"]): Media {
  const found: Media = { bytes: 0, count: 0, documentBytes: 0, isPartlyKept: false };
  const turns = Array.isArray(json["messages"]) ? json["messages"] : json["input"];
  if (!Array.isArray(turns)) return found;
  for (const message of turns as readonly unknown[]) {
    const content = isObject(message) ? message["content"] : undefined;
    if (!Array.isArray(content)) continue;
    for (const part of content) if (isObject(part)) addPart(part, found);
  }
  return found;
}

const mediaTypes: ReadonlySet<string> = new Set([
  "image_url",
  "input_audio",
  "file",
  "image",
  "document",
  "input_image",
  "input_file",
]);

const documentTypes: ReadonlySet<string> = new Set(["file", "document", "input_file"]);

function addPart(part: Readonly<Record<string, unknown>>, found: Media): void {
  const { type } = part;
  if (typeof type !== "string" || !mediaTypes.has(type)) return;
  const within = part[type] ?? part["source"];
  const body = isObject(within) ? within : part;
  const isDocument = documentTypes.has(type);
  found.count += 1;
  for (const data of [body["url"], body["data"], body["file_data"], body["image_url"], body["file_url"]]) {
    if (typeof data !== "string") continue;
    found.bytes += data.length; // base64 and URLs are ASCII
    if (isDocument) found.documentBytes += data.length;
  }
  const elsewhere = [body["file_id"], ...(isDocument ? [body["url"], body["file_url"]] : [])];
  if (elsewhere.some((value) => typeof value === "string" && !value.startsWith("data:"))) found.isPartlyKept = true;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
