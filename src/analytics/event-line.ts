import type { GovernanceEvent } from "../core/governance-event.ts";
import { parseJson } from "../kernel/parse-json.ts";
import type { AnalyticsEvent, AttemptEvent, CaptureEvent, CostColumns, ExchangeEvent } from "../pipeline/event.ts";
import { putCaptureLine } from "./capture-line.ts";
import { eventColumns } from "./event-columns.ts";
import { putGovernanceLine } from "./governance-line.ts";
import { putBytes, putEnd, putJson, putMembers, putMilliseconds, putNumber, putText } from "./line-values.ts";

/**
 * Puts an event's line at `at` and answers the place behind it. An answer beyond the end of `memory` says that the line
 * has no room there, and how long it is; what lies from `at` on is of no use then. Throws for what is no JSON.
 */
export type EventLineWriter = (event: SpooledEvent, memory: Buffer, at: number) => number;

/** What a spool takes: events, texts that were captured, and acts of governance. */
export type SpooledEvent = AnalyticsEvent | CaptureEvent | GovernanceEvent;

/**
 * Writes events as lines of a spool: a JSON array of the event's type and the values of `eventColumns`, all ASCII, and a
 * line feed. What many events have in common is kept as bytes, so one writer serves all events of a process.
 */
export function createEventLineWriter(): EventLineWriter {
  const putId = createRepeated();
  const exchangeLine = createExchangeLine(putId);
  const attemptLine = createAttemptLine(putId);
  return (event, memory, at) => {
    switch (event.type) {
      case "exchange":
        return exchangeLine(event, memory, at);
      case "attempt":
        return attemptLine(event, memory, at);
      case "capture":
        return putCaptureLine(event, memory, at);
      case "governance":
        return putGovernanceLine(event, memory, at);
    }
  };
}

/** The event of a line; undefined for captured texts and acts of governance, and for what no writer has written. A column that the line does not have yet is null. */
export function readEventLine(line: string): AnalyticsEvent | undefined {
  let row: unknown;
  try {
    row = parseJson(line);
  } catch {
    return undefined;
  }
  if (!Array.isArray(row)) return undefined;
  const [type, ...values] = row as readonly unknown[];
  const columns = type === "exchange" ? eventColumns.exchanges : type === "attempt" ? eventColumns.attempts : undefined;
  if (columns === undefined || values.length < leastColumns) return undefined;
  const members = columns.map((name, index) => [name, values[index] ?? null]);
  return { type, ...Object.fromEntries(members) } as AnalyticsEvent; // the spool writes nothing else
}

const leastColumns = 2;

/** Pieces of lines that are kept, of each kind, and the bytes of one. */
const mostPieces = 250;
const longestPiece = 2_000;
/** Characters of a text that is kept for its repetition. */
const longestRepeated = 64;

type Put<Value> = (value: Value, memory: Buffer, at: number) => number;
type Text = string | null | undefined;

function createExchangeLine(putId: Put<Text>): Put<ExchangeEvent> {
  const begin = Buffer.from('["exchange"');
  const ofApi = createPieces(({ api_id }: ExchangeEvent) => api_id, isSameApi, putApi);
  const ofCaller = createPieces(({ key_id }: ExchangeEvent) => key_id, isSameCaller, putCaller);
  const ofOperation = createPieces(
    ({ operation_name }: ExchangeEvent) => operation_name,
    isSameOperation,
    putOperation,
  );
  return (e, memory, at) => {
    let to = putNumber(memory, putBytes(memory, at, begin), e.ts);
    to = putId(e.exchange_id, memory, to);
    to = putId(e.operation_id, memory, to);
    to = putText(memory, to, e.parent_id);
    to = putText(memory, to, e.trace_id);
    to = ofApi(e, memory, to);
    to = ofCaller(e, memory, to);
    to = putText(memory, to, e.client_ip);
    to = ofOperation(e, memory, to);
    return putEnd(memory, putMeasures(e, memory, to));
  };
}

