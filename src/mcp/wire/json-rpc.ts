/** A request's id as JSON-RPC has it; MCP forbids null. */
export type JsonRpcId = string | number;

export interface JsonRpcRequest {
  readonly type: "request";
  readonly id: JsonRpcId;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

export interface JsonRpcNotification {
  readonly type: "notification";
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** An answer, of either side. `id` is undefined where the other side could not tell which request it answers. */
export interface JsonRpcResponse {
  readonly type: "response";
  readonly id: JsonRpcId | undefined;
  readonly result: Readonly<Record<string, unknown>> | undefined;
  readonly error: { readonly code: number; readonly message: string; readonly data?: unknown } | undefined;
}

export type JsonRpcMessage = JsonRpcRequest | JsonRpcNotification | JsonRpcResponse;

/** What is no message. `id` is there where one can still be told, so that the refusal can name it. */
export interface InvalidJsonRpc {
  readonly type: "invalid";
  readonly reason: string;
  readonly id: JsonRpcId | undefined;
}

/** JSON-RPC 2.0 error codes that the relay itself uses (section 5.1). */
export const jsonRpcCodes = {
  parseError: -32_700,
  invalidRequest: -32_600,
  methodNotFound: -32_601,
  invalidParams: -32_602,
  internalError: -32_603,
} as const;

/**
 * What a parsed JSON value is in JSON-RPC 2.0, or why it is nothing. Ids must be strings, or integers that JavaScript
 * and everybody else read alike (up to 2^53); `params` must be an object, as MCP has it. Unknown members are fine.
 * @see https://www.jsonrpc.org/specification
 */
export function readJsonRpc(value: unknown): JsonRpcMessage | InvalidJsonRpc {
  if (Array.isArray(value)) return invalid("batches are not accepted; send each message in a request of its own");
  if (!isObject(value)) return invalid("a message is a JSON object");
  if (value["jsonrpc"] !== "2.0") return invalid('`jsonrpc` must be "2.0"', value["id"]);
  const { id, method, params, result, error } = value;
  if (method === undefined) return readResponse(id, result, error);
  if (typeof method !== "string" || method === "") return invalid("`method` must be a non-empty string", id);
  if (params !== undefined && !isObject(params)) return invalid("`params` must be an object", id);
  const given = params ?? {};
  if (!("id" in value)) return { type: "notification", method, params: given };
  if (!isId(id)) return invalid("`id` must be a string, or an integer of at most 53 bits");
  return { type: "request", id, method, params: given };
}

function readResponse(id: unknown, result: unknown, error: unknown): ReturnType<typeof readJsonRpc> {
  if ((result === undefined) === (error === undefined)) {
    return invalid("a message has a `method`, or either `result` or `error`", id);
  }
  if (id !== undefined && id !== null && !isId(id)) return invalid("`id` must be a string or an integer");
  const known = isId(id) ? id : undefined;
  if (error !== undefined) {
    if (!isObject(error) || typeof error["code"] !== "number") return invalid("`error` must have a numeric `code`");
    const message = typeof error["message"] === "string" ? error["message"] : "";
    const data = error["data"] === undefined ? {} : { data: error["data"] };
    return { type: "response", id: known, result: undefined, error: { code: error["code"], message, ...data } };
  }
  if (!isObject(result)) return invalid("`result` must be an object");
  return { type: "response", id: known, result, error: undefined };
}

function isId(id: unknown): id is JsonRpcId {
  return (typeof id === "string" && id.length <= 1_024) || Number.isSafeInteger(id);
}

function invalid(reason: string, id?: unknown): InvalidJsonRpc {
  return { type: "invalid", reason, id: isId(id) ? id : undefined };
}

/** A JSON object, as opposed to a list or a plain value. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
