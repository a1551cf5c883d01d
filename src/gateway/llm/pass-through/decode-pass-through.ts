import { GatewayError } from "../../../kernel/errors.ts";
import type { JsonScan } from "../../../kernel/json-scan.ts";
import { scanJson } from "../../../kernel/json-scan.ts";
import type { MaybePromise } from "../../../kernel/maybe-promise.ts";
import type { ClientRequest } from "../../../pipeline/adapter.ts";
import type { AffinityStore } from "../../../pipeline/affinity-store.ts";
import type { Exchange, Operation } from "../../../pipeline/exchange.ts";
import type { Deny } from "../../../pipeline/outcome.ts";
import { deny } from "../../../pipeline/outcome.ts";
import { parseBody, readBody, requireJson } from "../../read-body.ts";
import { llmTables } from "../compile-llm.ts";
import type { LlmRequest, PassThroughRequest } from "../llm-request.ts";
import { bodilessRequest } from "../llm-request.ts";
import { ClientUpload, headBytes } from "./client-upload.ts";
import type { PassThroughTables } from "./compile-pass-through.ts";
import type { FoundEndpoint } from "./endpoints.ts";
import { findEndpoint } from "./endpoints.ts";
import { findKept } from "./kept-objects.ts";
import { boundaryOf, MultipartScan } from "./multipart-scan.ts";

/** What is asked of an endpoint that an API has opened; undefined for paths that are none. Uploads are read as they go. */
export function decodePassThrough(
  exchange: Exchange,
  request: ClientRequest,
  store: AffinityStore | undefined,
): MaybePromise<readonly Operation[] | Deny> | undefined {
  const tables = llmTables(exchange.api).passThrough;
  const endpoint =
    tables && findEndpoint(exchange.inbound.method, exchange.inbound.path.slice(exchange.api.context.length));
  if (endpoint === undefined || !tables?.families.has(endpoint.family)) return undefined;
  const found = { exchange, request, endpoint, tables, store };
  if (endpoint.family === "batches" && isGuarded(exchange))
    return deny("guardrail.denied", "Batches run what no guardrail reads, and one holds for this caller.");
  const { headers } = exchange.inbound;
  switch (endpoint.asks) {
    case "list":
      return [operationOf(found, {})];
    case "object":
      return then(findKept(exchange, endpoint.id, store), (owner) =>
        "type" in owner ? owner : [operationOf(found, { owner })],
      );
    case "file":
      return decodeUpload(found);
    case "form":
      return requireJson(headers["content-type"]) === undefined ? decodeJson(found) : decodeUpload(found);
    case "json":
    case "batch":
      return requireJson(headers["content-type"]) ?? decodeJson(found);
  }
}

interface Found {
  readonly exchange: Exchange;
  readonly request: ClientRequest;
  readonly endpoint: FoundEndpoint;
  readonly tables: PassThroughTables;
  readonly store: AffinityStore | undefined;
}

/** Whether any guardrail holds for this caller, whatever kinds it is for: a batch runs chats unread. */
function isGuarded({ api, principal, snapshot }: Exchange): boolean {
  const plan = principal?.planId === undefined ? undefined : snapshot.plans.get(principal.planId);
  return [api.chain, plan].some((chain) =>
    [...(chain?.request ?? []), ...(chain?.response ?? [])].some(
      ({ guardrail, mode }) => guardrail !== undefined && mode === "enforce",
    ),
  );
}

function decodeJson(found: Found): MaybePromise<readonly Operation[] | Deny> {
  const { exchange, request, endpoint } = found;
  return then(readBody(request, exchange.api.limits.requestBytes, exchange.cancellation), (body) => {
    if ("type" in body) return body;
    exchange.requestBytes = body.length;
    const read = readJson(body, exchange.api.limits.jsonDepth);
    if ("type" in read) return read;
    return endpoint.asks === "batch" ? decodeBatch(found, body, read) : decodeModel(found, body, read);
  });
}

interface ReadJson {
  readonly json: LlmRequest["json"];
  readonly scan: JsonScan;
}

function readJson(body: Buffer, maxDepth: number): ReadJson | Deny {
  try {
    const scan = scanJson(body, { maxDepth });
    const parsed = parseBody(body);
    if ("type" in parsed) return parsed;
    const { value } = parsed;
    if (value === null || typeof value !== "object" || Array.isArray(value))
      return deny("request.invalid", "The body must be a JSON object.");
    return { json: value as LlmRequest["json"], scan }; // an object, as just seen
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const parsed = parseBody(body); // of two faults, that it is no JSON is the one to tell
    return "type" in parsed ? parsed : deny(error.code, error.message);
  }
}

