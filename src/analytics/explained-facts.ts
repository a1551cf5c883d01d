import { z } from "zod";
import type { ExplainedRow } from "./explain-rows.ts";
import type { ExplainedStep, Facts } from "./explanation.ts";

/** What the row tells of a step, by column. */
export function explainedFacts(row: ExplainedRow, step: ExplainedStep): Facts {
  const facts: Facts = {};
  for (const column of explainedColumns[step]) {
    const value = factSchema.safeParse(row[column]).data;
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) facts[column] = value;
  }
  return facts;
}

/** Columns that tell of a step; those that the row has are shown. */
export const explainedColumns: Readonly<Record<ExplainedStep, readonly string[]>> = {
  identify: [
    "auth_method",
    "key_id",
    "client_id",
    "application_id",
    "plan_id",
    "environment",
    "client_ip",
    "client_name",
  ],
  decode: ["protocol", "http_method", "mcp_protocol_version", "method", "primitive_name", "request_bytes"],
  admit: ["client_retry_count"],
  request: [
    "tools_total",
    "tools_after_filter",
    "filter_mode",
    "filter_reason",
    "tools_after_authz",
    "members_missing",
    "cache",
    "cache_mode",
    "cache_reason",
    "cache_score",
  ],
  route: [
    "route_strategy",
    "route_name",
    "route_reason",
    "route_score",
    "route_target",
    "route_gates",
    "route_candidates",
    "route_cost",
  ],
  call: ["member", "upstream_primitive_name", "upstream_ms", "first_byte_ms", "server_name", "server_version"],
  response: [
    "input_tokens",
    "output_tokens",
    "cached_input_tokens",
    "cost",
    "cost_currency",
    "cost_source",
    "response_bytes",
    "list_total",
    "result_type",
    "tool_error",
    "jsonrpc_error_code",
    "guard_hold_ms",
  ],
};

const factSchema = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]);
