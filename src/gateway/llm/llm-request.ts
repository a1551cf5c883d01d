import type { PassThroughFamily } from "../../core/llm-pass-through.ts";
import type { JsonScan } from "../../kernel/json-scan.ts";
import { scanJson } from "../../kernel/json-scan.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { TokenDemand } from "../../pipeline/adapter.ts";
import type { AffinityOwner } from "../../pipeline/affinity-store.ts";
import type { Operation } from "../../pipeline/exchange.ts";
import type { ChatRequest } from "../../routing/dialects/chat-request.ts";
import type { InboundDialectId } from "../../routing/dialects/index.ts";
import { inboundDialects } from "../../routing/dialects/index.ts";
import type { ClientUpload } from "./pass-through/client-upload.ts";
import type { PassThroughEndpoint } from "./pass-through/endpoints.ts";

export type LlmOperationKind =
  | "chat"
  | "count-tokens"
  | "embeddings"
  | "models"
  | "model"
  | "response"
  | "pass-through";

/** What of a request was made before, and by whom. */
export interface LlmAffinity {
  /** Of a response or conversation that it goes on with: only there is it known. `unknown`: nobody remembers it. */
  readonly state?: AffinityOwner | "unknown";
  /** Of reasoning that only the provider account can decrypt which encrypted it. */
  readonly sealed?: AffinityOwner;
  /** Of a prompt's beginning that is in a cache there: a wish, no need. */
  readonly cached?: AffinityOwner;
}

/** What is asked of a response that its provider keeps. */
export interface StateRequest {
  readonly id: string;
  readonly method: "GET" | "POST" | "DELETE";
  /** Below the response's own address: nothing, `/cancel`, `/input_items`. */
  readonly below: string;
  readonly owner: AffinityOwner;
}

/** What is asked of an endpoint that an API has opened beside chats. */
export interface PassThroughRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** Below the provider's base URL. */
  readonly path: string;
  readonly family: PassThroughFamily;
  readonly asks: PassThroughEndpoint["asks"];
  /** Of a body that is not held: it goes on as it comes. */
  readonly upload?: ClientUpload | undefined;
  /** Of what a provider keeps: where, and for whom. */
  readonly owner?: AffinityOwner | undefined;
}

/** The adapter's own view of one operation's request; other parts see only the operation. */
export interface LlmRequest {
  readonly kind: LlmOperationKind;
  /** What the client speaks. */
  readonly dialect: InboundDialectId;
  /** The parsed body; an empty object where there is none. */
  json: Readonly<Record<string, unknown>>;
  /** Where the top-level members stand in `operation.body`. */
  scan: JsonScan;
  /** The client asked for the usage chunk of a stream itself. */
  readonly wantsUsage: boolean;
  /** The body in no provider's words, once a target has asked for it. */
  chat: ChatRequest | undefined;
  /** What it asks of a model as it came, once a limit or the bill has asked: a long conversation is looked through once. */
  demand: TokenDemand | undefined;
  /** What it refers to that was made before; undefined where it refers to nothing. */
  affinity?: LlmAffinity | undefined;
  /** Of a `response`: which one, and what is asked of it. */
  readonly state?: StateRequest | undefined;
  /** Of a response that goes on without its client: where it is remembered what its caller was charged by estimate. */
  owed?: { readonly key: string; readonly owner: AffinityOwner } | undefined;
  /** Of a `pass-through`. */
  readonly passThrough?: PassThroughRequest | undefined;
  /** Content events seen on the answer's stream: the estimate of its tokens where the upstream tells none. */
  contentEvents: number;
  /** The upstream sent an error inside its stream. */
  streamError: boolean;
  /** Of a streamed response: the number of the next event, which an error of ours has to have. */
  nextSequence: number;
}

const noScan: JsonScan = { members: new Map(), insertAt: -1, depth: 0 };

/** A request of that kind without a body. */
export function bodilessRequest(kind: LlmOperationKind, dialect: InboundDialectId = "openai-chat"): LlmRequest {
  return { ...nothingSeen, kind, dialect, json: {}, scan: noScan, wantsUsage: false };
}

/** A request as it is before anything of its answer was seen. */
export const nothingSeen = {
  chat: undefined,
  demand: undefined,
  contentEvents: 0,
  streamError: false,
  nextSequence: 0,
};

/** The view that `decode` attached to the operation. */
export function llmRequest(operation: Operation): LlmRequest {
  return operation.message as LlmRequest; // only this adapter's `decode` makes operations of this adapter's APIs
}

/** The request in no provider's words; read once. Throws `request.invalid` with the member that is wrong. */
export function chatRequest(operation: Operation): ChatRequest {
  const request = llmRequest(operation);
  request.chat ??= inboundDialects[request.dialect].readRequest(request.json);
  return request.chat;
}

/** Takes over a changed body: the bytes go upstream, and the parsed view follows them. */
export function replaceBody(operation: Operation, body: Buffer): void {
  const request = llmRequest(operation);
  operation.body = body;
  request.json = parseJson(body.toString("utf8")) as LlmRequest["json"]; // an edit of strings leaves it an object
  request.scan = scanJson(body, { maxDepth: Number.MAX_SAFE_INTEGER });
  request.chat = undefined;
}
