import type { AttemptEvent, EventValue, ExchangeEvent } from "../../pipeline/event.ts";
import type { TargetPeer } from "../../pipeline/target-peer.ts";
import type { SpanPlace } from "../../pipeline/trace-context.ts";
import type { TelemetryValues } from "./otlp-values.ts";
import { attributesJson, textJson, unixNano } from "./otlp-values.ts";
import { genAiProviderName } from "./provider-names.ts";
import { telemetryNames as names } from "./telemetry-names.ts";

interface Span {
  readonly name: string;
  /** 2 is SERVER, 3 is CLIENT. */
  readonly kind: 2 | 3;
  readonly startMs: number;
  readonly durationMs: number;
  readonly isFailed: boolean;
  readonly values: TelemetryValues;
}

/** The SERVER span of an operation, in OTLP's JSON. */
export function exchangeSpan(event: ExchangeEvent, place: SpanPlace): string {
  const { fields, outcome } = event;
  const target = isMcp(fields) ? fields["primitive_name"] : event.operation_name;
  const name = [event.operation_kind || event.http_method, target];
  const isFailed = isFailedOperation(event);
  return spanJson(place, {
    name: name.filter((part) => typeof part === "string" && part !== "").join(" "),
    kind: 2,
    startMs: event.ts,
    durationMs: event.duration_ms,
    isFailed,
    values: {
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
      [names.cacheReadTokens]: event.cached_input_tokens,
      [names.cost]: event.cost,
      [names.currency]: event.cost_currency,
      [names.errorType]: isFailed ? errorType(event) : null,
      ...(isMcp(fields) ? mcpValues(fields, "tcp", fields["primitive_name"]) : llmValues(event)),
    },
  });
}

/** The CLIENT span of a try at an operation, in OTLP's JSON. */
export function attemptSpan(event: AttemptEvent, place: SpanPlace, operation: ExchangeEvent): string {
  const { fields, operation_kind: kind } = operation;
  const error = attemptError(event) ?? answeredError(fields);
  const isLlm = operation.api_kind === "LlmApi";
  const target = isLlm ? (event.model ?? event.target) : isMcp(fields) ? upstreamPrimitive(fields) : event.target;
  return spanJson(place, {
    name: typeof target === "string" && target !== "" ? `${kind} ${target}` : kind,
    kind: 3,
    startMs: event.ts,
    durationMs: event.duration_ms ?? 0,
    isFailed: error !== null,
    values: {
      [names.api]: event.api_name,
      [names.target]: event.target,
      [names.attempt]: event.attempt,
      [names.httpStatus]: event.status,
      [names.inputTokens]: event.input_tokens,
      [names.outputTokens]: event.output_tokens,
      [names.cacheReadTokens]: event.cached_input_tokens,
      [names.cacheWriteTokens]: event.cache_write_tokens,
      [names.errorType]: error,
      [names.serverAddress]: event.peer?.address,
      [names.serverPort]: event.peer?.port,
      ...(isLlm
        ? {
            [names.genAiOperation]: kind,
            [names.genAiProvider]: genAiProviderName(event.peer),
            [names.provider]: event.provider,
            [names.genAiModel]: event.model,
          }
        : mcpValues(fields, event.peer?.transport, upstreamPrimitive(fields))),
    },
  });
}

/** What kind of failure a try was; null of one that went well. */
export function attemptError({ error_code, status }: AttemptEvent): string | null {
  return error_code ?? (status !== null && status >= 400 ? String(status) : null);
}

/** Whether an operation did not end well: it was refused or broke, or its answer was an error, of a tool too. */
export function isFailedOperation({ outcome, fields }: ExchangeEvent): boolean {
  return outcome !== "ok" || fields["is_error"] === true;
}

/** What kind of failure an operation was, in few words: a JSON-RPC code, `tool_error`, our own code, or the status. */
export function errorType({ fields, error_code, http_status }: ExchangeEvent): string {
  const told = fields["error_type"];
  return typeof told === "string" && told !== "" ? told : (error_code ?? String(http_status));
}

/**
 * Ids in hex, nanoseconds as text.
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
function spanJson({ traceId, spanId, parentSpanId, isSampled, link }: SpanPlace, span: Span): string {
  const { name, kind, startMs, durationMs, isFailed, values } = span;
  const parent = parentSpanId === undefined ? "" : `"parentSpanId":"${parentSpanId}",`;
  const links = link === undefined ? "" : `"links":[{"traceId":"${link.traceId}","spanId":"${link.spanId}"}],`;
  const times = `"startTimeUnixNano":"${unixNano(startMs)}","endTimeUnixNano":"${unixNano(startMs + durationMs)}"`;
  // https://www.w3.org/TR/trace-context/#trace-flags
  return `{"traceId":"${traceId}","spanId":"${spanId}",${parent}"flags":${isSampled ? 1 : 0},"name":${textJson(name)},"kind":${kind},${times},"attributes":${attributesJson(values)},${links}"status":{"code":${isFailed ? 2 : 0}}}`;
}

/** What an MCP server has answered with in place of a result; it is asked once, so it is the try's too. */
function answeredError({ is_error: isError, error_type: told }: ExchangeEvent["fields"]): string | null {
  return isError === true && typeof told === "string" && told !== "" ? told : null;
}

function isMcp(fields: ExchangeEvent["fields"]): boolean {
  return typeof fields["method"] === "string";
}

/** What the upstream calls the tool or prompt, where a virtual server gives it another name. */
export function upstreamPrimitive(fields: ExchangeEvent["fields"]): EventValue | undefined {
  return fields["upstream_primitive_name"] ?? fields["primitive_name"];
}

/** The transport is not told where a try is at a virtual server, or at one made of an OpenAPI document. */
function mcpValues(
  fields: ExchangeEvent["fields"],
  transport: TargetPeer["transport"] | undefined,
  primitive: EventValue | undefined,
): TelemetryValues {
  if (!isMcp(fields)) return {};
  return {
    [names.mcpMethod]: fields["method"],
    [names.mcpSession]: fields["session_id_hash"],
    [names.mcpVersion]: fields["mcp_protocol_version"],
    [names.mcpResource]: fields["resource_uri_hash"],
    [names.jsonRpcId]: fields["jsonrpc_id"],
    [names.rpcStatus]: fields["jsonrpc_error_code"] === undefined ? null : String(fields["jsonrpc_error_code"]),
    [names.transport]: transport,
    [names.networkProtocol]: transport === "tcp" ? "http" : null,
    [names.genAiOperation]: fields["method"] === "tools/call" ? "execute_tool" : null,
    [names.genAiTool]: fields["primitive_type"] === "tool" ? primitive : null,
    [names.genAiPrompt]: fields["primitive_type"] === "prompt" ? primitive : null,
  };
}

function llmValues({ api_kind, operation_kind, operation_name, peer }: ExchangeEvent): TelemetryValues {
  if (api_kind !== "LlmApi") return {};
  return {
    [names.genAiOperation]: operation_kind,
    [names.genAiProvider]: genAiProviderName(peer),
    [names.genAiModel]: operation_name,
  };
}
