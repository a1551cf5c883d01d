import type { Clock } from "../kernel/clock.ts";
import { errorCodes } from "../kernel/error-codes.ts";
import type { Log } from "../kernel/log.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { Encoded } from "./adapter.ts";
import { endAttempts } from "./end-attempts.ts";
import type { AttemptEvent, EventSink, ExchangeEvent } from "./event.ts";
import { eventSubject } from "./event-subject.ts";
import type { Exchange, Operation } from "./exchange.ts";
import type { Outcome } from "./outcome.ts";
import type { LimitGate } from "./run-limits.ts";
import { siblingOf } from "./run-siblings.ts";
import { runRecord } from "./run-steps.ts";

export interface RecordTools {
  readonly clock: Clock;
  readonly log: Log;
  readonly sink: EventSink;
  readonly node: string;
}

interface LastTools extends RecordTools {
  readonly limits: LimitGate;
}

/**
 * The last step, on every path: settles what was charged and what policies hold, and writes one row per operation, one
 * per try and one log line. An exchange that was refused before it was understood has one row too, without an operation.
 */
export function recordExchange(
  exchange: Exchange,
  outcome: Outcome,
  encoded: Encoded,
  tools: LastTools,
): MaybePromise<void> {
  const settled: Outcome = encoded.error === undefined ? outcome : { type: "failed", error: encoded.error };
  const durationMs = tools.clock.monotonic() - exchange.startedMonotonicMs;
  const streamed = outcome.type === "answer" && outcome.answer.body.type === "stream";
  if (streamed || exchange.operations[0]?.stream === true) endAttempts(exchange, durationMs, encoded.error);
  const waits: Promise<void>[] = [];
  exchange.operations.forEach((operation, place) => {
    const end = endOf(exchange, place, settled);
    const recorded = runRecord(exchange, operation, end, tools);
    if (recorded instanceof Promise) waits.push(recorded);
    const accounted = tools.limits.settle(exchange, operation, end);
    if (accounted instanceof Promise) waits.push(accounted);
  });
  const write = (): void => {
    if (tools.sink.isOpen) writeRows(exchange, settled, encoded.status, durationMs, tools);
    logExchange(exchange, settled, encoded.status, durationMs, tools.log);
  };
  return waits.length === 0 ? write() : Promise.all(waits).then(write);
}

function writeRows(
  exchange: Exchange,
  outcome: Outcome,
  status: number,
  durationMs: number,
  { sink, node }: RecordTools,
): void {
  const times = { startedAtMs: exchange.startedAtMs, durationMs };
  const operations = exchange.operations.length === 0 ? [undefined] : exchange.operations;
  for (const [place, operation] of operations.entries()) {
    const event = exchangeEvent(exchange, operation, endOf(exchange, place, outcome), status, times, node);
    const sibling = siblingOf(exchange, place);
    if (sibling === undefined || operation === undefined) sink.record(event);
    else sink.record({ ...event, request_bytes: operation.body.length, response_bytes: sibling.responseBytes });
  }
  for (const [index, attempt] of exchange.attempts.entries()) sink.record(attemptEvent(exchange, index, attempt));
}

/** How an operation ended. What breaks an exchange breaks it for all that had not ended by then. */
function endOf(exchange: Exchange, place: number, settled: Outcome): Outcome {
  const sibling = siblingOf(exchange, place);
  if (sibling === undefined) return settled;
  const stands = settled.type !== "failed" || (sibling.isOver && exchange.firstByteMs !== undefined);
  return stands ? sibling.outcome : settled;
}

/** The row of one message that has passed on a stream: it is over at once, and the stream goes on. */
export function recordAside(exchange: Exchange, operation: Operation, { clock, sink, node }: RecordTools): void {
  const times = { startedAtMs: clock.now(), durationMs: 0 };
  const answer = { status: 200, headers: {}, body: { type: "whole", frame: nothing } } as const;
  if (!sink.isOpen) return;
  const event = exchangeEvent(exchange, operation, { type: "answer", answer }, 200, times, node);
  sink.record({ ...event, decisions: [], request_bytes: 0, response_bytes: 0, first_byte_ms: null });
}

const nothing = { bytes: new Uint8Array(0), message: () => undefined };

interface RowTimes {
  readonly startedAtMs: number;
  readonly durationMs: number;
}

function exchangeEvent(
  exchange: Exchange,
  operation: Operation | undefined,
  outcome: Outcome,
  status: number,
  { startedAtMs, durationMs }: RowTimes,
  node: string,
): ExchangeEvent {
  const { api, principal, inbound } = exchange;
  const usage = operation?.usage;
  const subject = operation && eventSubject(exchange, operation);
  const isAlone = exchange.operations.length === 1;
  const own = isAlone
    ? exchange.attempts
    : exchange.attempts.filter(({ operationId }) => operationId === operation?.id);
  const end = outcomeFields(outcome, status >= 400 || subject?.isUpstreamError === true, exchange);
  return {
    type: "exchange",
    ts: startedAtMs,
    exchange_id: exchange.id,
    operation_id: operation?.id ?? exchange.id,
    parent_id: operation?.parentId ?? null,
    trace_id: traceId(inbound.headers["traceparent"] ?? subject?.traceparent),
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
    duration_ms: rounded(durationMs),
    upstream_ms: own.length === 0 ? null : rounded(sumOf(own)),
    first_byte_ms: exchange.firstByteMs === undefined ? null : rounded(exchange.firstByteMs),
    fields: withCaller(api.adapter.eventFields?.(exchange, operation, outcome) ?? noFields, principal),
    labels: exchange.labels,
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

function attemptEvent(exchange: Exchange, index: number, attempt: Exchange["attempts"][number]): AttemptEvent {
  return {
    type: "attempt",
    ts: attempt.startedAtMs,
    exchange_id: exchange.id,
    operation_id: attempt.operationId,
    attempt: index + 1,
    config_hash: exchange.snapshot.configHash,
    api_id: exchange.api.id,
    target: attempt.target,
    provider: attempt.provider,
    model: attempt.model ?? null,
    status: attempt.status ?? null,
    error_code: attempt.errorCode ?? null,
    first_byte_ms: attempt.firstByteMs === undefined ? null : rounded(attempt.firstByteMs),
    duration_ms: attempt.durationMs === undefined ? null : rounded(attempt.durationMs),
  };
}

function logExchange(exchange: Exchange, outcome: Outcome, status: number, durationMs: number, log: Log): void {
  const fields = { exchange: exchange.id, api: exchange.api.name, status, ms: rounded(durationMs) };
  switch (outcome.type) {
    case "answer":
      log.debug(fields, "exchange");
      break;
    case "denied":
      log.info({ ...fields, code: outcome.deny.code, by: outcome.by, detail: outcome.deny.detail }, "exchange denied");
      break;
    case "failed": {
      const { code, detail, cause } = outcome.error;
      if (errorCodes[code].status >= 500) log.warn({ ...fields, code, detail, err: cause }, "exchange failed");
      else log.info({ ...fields, code, detail }, "exchange failed");
    }
  }
}

/** The trace id of a W3C `traceparent`, or null. */
function traceId(header: unknown): string | null {
  const parts = typeof header === "string" ? /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(header) : null;
  return parts?.[1] ?? null;
}

function retryCount(header: unknown): number | null {
  return typeof header === "string" && /^\d{1,4}$/.test(header) ? Number(header) : null;
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
