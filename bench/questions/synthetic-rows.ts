import { choiceColumns } from "../../src/store/clickhouse/migrations/add-choice-columns.ts";
import { definitionColumns } from "../../src/store/clickhouse/migrations/add-definition-hash.ts";
import { mcpColumns } from "../../src/store/clickhouse/migrations/add-mcp-columns.ts";
import { memberColumns } from "../../src/store/clickhouse/migrations/add-missing-members.ts";
import { routeColumns } from "../../src/store/clickhouse/migrations/add-route-columns.ts";
import { shadowSpending } from "../../src/store/clickhouse/migrations/add-shadow-spending.ts";
import { tokenColumns } from "../../src/store/clickhouse/migrations/add-token-columns.ts";
import { toldColumns } from "../../src/store/clickhouse/migrations/add-told-columns.ts";
import { protocolFields } from "../../src/store/clickhouse/migrations/create-event-tables.ts";

/** Which synthetic rows are made. The same numbers make the same rows. */
export interface SyntheticRows {
  readonly seed: number;
  /** Of the whole set; one statement may make a part of it. */
  readonly rows: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Rows from `first` on, so many. */
export interface SyntheticPart {
  readonly first: number;
  readonly count: number;
}

/** How many different ones there are of what rows are told apart by. */
export const cardinalities = {
  llmApis: 12,
  mcpApis: 28,
  teams: 12,
  applications: 200,
  keys: 2_000,
  toolsOfApi: 15,
  models: 14,
  clients: 9,
  subjects: 5_000,
} as const;

/**
 * An INSERT of exchanges that the engine makes itself, by hashes of their numbers: calls of models and messages of MCP
 * sessions, a few of them refused or failed, in the order of time, with a rhythm of days. A few APIs, tools and keys have
 * most of the traffic. A key is for at most three APIs; a session has one key, one API and one client, and lasts minutes.
 */
export function insertExchanges(database: string, set: SyntheticRows, part: SyntheticPart): string {
  return insert(`${database}.exchanges`, { ...absent, ...exchangeColumns }, source(set, part));
}

/** The tries of those exchanges that called a model; one in twenty has two. */
export function insertAttempts(database: string, set: SyntheticRows, part: SyntheticPart): string {
  const tries = `${source(set, part)} ARRAY JOIN range(1, if(isRetried, 3, 2)) AS try WHERE isLlm AND outcome != 'denied'`;
  return insert(`${database}.attempts`, attemptColumns, tries);
}

function insert(table: string, columns: Readonly<Record<string, string>>, from: string): string {
  const values = Object.values(columns).join(",\n  ");
  return `INSERT INTO ${table} (${Object.keys(columns).join(", ")})\nSELECT ${values}\nFROM ${from}`;
}

/** One row of names for each number; the columns below are put together from these. */
function source({ seed, rows, fromMs, toMs }: SyntheticRows, { first, count }: SyntheticPart): string {
  const share = (salt: number): string => `(cityHash64(number, ${seed}, ${salt}) % 1000003 / 1000003)`;
  // The first of them come most often.
  const few = (of: string, size: number): string =>
    `toUInt32(floor(pow(cityHash64(${of}, ${seed}) % 1000003 / 1000003, 2.2) * ${size}))`;
  const { llmApis, mcpApis, teams, applications, keys, toolsOfApi, models, clients, subjects } = cardinalities;
  const range = toMs - fromMs;
  const day = 86_400_000;
  return `(SELECT number, reinterpret(sipHash128(number, ${seed}), 'UUID') AS uuid, ${range} * (number + ${share(1)}) / ${rows} AS even,
  ${fromMs} + greatest(0, least(even + sin(2 * pi() * even / ${day}) * ${day / 10}, ${range - 1})) AS ms,
  fromUnixTimestamp64Milli(toInt64(ms), 'UTC') AS at, ${share(2)} < 0.45 AS isLlm,
  cityHash64(intDiv(number, 4000), number % 199, ${seed}) AS session, session % ${clients} AS client,
  cityHash64(session, 1) % ${subjects} AS subject, ${few("if(isLlm, number, session), 4", keys)} AS key, key % ${applications} AS application,
  cityHash64(key, if(isLlm, number, session) % 3) AS grant, toUInt32(floor(pow(grant % 1000003 / 1000003, 2.2) * if(isLlm, ${llmApis}, ${mcpApis}))) AS rank,
  if(isLlm, rank, ${llmApis} + rank) AS api, api % ${teams} AS team,
  cityHash64(api, ${few("number, 5", toolsOfApi)}) % 1000 AS tool, ${few("number, 6", models)} AS model,
  ${share(7)} AS fate, ${share(8)} AS one, ${share(9)} AS two,
  ${share(10)} < 0.05 AS isRetried,
  multiIf(fate < 0.93, 'ok', fate < 0.965, 'denied', fate < 0.985, 'upstream_error', fate < 0.99, 'failed', 'cancelled') AS outcome,
  outcome = 'denied' AS isDenied, if(${share(11)} < 0.8, 'production', 'sandbox') AS environment,
  multiIf(isDenied, ['limit.exceeded', 'auth.missing_credentials', 'guardrail.denied', 'auth.key_revoked'][1 + toUInt8(floor(one * 4))],
    outcome = 'upstream_error', 'upstream.timeout', outcome = 'failed', 'internal', outcome = 'cancelled', 'client.closed', '') AS code,
  multiIf(isLlm, '', two < 0.7, 'tools/call', two < 0.8, 'tools/list', two < 0.85, 'resources/read', two < 0.9, 'prompts/get', two < 0.93, 'initialize', 'ping') AS method,
  method = 'tools/call' AND outcome = 'ok' AND one < 0.03 AS isToolError, method != '' AND outcome = 'ok' AND one > 0.99 AS isProtocolError,
  round(exp(3 + 2 * one) + if(isLlm, 800 * two * two, 20 * two), 3) AS upstreamMs,
  round(upstreamMs + 0.4 + 3 * pow(one, 8), 3) AS totalMs, round(upstreamMs * 0.3, 3) AS firstMs,
  toUInt32(20 + 4000 * pow(one, 3)) AS inputTokens, toUInt32(5 + 900 * pow(two, 2)) AS outputTokens,
  isLlm AND NOT isDenied AS isUsed, if(${share(12)} < 0.9, 'USD', 'EUR') AS currency,
  toDecimal64((inputTokens * 0.25 + outputTokens * 1.25) / 1e6 * (1 + model), 9) AS money,
  multiIf(NOT isLlm, '', ${share(13)} < 0.2, 'hit', ${share(13)} < 0.8, 'miss', 'bypass') AS cached, isLlm AND ${share(14)} < 0.3 AS isFiltered,
  isLlm AND api < 6 AS isRouted, concat('model-', toString(model)) AS modelName
FROM numbers(${first}, ${count}))`;
}

const none = { String: "''", Text: "''", Strings: "[]", Bool: "NULL", Int64: "NULL" } as const;
const later = [
  mcpColumns,
  tokenColumns,
  definitionColumns,
  memberColumns,
  routeColumns,
  choiceColumns,
  toldColumns,
  shadowSpending,
].flat();

/** What has no value of its own: its default would be read from the event's `fields`, which are not inserted here. */
const absent = Object.fromEntries([
  ...protocolFields.map(([name, type]) => [name, none[type]] as const),
  ...later.map(([name, type]) => [name, type.none] as const),
]);

const exchangeColumns: Readonly<Record<string, string>> = {
  ts: "at",
  exchange_id: "uuid",
  operation_id: "uuid",
  node: "concat('node-', toString(number % 3))",
  config_hash: "hex(cityHash64(intDiv(number, 500000)))",
  team_id: "concat('team_', toString(team))",
  api_id: "concat(if(isLlm, 'llm_', 'mcp_'), toString(api))",
  api_name: "concat('api-', toString(api))",
  api_kind: "if(isLlm, 'LlmApi', 'McpServer')",
  api_revision: "1",
  environment: "environment",
  auth_method: "'api-key'",
  key_id: "concat('key_', hex(sipHash64(key)))",
  application_id: "concat('app_', hex(sipHash64(application)))",
  plan_id: "concat('plan_', toString(application % 4))",
  client_ip: "concat('10.0.', toString(subject % 40), '.', toString(subject % 251))",
  protocol: "if(isLlm, 'llm', 'mcp')",
  http_method: "'POST'",
  http_status:
    "multiIf(isDenied, 429, outcome = 'upstream_error', 504, outcome = 'failed', 500, outcome = 'cancelled', 499, 200)",
  operation_kind: "if(isLlm, 'chat', method)",
  operation_name: "if(isLlm, modelName, if(method = 'tools/call', concat('tool-', toString(tool)), ''))",
  stream: "isLlm AND two < 0.4",
  outcome: "outcome",
  error_code: "code",
  denied_by: "if(isDenied, splitByChar('.', code)[1], '')",
  decisions:
    "if(code = 'guardrail.denied', [('pii', 'policies[0]', 'request', 'deny', 'enforce', code, NULL)], if(one < 0.1, [('regex', 'policies[1]', 'request', 'rewrite', 'monitor', NULL, NULL)], []))",
  request_bytes: "toUInt64(200 + 9000 * one)",
  response_bytes: "toUInt64(300 + 20000 * two)",
  input_tokens: "if(isUsed, inputTokens, NULL)",
  output_tokens: "if(isUsed, outputTokens, NULL)",
  usage_source: "if(isUsed, 'actual', '')",
  attempts: "if(isDenied, 0, 1)",
  duration_ms: "if(isDenied, 0.5 + one, totalMs)",
  upstream_ms: "if(isDenied, NULL, upstreamMs)",
  first_byte_ms: "if(isUsed, firstMs, NULL)",
  cost: "if(isUsed, money, NULL)",
  cost_currency: "if(isUsed, currency, '')",
  cost_source: "if(isUsed, 'actual', '')",
  labels: "map('squad', concat('squad-', toString(application % 8)))",
  era: "if(isLlm, '', if(client % 2 = 0, 'legacy', 'modern'))",
  mcp_protocol_version: "if(isLlm, '', if(client % 2 = 0, '2025-11-25', '2026-07-28'))",
  direction: "if(isLlm, '', 'client_to_server')",
  message_type: "if(isLlm, '', 'request')",
  method: "method",
  primitive_type:
    "multiIf(method = 'tools/call', 'tool', method = 'prompts/get', 'prompt', method = 'resources/read', 'resource', '')",
  primitive_name:
    "multiIf(method = 'tools/call', concat('tool-', toString(tool)), method = 'prompts/get', concat('prompt-', toString(tool % 20)), '')",
  client_name: "if(isLlm, '', concat('client-', toString(client)))",
  client_version: "if(isLlm, '', concat('1.', toString(client % 3)))",
  server_name: "if(isLlm, '', concat('server-', toString(api)))",
  server_version: "if(isLlm, '', '1.0')",
  session_id_hash: "if(isLlm, '', lower(hex(session)))",
  subject_hash: "if(isLlm, '', lower(hex(sipHash64(subject))))",
  is_error: "if(isLlm, NULL, isToolError OR isProtocolError)",
  tool_error: "if(isLlm, NULL, isToolError)",
  jsonrpc_error_code: "if(isProtocolError, [-32602, -32601, -32603, -32000][1 + number % 4], NULL)",
  error_type: "multiIf(isToolError, 'tool_error', isProtocolError, '-32602', '')",
  route_strategy: "if(isRouted, 'semantic', '')",
  route_name: "if(isRouted, concat('route-', toString(model % 4)), '')",
  route_target: "if(isRouted, modelName, '')",
  route_reason: "if(isRouted, if(two < 0.8, 'matched', 'default'), '')",
  route_ms: "if(isRouted, 0.1 + one, NULL)",
  shadow_strategy: "if(isRouted AND api < 3, 'cost', '')",
  shadow_name: "if(isRouted AND api < 3, 'cheapest', '')",
  shadow_target: "if(isRouted AND api < 3, concat('model-', toString(number % 3)), '')",
  shadow_cost: "if(isRouted AND api < 3 AND isUsed, toDecimal64(money * 0.8, 9), NULL)",
  filter_mode: "if(isFiltered, 'rank', '')",
  tools_total: "if(isFiltered, 60, NULL)",
  tools_after_filter: "if(isFiltered, 8, NULL)",
  list_tokens_before: "if(isFiltered, 9000, NULL)",
  list_tokens_after: "if(isFiltered, 1200, NULL)",
  cache: "cached",
  cache_mode: "if(cached = '', '', 'enforce')",
  cache_saved_tokens: "if(cached = 'hit', inputTokens + outputTokens, NULL)",
};

const attemptColumns: Readonly<Record<string, string>> = {
  ts: "at",
  exchange_id: "uuid",
  operation_id: "uuid",
  attempt: "try",
  config_hash: exchangeColumns["config_hash"] ?? "''",
  api_id: "concat('llm_', toString(api))",
  target: "concat('target-', toString(model + try - 1))",
  provider: "concat('provider-', toString((model + try) % 5))",
  model: "modelName",
  status: "if(outcome = 'upstream_error' OR isRetried AND try = 1, 503, 200)",
  error_code: "if(outcome = 'upstream_error' OR isRetried AND try = 1, 'upstream.status', '')",
  first_byte_ms: "firstMs",
  duration_ms: "upstreamMs",
  team_id: "concat('team_', toString(team))",
  api_name: "concat('api-', toString(api))",
  environment: "environment",
  key_id: "concat('key_', hex(sipHash64(key)))",
  application_id: "concat('app_', hex(sipHash64(application)))",
  input_tokens: "inputTokens",
  output_tokens: "if(isRetried AND try = 1, NULL, outputTokens)",
  reasoning_tokens: "intDiv(outputTokens, 4)",
  usage_source: "'actual'",
  cost: "money",
  cost_currency: "currency",
  cost_source: "'actual'",
  labels: "map('squad', concat('squad-', toString(application % 8)))",
};