function isSameApi(a: ExchangeEvent, b: ExchangeEvent): boolean {
  return (
    a.node === b.node &&
    a.config_hash === b.config_hash &&
    a.team_id === b.team_id &&
    a.api_name === b.api_name &&
    a.api_kind === b.api_kind &&
    a.api_revision === b.api_revision
  );
}

function putApi(e: ExchangeEvent, memory: Buffer, at: number): number {
  let to = putText(memory, at, e.node);
  to = putText(memory, to, e.config_hash);
  to = putText(memory, to, e.team_id);
  to = putText(memory, to, e.api_id);
  to = putText(memory, to, e.api_name);
  to = putText(memory, to, e.api_kind);
  return putNumber(memory, to, e.api_revision);
}

function isSameCaller(a: ExchangeEvent, b: ExchangeEvent): boolean {
  return (
    a.environment === b.environment &&
    a.auth_method === b.auth_method &&
    a.application_id === b.application_id &&
    a.plan_id === b.plan_id
  );
}

function putCaller(e: ExchangeEvent, memory: Buffer, at: number): number {
  let to = putText(memory, at, e.environment);
  to = putText(memory, to, e.auth_method);
  to = putText(memory, to, e.key_id);
  to = putText(memory, to, e.application_id);
  return putText(memory, to, e.plan_id);
}

function isSameOperation(a: ExchangeEvent, b: ExchangeEvent): boolean {
  return (
    a.protocol === b.protocol &&
    a.http_method === b.http_method &&
    a.http_status === b.http_status &&
    a.operation_kind === b.operation_kind &&
    a.stream === b.stream &&
    a.outcome === b.outcome &&
    a.error_code === b.error_code
  );
}

function putOperation(e: ExchangeEvent, memory: Buffer, at: number): number {
  let to = putText(memory, at, e.protocol);
  to = putText(memory, to, e.http_method);
  to = putNumber(memory, to, e.http_status);
  to = putText(memory, to, e.operation_kind);
  to = putText(memory, to, e.operation_name);
  to = putJson(memory, to, e.stream);
  to = putText(memory, to, e.outcome);
  return putText(memory, to, e.error_code);
}

const emptyList = Buffer.from(",[]");

function putMeasures(e: ExchangeEvent, memory: Buffer, at: number): number {
  let to = putText(memory, at, e.error_detail);
  to = putText(memory, to, e.denied_by);
  to = e.decisions.length === 0 ? putBytes(memory, to, emptyList) : putJson(memory, to, e.decisions);
  to = putNumber(memory, to, e.request_bytes);
  to = putNumber(memory, to, e.response_bytes);
  to = putNumber(memory, to, e.input_tokens);
  to = putNumber(memory, to, e.output_tokens);
  to = putNumber(memory, to, e.cached_input_tokens);
  to = putNumber(memory, to, e.reasoning_tokens);
  to = putText(memory, to, e.usage_source);
  to = putNumber(memory, to, e.attempts);
  to = putNumber(memory, to, e.client_retry_count);
  to = putMilliseconds(memory, to, e.duration_ms);
  to = putMilliseconds(memory, to, e.upstream_ms);
  to = putMilliseconds(memory, to, e.first_byte_ms);
  return putCost(memory, putMembers(memory, putMembers(memory, to, e.fields), e.labels), e);
}

function putCost(memory: Buffer, at: number, { cost, cost_currency, cost_source }: CostColumns): number {
  const to = putText(memory, putText(memory, at, cost), cost_currency);
  return putText(memory, to, cost_source);
}

