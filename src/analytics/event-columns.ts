import type { AttemptEvent, ExchangeEvent } from "../pipeline/event.ts";
import type { EventTable } from "./event-store.ts";

/**
 * The columns that an event's line fills, by table, in the order of the line. Lines lie in spools over upgrades, so a
 * column is only ever put behind the last one, and none is taken out. The types keep the lists equal to the events.
 */
export const eventColumns: Readonly<Record<EventTable, readonly string[]>> = {
  exchanges: namesOf<ExchangeEvent>({
    ts: 0,
    exchange_id: 0,
    operation_id: 0,
    parent_id: 0,
    trace_id: 0,
    node: 0,
    config_hash: 0,
    team_id: 0,
    api_id: 0,
    api_name: 0,
    api_kind: 0,
    api_revision: 0,
    environment: 0,
    auth_method: 0,
    key_id: 0,
    application_id: 0,
    plan_id: 0,
    client_ip: 0,
    protocol: 0,
    http_method: 0,
    http_status: 0,
    operation_kind: 0,
    operation_name: 0,
    stream: 0,
    outcome: 0,
    error_code: 0,
    error_detail: 0,
    denied_by: 0,
    decisions: 0,
    request_bytes: 0,
    response_bytes: 0,
    input_tokens: 0,
    output_tokens: 0,
    cached_input_tokens: 0,
    reasoning_tokens: 0,
    usage_source: 0,
    attempts: 0,
    client_retry_count: 0,
    duration_ms: 0,
    upstream_ms: 0,
    first_byte_ms: 0,
    fields: 0,
    labels: 0,
  }),
  attempts: namesOf<AttemptEvent>({
    ts: 0,
    exchange_id: 0,
    operation_id: 0,
    attempt: 0,
    config_hash: 0,
    api_id: 0,
    target: 0,
    provider: 0,
    model: 0,
    status: 0,
    error_code: 0,
    first_byte_ms: 0,
    duration_ms: 0,
  }),
};

function namesOf<Event>(columns: Readonly<Record<Exclude<keyof Event, "type">, 0>>): readonly string[] {
  return Object.keys(columns);
}
