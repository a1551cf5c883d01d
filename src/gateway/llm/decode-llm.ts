import { GatewayError } from "../../kernel/errors.ts";
import { uuidV7 } from "../../kernel/ids.ts";
import { scanJson } from "../../kernel/json-scan.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import { parseStrictJson } from "../../kernel/strict-json.ts";
import type { ClientRequest } from "../../pipeline/adapter.ts";
import type { AffinityStore } from "../../pipeline/affinity-store.ts";
import type { Exchange, Operation } from "../../pipeline/exchange.ts";
import type { Deny } from "../../pipeline/outcome.ts";
import { deny } from "../../pipeline/outcome.ts";
import type { InboundDialectId } from "../../routing/dialects/index.ts";
import { parseBody, readBody, requireJson } from "../read-body.ts";
import { findAffinity } from "./affinity.ts";
import type { LlmAffinity, LlmOperationKind, LlmRequest, StateRequest } from "./llm-request.ts";
import { bodilessRequest, llmRequest, nothingSeen } from "./llm-request.ts";
import { decodePassThrough } from "./pass-through/decode-pass-through.ts";
import { findState } from "./response-state.ts";

const noBody = Buffer.alloc(0);
type PostKind = "chat" | "count-tokens" | "embeddings";

const posts: Readonly<Record<string, { readonly kind: PostKind; readonly dialect: InboundDialectId }>> = {
  "/v1/chat/completions": { kind: "chat", dialect: "openai-chat" },
  "/v1/embeddings": { kind: "embeddings", dialect: "openai-chat" },
  "/v1/messages": { kind: "chat", dialect: "anthropic-messages" },
  "/v1/messages/count_tokens": { kind: "count-tokens", dialect: "anthropic-messages" },
  "/v1/responses": { kind: "chat", dialect: "openai-responses" },
};
const modelsPath = "/v1/models";
const responsesPath = "/v1/responses/";

/** The dialect of the endpoint that a request went to: that of its errors too. */
export function dialectOf({ api, inbound }: Pick<Exchange, "api" | "inbound">): InboundDialectId {
  const path = inbound.path.slice(api.context.length);
  const known = posts[path];
  if (known !== undefined) return known.dialect;
  if (path.startsWith(responsesPath)) return "openai-responses";
  return inbound.headers["anthropic-version"] === undefined ? "openai-chat" : "anthropic-messages";
}

/**
 * What the client asks, in the dialect of its endpoint. Checks only what the gateway acts on; everything else is the upstream's
 * to judge, so that a new parameter works on the day it is invented.
 */
export function decodeLlm(
  exchange: Exchange,
  request: ClientRequest,
  affinity?: AffinityStore,
): MaybePromise<readonly Operation[] | Deny> {
  const path = exchange.inbound.path.slice(exchange.api.context.length);
  const spoken = dialectOf(exchange);
  if (path === modelsPath) return [operationOf(exchange, "models", "", noBody, bodilessRequest("models", spoken))];
  if (path.startsWith(`${modelsPath}/`)) {
    const model = decodePath(path.slice(modelsPath.length + 1));
    if (model === undefined) return deny("request.invalid", "The model's name in the path is not valid.");
    return [operationOf(exchange, "model", model, noBody, bodilessRequest("model", spoken))];
  }
  if (path.startsWith(responsesPath)) {
    const state = findState(exchange, path.slice(responsesPath.length), affinity);
    return state instanceof Promise
      ? state.then((found) => stateOperation(exchange, found))
      : stateOperation(exchange, state);
  }
  const post = posts[path];
  if (post === undefined)
    return decodePassThrough(exchange, request, affinity) ?? deny("route.not_found", "There is no such endpoint.");
  const wrongType = requireJson(exchange.inbound.headers["content-type"]);
  if (wrongType !== undefined) return wrongType;

  const read = readBody(request, exchange.api.limits.requestBytes, exchange.cancellation);
  return read instanceof Promise
    ? read.then((body) => withAffinity(exchange, decodeBody(exchange, post, body), affinity))
    : withAffinity(exchange, decodeBody(exchange, post, read), affinity);
}

