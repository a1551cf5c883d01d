import type { AnalyticsEvent, AttemptEvent, ExchangeEvent } from "../pipeline/event.ts";
import { eventColumns } from "./event-columns.ts";

/**
 * Writes events as lines of a spool: a JSON array of the event's type and the values of `eventColumns`, all ASCII, and a
 * line feed. What many events have in common is written once and kept, so one writer serves all events of a process.
 * Throws for what is no JSON.
 */
export function createEventLineWriter(): (event: AnalyticsEvent) => string {
  const exchangeLine = createExchangeLine();
  const attemptLine = createAttemptLine();
  return (event) => (event.type === "exchange" ? exchangeLine(event) : attemptLine(event));
}

/** The event of a line; undefined for what no writer has written. A column that the line does not have yet is null. */
export function readEventLine(line: string): AnalyticsEvent | undefined {
  let row: unknown;
  try {
    row = JSON.parse(line);
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

/** Pieces of lines that are kept, of each kind, and the length of one. */
const mostPieces = 250;
const longestPiece = 2_000;
/** Texts that are kept, and the length of one. */
const mostTexts = 1_000;
const longestText = 200;

function createExchangeLine(): (event: ExchangeEvent) => string {
  const { text, few, time } = createTexts();
  const ofApi = createPieces<ExchangeEvent>(
    ({ api_id }) => api_id,
    (a, b) =>
      a.node === b.node &&
      a.config_hash === b.config_hash &&
      a.team_id === b.team_id &&
      a.api_name === b.api_name &&
      a.api_kind === b.api_kind &&
      a.api_revision === b.api_revision,
    (e) =>
      `${few(e.node)},${few(e.config_hash)},${few(e.team_id)},${few(e.api_id)},${few(e.api_name)},${few(e.api_kind)},${number(e.api_revision)}`,
  );
  const ofCaller = createPieces<ExchangeEvent>(
    ({ key_id }) => key_id,
    (a, b) =>
      a.environment === b.environment &&
      a.auth_method === b.auth_method &&
      a.application_id === b.application_id &&
      a.plan_id === b.plan_id,
    (e) => `${few(e.environment)},${few(e.auth_method)},${few(e.key_id)},${few(e.application_id)},${few(e.plan_id)}`,
  );
  const ofOperation = createPieces<ExchangeEvent>(
    ({ operation_name }) => operation_name,
    (a, b) =>
      a.protocol === b.protocol &&
      a.http_method === b.http_method &&
      a.http_status === b.http_status &&
      a.operation_kind === b.operation_kind &&
      a.stream === b.stream &&
      a.outcome === b.outcome &&
      a.error_code === b.error_code,
    (e) =>
      `${few(e.protocol)},${few(e.http_method)},${number(e.http_status)},${few(e.operation_kind)},${few(e.operation_name)},${json(e.stream)},${few(e.outcome)},${few(e.error_code)}`,
  );
  return (e) =>
    `["exchange",${time(e.ts)},${text(e.exchange_id)},${text(e.operation_id)},${text(e.parent_id)},${text(e.trace_id)},${ofApi(e)},${ofCaller(e)},${few(e.client_ip)},${ofOperation(e)},${text(e.error_detail)},${few(e.denied_by)},${list(e.decisions)},${number(e.request_bytes)},${number(e.response_bytes)},${number(e.input_tokens)},${number(e.output_tokens)},${number(e.cached_input_tokens)},${number(e.reasoning_tokens)},${few(e.usage_source)},${number(e.attempts)},${number(e.client_retry_count)},${milliseconds(e.duration_ms)},${milliseconds(e.upstream_ms)},${milliseconds(e.first_byte_ms)},${members(e.fields)}]\n`;
}

function createAttemptLine(): (event: AttemptEvent) => string {
  const { text, few, time } = createTexts();
  const ofTry = createPieces<AttemptEvent>(
    ({ target }) => target,
    (a, b) =>
      a.attempt === b.attempt &&
      a.config_hash === b.config_hash &&
      a.api_id === b.api_id &&
      a.provider === b.provider &&
      a.model === b.model &&
      a.status === b.status &&
      a.error_code === b.error_code,
    (e) =>
      `${number(e.attempt)},${few(e.config_hash)},${few(e.api_id)},${few(e.target)},${few(e.provider)},${few(e.model)},${number(e.status)},${few(e.error_code)}`,
  );
  return (e) =>
    `["attempt",${time(e.ts)},${text(e.exchange_id)},${text(e.operation_id)},${ofTry(e)},${milliseconds(e.first_byte_ms)},${milliseconds(e.duration_ms)}]\n`;
}

type Text = string | null | undefined;

/** Keeps a piece of a line with the event that it was made of, and gives it again for those that look the same. */
function createPieces<Event>(
  keyOf: (event: Event) => Text,
  isSame: (left: Event, right: Event) => boolean,
  write: (event: Event) => string,
): (event: Event) => string {
  const kept = new Map<Text, { readonly event: Event; readonly piece: string }>();
  return (event) => {
    const key = keyOf(event);
    const known = kept.get(key);
    if (known !== undefined && isSame(known.event, event)) return known.piece;
    const piece = write(event);
    if (piece.length > longestPiece) return piece;
    if (kept.size >= mostPieces) kept.clear();
    kept.set(key, { event, piece });
    return piece;
  };
}

function createTexts() {
  const kept = new Map<string, string>();
  let lastMs = Number.NaN;
  let lastTime = "";
  return {
    /** One of few different ones. */
    few(value: Text): string {
      if (value === null || value === undefined) return "null";
      const known = kept.get(value);
      if (known !== undefined) return known;
      const written = text(value);
      if (written.length > longestText) return written;
      if (kept.size >= mostTexts) kept.clear();
      kept.set(value, written);
      return written;
    },
    text,
    time(ms: number): string {
      if (ms !== lastMs) {
        lastMs = ms;
        lastTime = number(ms);
      }
      return lastTime;
    },
  };
}

const plainText = /^[ !#-[\]-~]*$/;

function text(value: Text): string {
  if (value === null || value === undefined) return "null";
  return plainText.test(value) ? `"${value}"` : json(value);
}

function number(value: number | null | undefined): string {
  if (value === null || value === undefined) return "null";
  return Number.isFinite(value) ? `${value}` : json(value);
}

/** ".001" to ".999", without zeros at the end; "" for 0. */
const fractions = Array.from({ length: 1_000 }, (_, part) => `${part / 1_000}`.slice(1));
const mostFractionMs = 1_000_000;

/** As `number`, and some times faster for what was rounded to microseconds. */
function milliseconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return "null";
  const micros = Math.round(value * 1_000);
  if (!(value >= 0 && value < mostFractionMs) || micros / 1_000 !== value) return number(value);
  const whole = Math.floor(micros / 1_000);
  return `${whole}${fractions[micros - whole * 1_000]}`;
}

function list(value: readonly unknown[] | undefined): string {
  return value === undefined || value.length === 0 ? "[]" : json(value);
}

function members(value: object | undefined): string {
  for (const _ in value) return json(value);
  return "{}";
}

/** In ASCII, so that a line has as many bytes as characters. */
function json(value: unknown): string {
  return (JSON.stringify(value) ?? "null").replace(
    /[\x7f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
