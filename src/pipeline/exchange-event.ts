import type { AttemptBill } from "./attempt-cost.ts";
import { sumOfBills, withRouteCost } from "./attempt-cost.ts";
import type { ExchangeEvent } from "./event.ts";
import { eventSubject } from "./event-subject.ts";
import type { Exchange, Operation } from "./exchange.ts";
import type { Outcome } from "./outcome.ts";
import { roundedMs } from "./rounded-ms.ts";
import { withShadow } from "./shadow-columns.ts";
import { shadowOf } from "./shadow-route.ts";
import { operationSpan, readTraceparent } from "./trace-context.ts";

/** What a row tells beside the exchange itself. */
export interface RowParts {
  /** The HTTP status that the client saw. */
  readonly status: number;
  readonly startedAtMs: number;
  readonly durationMs: number;
  /** This gateway's name. */
  readonly node: string;
  /** What the operation's tries cost. */
  readonly bills: readonly AttemptBill[];
}

/** The row of an operation, or of an exchange that was refused before there was one. */
export function exchangeEvent(
  exchange: Exchange,
  operation: Operation | undefined,
  outcome: Outcome,
  { status, startedAtMs, durationMs, node, bills }: RowParts,
): ExchangeEvent {
  const { api, principal, inbound } = exchange;
  const usage = operation?.usage;
  const subject = operation && eventSubject(exchange, operation);
  const isAlone = exchange.operations.length === 1;
  const own = isAlone
    ? exchange.attempts
    : exchange.attempts.filter(({ operationId }) => operationId === operation?.id);
  const trace = operationSpan(exchange, operation);
  const end = outcomeFields(outcome, status >= 400 || subject?.isUpstreamError === true, exchange);
  return {
    type: "exchange",
    ts: startedAtMs,
    exchange_id: exchange.id,
    operation_id: operation?.id ?? exchange.id,
    parent_id: operation?.parentId ?? null,
    trace_id: trace?.traceId ?? callersTraceId(subject?.traceparent) ?? callersTraceId(inbound.headers["traceparent"]),
    node,
    config_hash: exchange.snapshot.configHash,
    team_id: api.teamId,
    api_id: api.id,
    api_name: api.name,
    api_kind: api.kind,
    api_revision: api.revision,
    environment: principal?.environment ?? null,
    auth_method: principal?.type ?? null,
    key_id: principal?.keyId ?? null,
    application_id: principal?.applicationId ?? null,
    plan_id: principal?.planId ?? null,
    client_ip: inbound.clientIp,
    protocol: inbound.protocol,
    http_method: inbound.method,
    http_status: status,
    operation_kind: subject?.kind ?? "",
    operation_name: subject?.name ?? "",
    stream: operation?.stream ?? false,
    outcome: end.outcome,
    error_code: end.error_code,
    error_detail: end.error_detail,
    denied_by: end.denied_by,
    decisions: exchange.decisions,
    request_bytes: exchange.requestBytes,
    response_bytes: exchange.responseBytes,
    input_tokens: usage?.inputTokens ?? null,
    output_tokens: usage?.outputTokens ?? null,
    cached_input_tokens: usage?.cachedInputTokens ?? null,
    reasoning_tokens: usage?.reasoningTokens ?? null,
    usage_source: usage?.source ?? null,
    attempts: own.length,
    client_retry_count: retryCount(inbound.headers["x-stainless-retry-count"]),
    duration_ms: roundedMs(durationMs),
    upstream_ms: own.length === 0 ? null : roundedMs(sumOf(own)),
    first_byte_ms: exchange.firstByteMs === undefined ? null : roundedMs(exchange.firstByteMs),
    fields: withShadow(
      withHold(withCaller(api.adapter.eventFields?.(exchange, operation, outcome) ?? noFields, principal), operation),
      exchange,
      operation,
      bills,
    ),
    labels: exchange.labels,
    ...withRouteCost(withRouteCost(sumOfBills(bills), exchange.route), shadowOf(exchange)?.spent),
    trace,
    peer: own.at(-1)?.peer,
  };
}

// A key is told by its own columns. Whoever a token speaks for may be a person: of the subject only a hash is kept.
function withCaller(fields: ExchangeEvent["fields"], principal: Exchange["principal"]): ExchangeEvent["fields"] {
  if (principal?.type !== "token") return fields;
  const { clientId = null, secretId = null, subjectHash = null } = principal;
  return {
    ...fields,
    client_id: clientId && clientId.slice(0, longestClientId),
    secret_id: secretId,
    subject_hash: subjectHash,
  };
}

// What streamed guardrails add to the time until the first text.
function withHold(fields: ExchangeEvent["fields"], operation: Operation | undefined): ExchangeEvent["fields"] {
  return operation?.heldMs === undefined ? fields : { ...fields, guard_hold_ms: roundedMs(operation.heldMs) };
}

const longestClientId = 256;

const noFields: ExchangeEvent["fields"] = {};

type OutcomeFields = Pick<ExchangeEvent, "outcome" | "error_code" | "error_detail" | "denied_by">;

// A guardrail refuses a stream by breaking it off; its last decision names it then.
function outcomeFields(outcome: Outcome, isRefused: boolean, exchange: Exchange): OutcomeFields {
  switch (outcome.type) {
    case "answer":
      return isRefused ? refusedEnd : goodEnd;
    case "denied":
      return {
        outcome: "denied",
        error_code: outcome.deny.code,
        error_detail: outcome.deny.detail ?? null,
        denied_by: outcome.by,
      };
    case "failed": {
      const { code, detail } = outcome.error;
      if (code === "guardrail.denied")
        return { outcome: "denied", error_code: code, error_detail: detail ?? null, denied_by: lastDenial(exchange) };
      const kind = code === "client.closed" ? "cancelled" : code.startsWith("upstream.") ? "upstream_error" : "failed";
      return { outcome: kind, error_code: code, error_detail: detail ?? null, denied_by: null };
    }
  }
}

const goodEnd: OutcomeFields = { outcome: "ok", error_code: null, error_detail: null, denied_by: null };
const refusedEnd: OutcomeFields = { ...goodEnd, outcome: "upstream_error" };

function lastDenial({ decisions }: Exchange): string | null {
  return decisions.findLast(({ action, mode }) => action === "deny" && mode === "enforce")?.policy ?? null;
}

function sumOf(attempts: readonly Exchange["attempts"][number][]): number {
  let sum = 0;
  for (const { durationMs } of attempts) sum += durationMs ?? 0;
  return sum;
}

function callersTraceId(header: unknown): string | null {
  return readTraceparent(header)?.traceId ?? null;
}

function retryCount(header: unknown): number | null {
  return typeof header === "string" && /^\d{1,4}$/.test(header) ? Number(header) : null;
}
