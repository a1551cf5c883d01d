import type { GovernanceEvent } from "../../src/core/governance-event.ts";
import type { AttemptEvent, ExchangeEvent } from "../../src/pipeline/event.ts";

/** A recorded operation with an id made of its number; `over` says what is special about it. */
export function exchangeRow(number: number, over: Partial<ExchangeEvent> = {}): ExchangeEvent {
  const id = uuidOf(number);
  return {
    type: "exchange",
    ts: Date.UTC(2026, 0, 15, 12) + number,
    exchange_id: id,
    operation_id: id,
    parent_id: null,
    trace_id: null,
    node: "test",
    config_hash: "c".repeat(64),
    team_id: "team_1",
    api_id: "llm_1",
    api_name: "chat",
    api_kind: "LlmApi",
    api_revision: 1,
    environment: "production",
    auth_method: "api-key",
    key_id: "key_1",
    application_id: null,
    plan_id: null,
    client_ip: "127.0.0.1",
    protocol: "llm",
    http_method: "POST",
    http_status: 200,
    operation_kind: "chat",
    operation_name: "small",
    stream: false,
    outcome: "ok",
    error_code: null,
    error_detail: null,
    denied_by: null,
    decisions: [],
    request_bytes: 100,
    response_bytes: 200,
    input_tokens: 3,
    output_tokens: 5,
    cached_input_tokens: null,
    reasoning_tokens: null,
    usage_source: "actual",
    attempts: 1,
    client_retry_count: null,
    duration_ms: 10,
    upstream_ms: 8,
    first_byte_ms: null,
    fields: {},
    labels: {},
    cost: "0.000125",
    cost_currency: "USD",
    cost_source: "actual",
    ...over,
  };
}

/** The first try of the operation of that number. */
export function attemptRow(number: number, over: Partial<AttemptEvent> = {}): AttemptEvent {
  const id = uuidOf(number);
  return {
    type: "attempt",
    ts: Date.UTC(2026, 0, 15, 12) + number,
    exchange_id: id,
    operation_id: id,
    attempt: 1,
    config_hash: "c".repeat(64),
    api_id: "llm_1",
    target: "openai",
    provider: "openai-compatible",
    model: "small",
    status: 200,
    error_code: null,
    first_byte_ms: 6,
    duration_ms: 8,
    team_id: "team_1",
    api_name: "chat",
    environment: "production",
    key_id: "key_1",
    application_id: null,
    input_tokens: 3,
    output_tokens: 5,
    cached_input_tokens: null,
    reasoning_tokens: null,
    cache_write_tokens: null,
    cache_write_hour_tokens: null,
    audio_input_tokens: null,
    audio_output_tokens: null,
    usage_source: "actual",
    service_tier: null,
    price_as_of: null,
    cost: "0.000125",
    cost_currency: "USD",
    cost_source: "actual",
    labels: {},
    ...over,
  };
}

/** A UUID that holds a number. */
export function uuidOf(number: number): string {
  return `01900000-0000-7000-8000-${number.toString(16).padStart(12, "0")}`;
}

/** An act of governance with an id made of its number: a resource that has become compliant, unless told. */
export function governanceRow(number: number, over: Partial<GovernanceEvent> = {}): GovernanceEvent {
  return {
    type: "governance",
    ts: Date.UTC(2026, 0, 15, 12) + number,
    event_id: uuidOf(number),
    act: "compliance.changed",
    team_id: "team_1",
    artifact_id: "llm_1",
    artifact_kind: "LlmApi",
    artifact_name: "chat",
    policy: "",
    ruleset: "",
    rule: "",
    entry_kind: "",
    entry_name: "",
    exemption: "",
    from_status: "PENDING",
    to_status: "COMPLIANT",
    score: 100,
    findings: 0,
    ...over,
  };
}
