import type { ErrorCode } from "../../kernel/error-codes.ts";
import { errorCodes } from "../../kernel/error-codes.ts";
import type { JsonRpcId } from "../../mcp/wire/json-rpc.ts";
import { jsonRpcCodes } from "../../mcp/wire/json-rpc.ts";
import { modernCodes } from "../../mcp/wire/modern.ts";

/** A JSON-RPC error response. `id` is null where the request could not be told. */
export interface JsonRpcErrorResponse {
  readonly jsonrpc: "2.0";
  readonly id: JsonRpcId | null;
  readonly error: {
    readonly code: number;
    readonly message: string;
    readonly data?: Readonly<Record<string, unknown>>;
  };
}

export interface JsonRpcErrorParts {
  readonly code: ErrorCode;
  readonly message: string;
  readonly data?: Readonly<Record<string, unknown>> | undefined;
  readonly retryAfterMs?: number | undefined;
}

const specified: Partial<Record<ErrorCode, number>> = {
  "request.malformed_json": jsonRpcCodes.parseError,
  "request.invalid": jsonRpcCodes.invalidRequest,
  "request.too_deep": jsonRpcCodes.invalidRequest,
  "mcp.invalid_params": jsonRpcCodes.invalidParams,
  "mcp.header_mismatch": modernCodes.headerMismatch,
  "mcp.unsupported_version": modernCodes.unsupportedVersion,
  internal: jsonRpcCodes.internalError,
};

/**
 * A fault as a JSON-RPC error. What neither JSON-RPC nor MCP defines gets 1000 plus the HTTP status: positive, since
 * both reserve ranges below zero. `data.code` is our own name for it.
 */
export function jsonRpcError(id: JsonRpcId | undefined, parts: JsonRpcErrorParts): JsonRpcErrorResponse {
  const { code, message, retryAfterMs } = parts;
  // What a caller may not see looks like what is not there: nothing tells that the gateway said so.
  if (code === "mcp.method_not_found") {
    return { jsonrpc: "2.0", id: id ?? null, error: { code: jsonRpcCodes.methodNotFound, message } };
  }
  if (code === "request.not_offered") {
    return { jsonrpc: "2.0", id: id ?? null, error: { code: jsonRpcCodes.invalidParams, message } };
  }
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs: Math.ceil(retryAfterMs) };
  const number = specified[code] ?? 1_000 + errorCodes[code].status;
  return { jsonrpc: "2.0", id: id ?? null, error: { code: number, message, data: { ...parts.data, code, ...wait } } };
}
