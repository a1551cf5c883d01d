import { errorCodes } from "../../kernel/error-codes.ts";
import type { FaultManner } from "../../kernel/errors.ts";
import { legacyResult, modernResult } from "../../mcp/wire/era-results.ts";
import type { JsonRpcId } from "../../mcp/wire/json-rpc.ts";
import type { Operation } from "../../pipeline/exchange.ts";
import type { JsonRpcErrorParts } from "./json-rpc-error.ts";
import { jsonRpcError } from "./json-rpc-error.ts";
import type { McpRequest } from "./mcp-request.ts";
import { mcpRequest } from "./mcp-request.ts";

export interface McpFaultParts extends JsonRpcErrorParts {
  readonly manner?: FaultManner | undefined;
}

/** Under this name `_meta` of a result tells what a guardrail has measured. */
const assessmentMeta = "gatehouse/assessment";

/**
 * A fault as the answer to an operation: a JSON-RPC error, or, of a tool call where the fault is to be told so, a result
 * with `isError`, which the model reads and may mend (2025-11-25, server/tools, "Error handling").
 */
export function faultMessage(
  operation: Operation | undefined,
  id: JsonRpcId | undefined,
  parts: McpFaultParts,
): object {
  const era = operation && resultEra(operation, parts);
  if (era === undefined || id === undefined) return jsonRpcError(id, parts);
  return { jsonrpc: "2.0", id, result: faultResult(parts, era) };
}

/** The result of a tool call that stands for a fault. */
export function faultResult(
  { message, data }: McpFaultParts,
  era: McpRequest["era"],
): Readonly<Record<string, unknown>> {
  const assessment = data?.["assessment"];
  const meta = assessment === undefined ? {} : { _meta: { [assessmentMeta]: assessment } };
  const result = { content: [{ type: "text", text: message }], isError: true, ...meta };
  return era === "modern" ? modernResult("tools/call", result, undefined) : legacyResult("tools/call", result);
}

/** Whether the fault is told as a result: it has to be wanted, and the operation a tool call. */
export function isToldAsResult(operation: Operation | undefined, parts: McpFaultParts): boolean {
  return operation !== undefined && resultEra(operation, parts) !== undefined;
}

/** The HTTP status beside it. */
export function faultStatus(operation: Operation | undefined, parts: McpFaultParts): number {
  return isToldAsResult(operation, parts) ? 200 : (parts.manner?.status ?? errorCodes[parts.code].status);
}

function resultEra(operation: Operation, { manner }: McpFaultParts): McpRequest["era"] | undefined {
  if (manner?.asResult !== true) return undefined;
  const { message, era } = mcpRequest(operation);
  return message?.type === "request" && message.method === "tools/call" ? era : undefined;
}