function decodeModel(found: Found, body: Buffer, { json, scan }: ReadJson): readonly Operation[] | Deny {
  const { model } = json;
  const isGiven = model !== undefined && model !== null;
  if (isGiven && (typeof model !== "string" || model === ""))
    return deny("request.invalid", "`model` must be a non-empty string.", { param: "model" });
  if (!isGiven && asksForModel(found))
    return deny("request.invalid", "`model` has to be named here.", { param: "model" });
  return [operationOf(found, { name: isGiven ? model : "", body, json, scan })];
}

/** What a batch runs stands in a file that nobody has read: whoever may not call every model may run none. */
function decodeBatch(found: Found, body: Buffer, read: ReadJson): MaybePromise<readonly Operation[] | Deny> {
  const { exchange, store } = found;
  if (exchange.principal?.mayCall !== undefined)
    return deny("request.not_offered", "Batches are not for keys that may call certain models only.");
  const param = "input_file_id";
  const id = read.json[param];
  if (typeof id !== "string" || id === "")
    return deny("request.invalid", `\`${param}\` must be a file's id.`, { param });
  return then(findKept(exchange, id, store, param), (owner) =>
    "type" in owner ? owner : [operationOf(found, { body, ...read, owner })],
  );
}

async function decodeUpload(found: Found): Promise<readonly Operation[] | Deny> {
  const { exchange, request, endpoint, tables } = found;
  const { cancellation, inbound } = exchange;
  const { uploadBytes: limitBytes } = tables;
  const boundary = boundaryOf(inbound.headers["content-type"]);
  const encoding = inbound.headers["content-encoding"] ?? "identity";
  if (boundary === undefined || encoding !== "identity")
    return deny(
      "request.unsupported_media_type",
      "Send a plain form: `content-type: multipart/form-data; boundary=…`.",
    );
  if (Number(inbound.headers["content-length"] ?? 0) > limitBytes)
    return deny("request.too_large", `The upload is larger than ${limitBytes} bytes.`);
  const scan = endpoint.asks === "form" ? new MultipartScan(boundary) : undefined;
  const heard = (bytes: number): void => void (exchange.requestBytes = bytes);
  const upload = new ClientUpload(request, { limitBytes, cancellation, scan, heard });
  try {
    const model = await upload.readHead();
    if (scan === undefined || model !== undefined || !asksForModel(found))
      return [operationOf(found, { name: model?.value ?? "", upload })];
    upload.letGo();
    const where = `within the first ${headBytes} bytes of the form: put it before the file`;
    return deny("request.invalid", `\`model\` has to be named here, ${where}.`, { param: "model" });
  } catch (error) {
    upload.letGo();
    if (!(error instanceof GatewayError) || !error.code.startsWith("request.")) throw error;
    return deny(error.code, error.message, error.param === undefined ? {} : { param: error.param });
  }
}

/** Where some models are not for this caller, which one it is has to be seen. */
function asksForModel({ exchange, tables }: Found): boolean {
  return tables.needsModel || exchange.principal?.mayCall !== undefined;
}

interface Read extends Partial<ReadJson>, Pick<PassThroughRequest, "upload" | "owner"> {
  readonly name?: string;
  readonly body?: Buffer;
}

const noBody = Buffer.alloc(0);

function operationOf(
  { exchange, endpoint }: Found,
  { name = "", body = noBody, json, scan, ...more }: Read,
): Operation {
  const { providerPath: path, family, asks } = endpoint;
  const passThrough: PassThroughRequest = { path, family, asks, method: endpoint.method, ...more };
  const read = json === undefined || scan === undefined ? {} : { json, scan };
  const message: LlmRequest = { ...bodilessRequest("pass-through"), ...read, passThrough };
  return { id: exchange.id, parentId: undefined, kind: family, name, stream: false, body, message, usage: undefined };
}

function then<Value, Result>(
  value: MaybePromise<Value>,
  next: (value: Value) => MaybePromise<Result>,
): MaybePromise<Result> {
  return value instanceof Promise ? value.then(next) : next(value);
}
