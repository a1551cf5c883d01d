import { z } from "zod";

const msSchema = z.number().nullable();

/** Percentiles of a time, in milliseconds; null where nothing was measured. */
export const percentilesSchema = z.strictObject({ p50: msSchema, p90: msSchema, p95: msSchema, p99: msSchema });

/** One recorded operation, with the columns of the table; texts that were absent are null. */
export const exchangeRowSchema = z.looseObject({
  ts: z.iso.datetime(),
  exchange_id: z.string(),
  operation_id: z.string(),
  api_name: z.string(),
  api_kind: z.string(),
  environment: z.string().nullable(),
  operation_kind: z.string().nullable(),
  operation_name: z.string().nullable(),
  http_status: z.int(),
  outcome: z.string(),
  error_code: z.string().nullable(),
  duration_ms: z.number(),
  cost: z
    .string()
    .nullable()
    .meta({ description: "Of all its tries, in units of the currency; null where not known." }),
  cost_currency: z.string().nullable(),
  cost_source: z.string().nullable().meta({ description: "`actual`, `estimated` or `unknown`." }),
});

/** What passed in one step of time. */
export const trafficSchema = z.strictObject({
  at: z.iso.datetime().meta({ description: "When the step begins." }),
  requests: z.int(),
  denied: z.int(),
  failed: z.int().meta({ description: "Of the gateway or of the upstream." }),
  inputTokens: z.int(),
  outputTokens: z.int(),
  requestBytes: z.int(),
  responseBytes: z.int(),
});

/** One kind of failure at one API. */
export const errorCountSchema = z.strictObject({
  apiId: z.string(),
  apiName: z.string(),
  outcome: z.string(),
  errorCode: z.string().nullable(),
  status: z.int().meta({ description: "The HTTP status that the client saw." }),
  count: z.int(),
  lastAt: z.iso.datetime(),
});

/** How long one API took. */
export const latencySchema = z.strictObject({
  apiId: z.string(),
  apiName: z.string(),
  requests: z.int(),
  durationMs: percentilesSchema,
  upstreamMs: percentilesSchema,
  firstByteMs: percentilesSchema,
});

/** The use of one model. */
export const modelUseSchema = z.strictObject({
  model: z.string(),
  requests: z.int(),
  failed: z.int(),
  inputTokens: z.int(),
  outputTokens: z.int(),
  durationMs: percentilesSchema,
});

/** The use of one tool of one MCP server. */
export const toolUseSchema = z.strictObject({
  apiId: z.string(),
  apiName: z.string(),
  tool: z.string(),
  calls: z.int(),
  failed: z.int().meta({ description: "Errors of the protocol, and results that the tool itself calls errors." }),
  consumers: z.int().meta({ description: "Different keys." }),
  durationMs: percentilesSchema,
});

export type ExchangeRow = z.output<typeof exchangeRowSchema>;
export type Traffic = z.output<typeof trafficSchema>;
export type ErrorCount = z.output<typeof errorCountSchema>;
export type Latency = z.output<typeof latencySchema>;
export type ModelUse = z.output<typeof modelUseSchema>;
export type ToolUse = z.output<typeof toolUseSchema>;
