import type { AttemptEvent, ExchangeEvent } from "../../pipeline/event.ts";
import type { SpanPlace } from "../../pipeline/trace-context.ts";
import type { OtlpAttribute, TelemetryValues } from "./otlp-values.ts";
import { otlpAttributes, unixNano } from "./otlp-values.ts";
import { telemetryNames as names } from "./telemetry-names.ts";

/** A span in OTLP's JSON: ids in hex, nanoseconds as text. */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly flags: number;
  readonly name: string;
  /** 2 is SERVER, 3 is CLIENT. */
  readonly kind: 2 | 3;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly OtlpAttribute[];
  /** 0 is unset, 2 is an error. */
  readonly status: { readonly code: 0 | 2 };
}

/** The SERVER span of an operation. */
export function exchangeSpan(event: ExchangeEvent, place: SpanPlace): OtlpSpan {
  const { fields, outcome } = event;
  const isMcp = typeof fields["method"] === "string";
  const target = isMcp ? fields["primitive_name"] : event.operation_name;
  const name = [event.operation_kind || event.http_method, target];
  const isFailed = outcome !== "ok" || fields["is_error"] === true;
  return {
    ...placeOf(place),
    name: name.filter((part) => typeof part === "string" && part !== "").join(" "),
    kind: 2,
    ...times(event.ts, event.duration_ms),
    attributes: otlpAttributes({
      [names.exchange]: event.exchange_id,
      [names.api]: event.api_name,
      [names.application]: event.application_id,
      [names.configHash]: event.config_hash,
      [names.outcome]: outcome,
      [names.deniedBy]: event.denied_by,
      [names.httpMethod]: event.http_method,
      [names.httpStatus]: event.http_status,
      [names.clientAddress]: event.client_ip,
      [names.inputTokens]: event.input_tokens,
      [names.outputTokens]: event.output_tokens,
      [names.cost]: event.cost,
      [names.currency]: event.cost_currency,
      [names.errorType]: isFailed ? errorType(event) : null,
      ...(isMcp ? mcpValues(fields) : llmValues(event)),
    }),
    status: { code: isFailed ? 2 : 0 },
  };
}

/** The CLIENT span of a try at an operation. */
export function attemptSpan(event: AttemptEvent, place: SpanPlace, operation: ExchangeEvent): OtlpSpan {
  const error = attemptError(event);
  const isLlm = operation.api_kind === "LlmApi";
  const target = isLlm ? (event.model ?? event.target) : event.target;
  return {
    ...placeOf(place),
    name: `${operation.operation_kind} ${target}`,
    kind: 3,
    ...times(event.ts, event.duration_ms ?? 0),
    attributes: otlpAttributes({
      [names.api]: event.api_name,
      [names.target]: event.target,
      [names.attempt]: event.attempt,
      [names.httpStatus]: event.status,
      [names.inputTokens]: event.input_tokens,
      [names.outputTokens]: event.output_tokens,
      [names.errorType]: error,
      ...(isLlm
        ? {
            [names.genAiOperation]: operation.operation_kind,
            [names.genAiProvider]: event.provider,
            [names.genAiModel]: event.model,
          }
        : mcpValues(operation.fields)),
    }),
    status: { code: error === null ? 0 : 2 },
  };
}

/** What kind of failure a try was; null of one that went well. */
export function attemptError({ error_code, status }: AttemptEvent): string | null {
  return error_code ?? (status !== null && status >= 400 ? String(status) : null);
}

/** What kind of failure an operation was, in few words: a JSON-RPC code, `tool_error`, our own code, or the status. */
export function errorType({ fields, error_code, http_status }: ExchangeEvent): string {
  const told = fields["error_type"];
  return typeof told === "string" && told !== "" ? told : (error_code ?? String(http_status));
}

// https://www.w3.org/TR/trace-context/#trace-flags
function placeOf({ traceId, spanId, parentSpanId, isSampled }: SpanPlace) {
  return { traceId, spanId, ...(parentSpanId !== undefined && { parentSpanId }), flags: isSampled ? 1 : 0 };
}

function mcpValues(fields: ExchangeEvent["fields"]): TelemetryValues {
  if (fields["method"] === undefined) return {};
  const primitive = fields["primitive_name"];
  return {
    [names.mcpMethod]: fields["method"],
    [names.mcpSession]: fields["session_id_hash"],
    [names.mcpVersion]: fields["mcp_protocol_version"],
    [names.jsonRpcId]: fields["jsonrpc_id"],
    [names.rpcStatus]: fields["jsonrpc_error_code"] === undefined ? null : String(fields["jsonrpc_error_code"]),
    [names.transport]: "tcp",
    [names.genAiOperation]: fields["method"] === "tools/call" ? "execute_tool" : null,
    [names.genAiTool]: fields["primitive_type"] === "tool" ? primitive : null,
    [names.genAiPrompt]: fields["primitive_type"] === "prompt" ? primitive : null,
  };
}

function llmValues({ api_kind, operation_kind, operation_name }: ExchangeEvent): TelemetryValues {
  if (api_kind !== "LlmApi") return {};
  return { [names.genAiOperation]: operation_kind, [names.genAiModel]: operation_name };
}

function times(startMs: number, durationMs: number): Pick<OtlpSpan, "startTimeUnixNano" | "endTimeUnixNano"> {
  return { startTimeUnixNano: unixNano(startMs), endTimeUnixNano: unixNano(startMs + durationMs) };
}
