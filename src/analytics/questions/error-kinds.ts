import { z } from "zod";
import { atSchema, defineQuestion } from "./define-question.ts";

/** The kinds that errors are told apart by. */
export const errorKindNames = [
  "parse",
  "invalid_request",
  "method_not_found",
  "invalid_params",
  "internal",
  "server",
  "tool_error",
  "auth",
  "throttled",
  "guardrail",
  "approval",
  "upstream",
  "gateway",
  "other",
] as const;

/**
 * The gateway's own refusals and faults by their code, then JSON-RPC errors of the server by theirs (JSON-RPC 2.0, 5.1),
 * then results that a tool itself calls errors.
 */
export const errorKind = `multiIf(
    startsWith(error_code, 'auth.'), 'auth', startsWith(error_code, 'limit.'), 'throttled',
    startsWith(error_code, 'guardrail.'), 'guardrail', startsWith(error_code, 'approval.'), 'approval',
    error_code = 'request.malformed_json', 'parse', error_code = 'mcp.invalid_params', 'invalid_params',
    error_code IN ('mcp.method_not_found', 'request.not_offered', 'route.not_found', 'route.method_not_allowed'), 'method_not_found',
    startsWith(error_code, 'request.') OR startsWith(error_code, 'mcp.'), 'invalid_request',
    startsWith(error_code, 'upstream.') OR outcome = 'upstream_error' AND jsonrpc_error_code IS NULL AND NOT ifNull(tool_error, false), 'upstream',
    error_code != '' AND error_code != 'client.closed', 'gateway',
    jsonrpc_error_code = -32700, 'parse', jsonrpc_error_code = -32600, 'invalid_request',
    jsonrpc_error_code = -32601, 'method_not_found', jsonrpc_error_code = -32602, 'invalid_params',
    jsonrpc_error_code = -32603, 'internal', jsonrpc_error_code BETWEEN -32099 AND -32000, 'server',
    ifNull(tool_error, false), 'tool_error', 'other')`;

/** What is an error at all: not what a client broke off. */
export const isFailure = "(outcome IN ('denied', 'failed', 'upstream_error') OR ifNull(is_error, false))";

/** Errors by what they are, over time. */
export const errorKinds = defineQuestion({
  id: "error-kinds",
  title: "Errors by kind",
  description:
    "Errors told apart by what they are: of the protocol, of a tool, of who may do what, of limits, guardrails and upstreams. What a client broke off is none.",
  component: "ErrorKind",
  hasSteps: true,
  row: { at: atSchema, kind: z.enum(errorKindNames), count: z.int(), lastAt: z.iso.datetime() },
  sql: ({ where, step }) => `SELECT ${step} AS at, ${errorKind} AS kind, count() AS count, max(ts) AS lastAt
FROM {db}.exchanges WHERE ${where} AND ${isFailure}
GROUP BY at, kind ORDER BY at, count DESC, kind`,
});