function createAttemptLine(putId: Put<Text>): Put<AttemptEvent> {
  const begin = Buffer.from('["attempt"');
  const ofTry = createPieces(({ target }: AttemptEvent) => target, isSameTry, putTry);
  const ofPayer = createPieces(({ key_id }: AttemptEvent) => key_id, isSamePayer, putPayer);
  return (e, memory, at) => {
    let to = putNumber(memory, putBytes(memory, at, begin), e.ts);
    to = putId(e.exchange_id, memory, to);
    to = putId(e.operation_id, memory, to);
    to = ofTry(e, memory, to);
    to = putMilliseconds(memory, to, e.first_byte_ms);
    to = putMilliseconds(memory, to, e.duration_ms);
    to = ofPayer(e, memory, to);
    return putEnd(memory, putUse(e, memory, to));
  };
}

function isSameTry(a: AttemptEvent, b: AttemptEvent): boolean {
  return (
    a.attempt === b.attempt &&
    a.config_hash === b.config_hash &&
    a.api_id === b.api_id &&
    a.provider === b.provider &&
    a.model === b.model &&
    a.status === b.status &&
    a.error_code === b.error_code
  );
}

function putTry(e: AttemptEvent, memory: Buffer, at: number): number {
  let to = putNumber(memory, at, e.attempt);
  to = putText(memory, to, e.config_hash);
  to = putText(memory, to, e.api_id);
  to = putText(memory, to, e.target);
  to = putText(memory, to, e.provider);
  to = putText(memory, to, e.model);
  to = putNumber(memory, to, e.status);
  return putText(memory, to, e.error_code);
}

function isSamePayer(a: AttemptEvent, b: AttemptEvent): boolean {
  return (
    a.team_id === b.team_id &&
    a.api_name === b.api_name &&
    a.environment === b.environment &&
    a.application_id === b.application_id
  );
}

function putPayer(e: AttemptEvent, memory: Buffer, at: number): number {
  let to = putText(memory, at, e.team_id);
  to = putText(memory, to, e.api_name);
  to = putText(memory, to, e.environment);
  to = putText(memory, to, e.key_id);
  return putText(memory, to, e.application_id);
}

function putUse(e: AttemptEvent, memory: Buffer, at: number): number {
  let to = putNumber(memory, at, e.input_tokens);
  to = putNumber(memory, to, e.output_tokens);
  to = putNumber(memory, to, e.cached_input_tokens);
  to = putNumber(memory, to, e.reasoning_tokens);
  to = putNumber(memory, to, e.cache_write_tokens);
  to = putNumber(memory, to, e.cache_write_hour_tokens);
  to = putNumber(memory, to, e.audio_input_tokens);
  to = putNumber(memory, to, e.audio_output_tokens);
  to = putText(memory, to, e.usage_source);
  to = putText(memory, to, e.service_tier);
  to = putText(memory, to, e.price_as_of);
  return putMembers(memory, putCost(memory, to, e), e.labels);
}

/** Keeps a piece of a line with the event that it was made of, and puts it again for those that look the same. */
function createPieces<Event>(
  keyOf: (event: Event) => Text,
  isSame: (left: Event, right: Event) => boolean,
  put: Put<Event>,
): Put<Event> {
  const kept = new Map<Text, { readonly event: Event; readonly piece: Buffer }>();
  return (event, memory, at) => {
    const key = keyOf(event);
    const known = kept.get(key);
    if (known !== undefined && isSame(known.event, event)) return putBytes(memory, at, known.piece);
    const to = put(event, memory, at);
    if (to > memory.length || to - at > longestPiece) return to;
    if (kept.size >= mostPieces) kept.clear();
    kept.set(key, { event, piece: Buffer.from(memory.subarray(at, to)) });
    return to;
  };
}

/** Puts a text that is often the same as the one before: an exchange's id is in all its rows. */
function createRepeated(): Put<Text> {
  let last: Text;
  let bytes = Buffer.alloc(0);
  return (value, memory, at) => {
    if (typeof value !== "string" || value.length > longestRepeated) return putText(memory, at, value);
    if (value !== last) {
      const length = putText(bytes, 0, value);
      if (length !== bytes.length) {
        bytes = Buffer.alloc(length);
        putText(bytes, 0, value);
      }
      last = value;
    }
    return putBytes(memory, at, bytes);
  };
}
