import type { AttemptBill } from "./attempt-cost.ts";
import { costColumns, noCost } from "./attempt-cost.ts";
import type { AttemptEvent, AttemptRecord } from "./event.ts";
import type { Exchange, Usage } from "./exchange.ts";
import { roundedMs } from "./rounded-ms.ts";
import { attemptSpan, operationSpan } from "./trace-context.ts";

/** The row of one try, the first having `index` 0. `bill` is absent of what belongs to no operation of its own. */
export function attemptEvent(
  exchange: Exchange,
  index: number,
  attempt: AttemptRecord,
  bill: AttemptBill | undefined,
): AttemptEvent {
  const { api, principal } = exchange;
  return {
    type: "attempt",
    ts: attempt.startedAtMs,
    exchange_id: exchange.id,
    operation_id: attempt.operationId,
    attempt: index + 1,
    config_hash: exchange.snapshot.configHash,
    api_id: api.id,
    target: attempt.target,
    provider: attempt.provider,
    model: attempt.model ?? null,
    status: attempt.status ?? null,
    error_code: attempt.errorCode ?? null,
    first_byte_ms: attempt.firstByteMs === undefined ? null : roundedMs(attempt.firstByteMs),
    duration_ms: attempt.durationMs === undefined ? null : roundedMs(attempt.durationMs),
    team_id: api.teamId,
    api_name: api.name,
    environment: principal?.environment ?? null,
    key_id: principal?.keyId ?? null,
    application_id: principal?.applicationId ?? null,
    ...usageColumns(bill?.usage),
    price_as_of: bill?.priceAsOf ?? null,
    ...(bill === undefined ? noCost : costColumns(bill)),
    labels: exchange.labels,
    trace: placeOf(exchange, index, attempt),
    peer: attempt.peer,
  };
}

function placeOf(exchange: Exchange, index: number, { operationId }: AttemptRecord): AttemptEvent["trace"] {
  if (exchange.tracing === undefined) return undefined;
  const operation = exchange.operations.find(({ id }) => id === operationId);
  const span = operation && operationSpan(exchange, operation);
  return span && attemptSpan(span, index + 1);
}

type UsageColumns = Pick<
  AttemptEvent,
  | "input_tokens"
  | "output_tokens"
  | "cached_input_tokens"
  | "reasoning_tokens"
  | "cache_write_tokens"
  | "cache_write_hour_tokens"
  | "audio_input_tokens"
  | "audio_output_tokens"
  | "usage_source"
  | "service_tier"
>;

function usageColumns(usage: Usage | undefined): UsageColumns {
  return {
    input_tokens: usage?.inputTokens ?? null,
    output_tokens: usage?.outputTokens ?? null,
    cached_input_tokens: usage?.cachedInputTokens ?? null,
    reasoning_tokens: usage?.reasoningTokens ?? null,
    cache_write_tokens: usage?.cacheWriteTokens ?? null,
    cache_write_hour_tokens: usage?.cacheWriteHourTokens ?? null,
    audio_input_tokens: usage?.audioInputTokens ?? null,
    audio_output_tokens: usage?.audioOutputTokens ?? null,
    usage_source: usage?.source ?? null,
    service_tier: usage?.serviceTier?.slice(0, longestTier) ?? null,
  };
}

/** The name of a tier is the upstream's own. */
const longestTier = 64;