/** The operations with what they refer to, or the refusal of a reference to what is another caller's. */
function withAffinity(
  exchange: Exchange,
  decoded: readonly Operation[] | Deny,
  store: AffinityStore | undefined,
): MaybePromise<readonly Operation[] | Deny> {
  if (store === undefined || "type" in decoded || decoded[0] === undefined) return decoded;
  const request = llmRequest(decoded[0]);
  const settle = (found: LlmAffinity | Deny | undefined): readonly Operation[] | Deny => {
    if (found !== undefined && "type" in found) return found;
    request.affinity = found;
    return decoded;
  };
  const found = findAffinity(exchange, request.json, store);
  return found instanceof Promise ? found.then(settle) : settle(found);
}

function stateOperation(exchange: Exchange, state: StateRequest | Deny): readonly Operation[] | Deny {
  if ("type" in state) return state;
  const isStream = state.method === "GET" && /(^|&)stream=true(&|$)/.test(exchange.inbound.query);
  const request = { ...bodilessRequest("response", "openai-responses"), state };
  return [{ ...operationOf(exchange, "response", state.owner.model, noBody, request), stream: isStream }];
}

/**
 * A body that was read already, as a request to that path below the API's context. Throws nothing; a path without bodies
 * is denied.
 */
export function decodeChat(exchange: Exchange, path: string, body: Buffer): MaybePromise<readonly Operation[] | Deny> {
  const post = posts[path];
  if (post === undefined) return deny("route.not_found", "There is no such endpoint.");
  return decodeBody(exchange, post, body);
}

function decodeBody(
  exchange: Exchange,
  { kind, dialect }: { readonly kind: PostKind; readonly dialect: InboundDialectId },
  body: Buffer | Deny,
): readonly Operation[] | Deny {
  if ("type" in body) return body;
  exchange.requestBytes = body.length;
  try {
    const scan = scanJson(body, { maxDepth: exchange.api.limits.jsonDepth });
    const parsed = isLookedInto(exchange) ? parseStrictly(body, exchange) : parseBody(body);
    if ("type" in parsed) return parsed;
    const json = parsed.value;
    if (!isObject(json)) return deny("request.invalid", "The body must be a JSON object.");
    const { model, stream } = json;
    if (typeof model !== "string" || model === "") {
      return deny("request.invalid", "`model` must be a non-empty string.", { param: "model" });
    }
    if (stream !== undefined && stream !== null && typeof stream !== "boolean") {
      return deny("request.invalid", "`stream` must be true or false.", { param: "stream" });
    }
    const options = json["stream_options"];
    const wantsUsage = isObject(options) && options["include_usage"] === true;
    const own: LlmRequest = { ...nothingSeen, kind, dialect, json, scan, wantsUsage };
    return [operationOf(exchange, kind, model, body, own)];
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const parsed = parseBody(body); // of two faults, that it is no JSON is the one to tell
    if ("type" in parsed && error.code === "request.invalid") return parsed;
    return deny(error.code, error.message, error.param === undefined ? {} : { param: error.param });
  }
}

/** Whether a policy reads the request: then nobody may read another text from it than the policy does. */
function isLookedInto({ api, principal, snapshot }: Exchange): boolean {
  if (api.chain.request.length > 0 || api.chain.recall.length > 0) return true;
  const plan = principal?.planId === undefined ? undefined : snapshot.plans.get(principal.planId);
  return plan !== undefined && (plan.request.length > 0 || plan.recall.length > 0);
}

function parseStrictly(body: Buffer, { api }: Exchange): { readonly value: unknown } | Deny {
  const parsed = parseStrictJson(body, api.limits.jsonDepth);
  if (!("fault" in parsed)) return parsed;
  if (parsed.fault.type === "syntax")
    return deny("request.malformed_json", `The body cannot be read: ${parsed.fault.message}.`);
  return deny("request.invalid", `The body can be read in two ways: ${parsed.fault.message}.`);
}

function operationOf(
  exchange: Exchange,
  kind: LlmOperationKind,
  name: string,
  body: Buffer,
  message: LlmRequest,
): Operation {
  // The only operation of its exchange carries the exchange's id: one id leads from the client to the row.
  const id = exchange.operations.length === 0 ? exchange.id : uuidV7(exchange.startedAtMs);
  const stream = kind === "chat" && message.json["stream"] === true;
  return { id, parentId: undefined, kind, name, stream, body, message, usage: undefined };
}

function decodePath(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
