CREATE DATABASE IF NOT EXISTS `gatehouse` ON CLUSTER 'analytics';

CREATE TABLE IF NOT EXISTS `gatehouse`.schema_migrations ON CLUSTER 'analytics' (number UInt32, name String)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}') ORDER BY number SETTINGS fsync_after_insert = 1;

CREATE TABLE IF NOT EXISTS `gatehouse`.exchanges ON CLUSTER 'analytics' (
  ts DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
  exchange_id UUID,
  operation_id UUID,
  parent_id Nullable(UUID),
  trace_id String CODEC(ZSTD(1)),
  node LowCardinality(String),
  config_hash LowCardinality(String),
  team_id LowCardinality(String),
  api_id LowCardinality(String),
  api_name LowCardinality(String),
  api_kind LowCardinality(String),
  api_revision UInt32,
  environment LowCardinality(String),
  auth_method LowCardinality(String),
  key_id String CODEC(ZSTD(1)),
  application_id String CODEC(ZSTD(1)),
  plan_id LowCardinality(String),
  client_ip String CODEC(ZSTD(1)),
  protocol LowCardinality(String),
  http_method LowCardinality(String),
  http_status UInt16,
  operation_kind LowCardinality(String),
  operation_name LowCardinality(String),
  stream Bool,
  outcome LowCardinality(String),
  error_code LowCardinality(String),
  error_detail String CODEC(ZSTD(3)),
  denied_by LowCardinality(String),
  decisions Array(Tuple(
    policy LowCardinality(String), place String, step LowCardinality(String), action LowCardinality(String),
    mode LowCardinality(String), code Nullable(String), detail Nullable(String)
  )) CODEC(ZSTD(3)),
  request_bytes UInt64 CODEC(T64, ZSTD(1)),
  response_bytes UInt64 CODEC(T64, ZSTD(1)),
  input_tokens Nullable(UInt32),
  output_tokens Nullable(UInt32),
  cached_input_tokens Nullable(UInt32),
  reasoning_tokens Nullable(UInt32),
  usage_source LowCardinality(String),
  attempts UInt16,
  client_retry_count Nullable(UInt16),
  duration_ms Float64 CODEC(ZSTD(1)),
  upstream_ms Nullable(Float64) CODEC(ZSTD(1)),
  first_byte_ms Nullable(Float64) CODEC(ZSTD(1)),
  fields Tuple(era Nullable(String), mcp_protocol_version Nullable(String), direction Nullable(String), message_type Nullable(String), jsonrpc_id Nullable(String), method Nullable(String), primitive_type Nullable(String), primitive_name Nullable(String), resource_uri_hash Nullable(String), client_name Nullable(String), client_version Nullable(String), server_name Nullable(String), server_version Nullable(String), session_id_hash Nullable(String), result_type Nullable(String), is_error Nullable(Bool), tool_error Nullable(Bool), jsonrpc_error_code Nullable(Float64), error_type Nullable(String), arg_keys Array(String), result_content_types Array(String), structured Nullable(Bool), list_total Nullable(Float64), cache_scope Nullable(String), ttl_ms Nullable(Float64), events_streamed Nullable(Float64), progress_count Nullable(Float64)) EPHEMERAL,
  era LowCardinality(String) DEFAULT ifNull(fields.era, ''),
  mcp_protocol_version LowCardinality(String) DEFAULT ifNull(fields.mcp_protocol_version, ''),
  direction LowCardinality(String) DEFAULT ifNull(fields.direction, ''),
  message_type LowCardinality(String) DEFAULT ifNull(fields.message_type, ''),
  jsonrpc_id String DEFAULT ifNull(fields.jsonrpc_id, '') CODEC(ZSTD(1)),
  method LowCardinality(String) DEFAULT ifNull(fields.method, ''),
  primitive_type LowCardinality(String) DEFAULT ifNull(fields.primitive_type, ''),
  primitive_name LowCardinality(String) DEFAULT ifNull(fields.primitive_name, ''),
  resource_uri_hash String DEFAULT ifNull(fields.resource_uri_hash, '') CODEC(ZSTD(1)),
  client_name LowCardinality(String) DEFAULT ifNull(fields.client_name, ''),
  client_version LowCardinality(String) DEFAULT ifNull(fields.client_version, ''),
  server_name LowCardinality(String) DEFAULT ifNull(fields.server_name, ''),
  server_version LowCardinality(String) DEFAULT ifNull(fields.server_version, ''),
  session_id_hash String DEFAULT ifNull(fields.session_id_hash, '') CODEC(ZSTD(1)),
  result_type LowCardinality(String) DEFAULT ifNull(fields.result_type, ''),
  is_error Nullable(Bool) DEFAULT fields.is_error,
  tool_error Nullable(Bool) DEFAULT fields.tool_error,
  jsonrpc_error_code Nullable(Int64) DEFAULT accurateCastOrNull(fields.jsonrpc_error_code, 'Int64'),
  error_type LowCardinality(String) DEFAULT ifNull(fields.error_type, ''),
  arg_keys Array(LowCardinality(String)) DEFAULT fields.arg_keys,
  result_content_types Array(LowCardinality(String)) DEFAULT fields.result_content_types,
  structured Nullable(Bool) DEFAULT fields.structured,
  list_total Nullable(Int64) DEFAULT accurateCastOrNull(fields.list_total, 'Int64'),
  cache_scope LowCardinality(String) DEFAULT ifNull(fields.cache_scope, ''),
  ttl_ms Nullable(Int64) DEFAULT accurateCastOrNull(fields.ttl_ms, 'Int64'),
  events_streamed Nullable(Int64) DEFAULT accurateCastOrNull(fields.events_streamed, 'Int64'),
  progress_count Nullable(Int64) DEFAULT accurateCastOrNull(fields.progress_count, 'Int64'),
  INDEX by_exchange exchange_id TYPE bloom_filter(0.01) GRANULARITY 4
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')
PARTITION BY toYYYYMM(ts)
ORDER BY (toStartOfHour(ts), api_id, ts)
TTL toDateTime(ts) + INTERVAL 400 DAY
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS `gatehouse`.attempts ON CLUSTER 'analytics' (
  ts DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
  exchange_id UUID,
  operation_id UUID,
  attempt UInt16,
  config_hash LowCardinality(String),
  api_id LowCardinality(String),
  target LowCardinality(String),
  provider LowCardinality(String),
  model LowCardinality(String),
  status Nullable(UInt16),
  error_code LowCardinality(String),
  first_byte_ms Nullable(Float64) CODEC(ZSTD(1)),
  duration_ms Nullable(Float64) CODEC(ZSTD(1)),
  INDEX by_exchange exchange_id TYPE bloom_filter(0.01) GRANULARITY 4
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')
PARTITION BY toYYYYMM(ts)
ORDER BY (toStartOfHour(ts), provider, ts)
TTL toDateTime(ts) + INTERVAL 400 DAY
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS `gatehouse`.config_snapshots ON CLUSTER 'analytics' (
  hash String,
  seen_at DateTime64(3, 'UTC'),
  document String CODEC(ZSTD(3))
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', seen_at)
ORDER BY hash
SETTINGS fsync_after_insert = 1;

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' ADD COLUMN IF NOT EXISTS transport LowCardinality(String) DEFAULT '', ADD COLUMN IF NOT EXISTS stage LowCardinality(String) DEFAULT '', ADD COLUMN IF NOT EXISTS span_id String DEFAULT '', ADD COLUMN IF NOT EXISTS tools_after_authz Nullable(Int64) DEFAULT NULL, ADD COLUMN IF NOT EXISTS arg_shape_hash String DEFAULT '', ADD COLUMN IF NOT EXISTS cancelled_by LowCardinality(String) DEFAULT '', ADD COLUMN IF NOT EXISTS task_id_hash String DEFAULT '', ADD COLUMN IF NOT EXISTS input_round Nullable(Int64) DEFAULT NULL, ADD COLUMN IF NOT EXISTS server_notifications Nullable(Int64) DEFAULT NULL, ADD COLUMN IF NOT EXISTS server_requests Nullable(Int64) DEFAULT NULL, ADD COLUMN IF NOT EXISTS rows_left_out Nullable(Int64) DEFAULT NULL;

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' MODIFY COLUMN transport LowCardinality(String) DEFAULT '', MODIFY COLUMN stage LowCardinality(String) DEFAULT '', MODIFY COLUMN span_id String DEFAULT '', MODIFY COLUMN tools_after_authz Nullable(Int64) DEFAULT NULL, MODIFY COLUMN arg_shape_hash String DEFAULT '', MODIFY COLUMN cancelled_by LowCardinality(String) DEFAULT '', MODIFY COLUMN task_id_hash String DEFAULT '', MODIFY COLUMN input_round Nullable(Int64) DEFAULT NULL, MODIFY COLUMN server_notifications Nullable(Int64) DEFAULT NULL, MODIFY COLUMN server_requests Nullable(Int64) DEFAULT NULL, MODIFY COLUMN rows_left_out Nullable(Int64) DEFAULT NULL;

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' MATERIALIZE COLUMN transport, MATERIALIZE COLUMN stage, MATERIALIZE COLUMN span_id, MATERIALIZE COLUMN tools_after_authz, MATERIALIZE COLUMN arg_shape_hash, MATERIALIZE COLUMN cancelled_by, MATERIALIZE COLUMN task_id_hash, MATERIALIZE COLUMN input_round, MATERIALIZE COLUMN server_notifications, MATERIALIZE COLUMN server_requests, MATERIALIZE COLUMN rows_left_out SETTINGS mutations_sync = 2;

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' MODIFY COLUMN fields Tuple(era Nullable(String), mcp_protocol_version Nullable(String), direction Nullable(String), message_type Nullable(String), jsonrpc_id Nullable(String), method Nullable(String), primitive_type Nullable(String), primitive_name Nullable(String), resource_uri_hash Nullable(String), client_name Nullable(String), client_version Nullable(String), server_name Nullable(String), server_version Nullable(String), session_id_hash Nullable(String), result_type Nullable(String), is_error Nullable(Bool), tool_error Nullable(Bool), jsonrpc_error_code Nullable(Float64), error_type Nullable(String), arg_keys Array(String), result_content_types Array(String), structured Nullable(Bool), list_total Nullable(Float64), cache_scope Nullable(String), ttl_ms Nullable(Float64), events_streamed Nullable(Float64), progress_count Nullable(Float64), transport Nullable(String), stage Nullable(String), span_id Nullable(String), tools_after_authz Nullable(Float64), arg_shape_hash Nullable(String), cancelled_by Nullable(String), task_id_hash Nullable(String), input_round Nullable(Float64), server_notifications Nullable(Float64), server_requests Nullable(Float64), rows_left_out Nullable(Float64)) EPHEMERAL, MODIFY COLUMN transport LowCardinality(String) DEFAULT ifNull(fields.transport, ''), MODIFY COLUMN stage LowCardinality(String) DEFAULT ifNull(fields.stage, ''), MODIFY COLUMN span_id String DEFAULT ifNull(fields.span_id, ''), MODIFY COLUMN tools_after_authz Nullable(Int64) DEFAULT accurateCastOrNull(fields.tools_after_authz, 'Int64'), MODIFY COLUMN arg_shape_hash String DEFAULT ifNull(fields.arg_shape_hash, ''), MODIFY COLUMN cancelled_by LowCardinality(String) DEFAULT ifNull(fields.cancelled_by, ''), MODIFY COLUMN task_id_hash String DEFAULT ifNull(fields.task_id_hash, ''), MODIFY COLUMN input_round Nullable(Int64) DEFAULT accurateCastOrNull(fields.input_round, 'Int64'), MODIFY COLUMN server_notifications Nullable(Int64) DEFAULT accurateCastOrNull(fields.server_notifications, 'Int64'), MODIFY COLUMN server_requests Nullable(Int64) DEFAULT accurateCastOrNull(fields.server_requests, 'Int64'), MODIFY COLUMN rows_left_out Nullable(Int64) DEFAULT accurateCastOrNull(fields.rows_left_out, 'Int64');

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' ADD COLUMN IF NOT EXISTS client_id String DEFAULT '', ADD COLUMN IF NOT EXISTS secret_id String DEFAULT '', ADD COLUMN IF NOT EXISTS subject_hash String DEFAULT '';

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' MODIFY COLUMN client_id String DEFAULT '', MODIFY COLUMN secret_id String DEFAULT '', MODIFY COLUMN subject_hash String DEFAULT '';

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' MATERIALIZE COLUMN client_id, MATERIALIZE COLUMN secret_id, MATERIALIZE COLUMN subject_hash SETTINGS mutations_sync = 2;

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' MODIFY COLUMN fields Tuple(era Nullable(String), mcp_protocol_version Nullable(String), direction Nullable(String), message_type Nullable(String), jsonrpc_id Nullable(String), method Nullable(String), primitive_type Nullable(String), primitive_name Nullable(String), resource_uri_hash Nullable(String), client_name Nullable(String), client_version Nullable(String), server_name Nullable(String), server_version Nullable(String), session_id_hash Nullable(String), result_type Nullable(String), is_error Nullable(Bool), tool_error Nullable(Bool), jsonrpc_error_code Nullable(Float64), error_type Nullable(String), arg_keys Array(String), result_content_types Array(String), structured Nullable(Bool), list_total Nullable(Float64), cache_scope Nullable(String), ttl_ms Nullable(Float64), events_streamed Nullable(Float64), progress_count Nullable(Float64), transport Nullable(String), stage Nullable(String), span_id Nullable(String), tools_after_authz Nullable(Float64), arg_shape_hash Nullable(String), cancelled_by Nullable(String), task_id_hash Nullable(String), input_round Nullable(Float64), server_notifications Nullable(Float64), server_requests Nullable(Float64), rows_left_out Nullable(Float64), client_id Nullable(String), secret_id Nullable(String), subject_hash Nullable(String)) EPHEMERAL, MODIFY COLUMN client_id String DEFAULT ifNull(fields.client_id, ''), MODIFY COLUMN secret_id String DEFAULT ifNull(fields.secret_id, ''), MODIFY COLUMN subject_hash String DEFAULT ifNull(fields.subject_hash, '');

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' ADD COLUMN IF NOT EXISTS labels Map(LowCardinality(String), String) CODEC(ZSTD(1));

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' ADD COLUMN IF NOT EXISTS def_hash String DEFAULT '';

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' MODIFY COLUMN def_hash String DEFAULT '';

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' MATERIALIZE COLUMN def_hash SETTINGS mutations_sync = 2;

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' MODIFY COLUMN fields Tuple(era Nullable(String), mcp_protocol_version Nullable(String), direction Nullable(String), message_type Nullable(String), jsonrpc_id Nullable(String), method Nullable(String), primitive_type Nullable(String), primitive_name Nullable(String), resource_uri_hash Nullable(String), client_name Nullable(String), client_version Nullable(String), server_name Nullable(String), server_version Nullable(String), session_id_hash Nullable(String), result_type Nullable(String), is_error Nullable(Bool), tool_error Nullable(Bool), jsonrpc_error_code Nullable(Float64), error_type Nullable(String), arg_keys Array(String), result_content_types Array(String), structured Nullable(Bool), list_total Nullable(Float64), cache_scope Nullable(String), ttl_ms Nullable(Float64), events_streamed Nullable(Float64), progress_count Nullable(Float64), transport Nullable(String), stage Nullable(String), span_id Nullable(String), tools_after_authz Nullable(Float64), arg_shape_hash Nullable(String), cancelled_by Nullable(String), task_id_hash Nullable(String), input_round Nullable(Float64), server_notifications Nullable(Float64), server_requests Nullable(Float64), rows_left_out Nullable(Float64), client_id Nullable(String), secret_id Nullable(String), subject_hash Nullable(String), def_hash Nullable(String)) EPHEMERAL, MODIFY COLUMN def_hash String DEFAULT ifNull(fields.def_hash, '');

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' ADD COLUMN IF NOT EXISTS members_missing String DEFAULT '';

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' MODIFY COLUMN members_missing String DEFAULT '';

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' MATERIALIZE COLUMN members_missing SETTINGS mutations_sync = 2;

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' MODIFY COLUMN fields Tuple(era Nullable(String), mcp_protocol_version Nullable(String), direction Nullable(String), message_type Nullable(String), jsonrpc_id Nullable(String), method Nullable(String), primitive_type Nullable(String), primitive_name Nullable(String), resource_uri_hash Nullable(String), client_name Nullable(String), client_version Nullable(String), server_name Nullable(String), server_version Nullable(String), session_id_hash Nullable(String), result_type Nullable(String), is_error Nullable(Bool), tool_error Nullable(Bool), jsonrpc_error_code Nullable(Float64), error_type Nullable(String), arg_keys Array(String), result_content_types Array(String), structured Nullable(Bool), list_total Nullable(Float64), cache_scope Nullable(String), ttl_ms Nullable(Float64), events_streamed Nullable(Float64), progress_count Nullable(Float64), transport Nullable(String), stage Nullable(String), span_id Nullable(String), tools_after_authz Nullable(Float64), arg_shape_hash Nullable(String), cancelled_by Nullable(String), task_id_hash Nullable(String), input_round Nullable(Float64), server_notifications Nullable(Float64), server_requests Nullable(Float64), rows_left_out Nullable(Float64), client_id Nullable(String), secret_id Nullable(String), subject_hash Nullable(String), def_hash Nullable(String), members_missing Nullable(String)) EPHEMERAL, MODIFY COLUMN members_missing String DEFAULT ifNull(fields.members_missing, '');

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' ADD COLUMN IF NOT EXISTS cost Nullable(Decimal(18, 9)), ADD COLUMN IF NOT EXISTS cost_currency LowCardinality(String), ADD COLUMN IF NOT EXISTS cost_source LowCardinality(String);

ALTER TABLE `gatehouse`.attempts ON CLUSTER 'analytics' ADD COLUMN IF NOT EXISTS team_id LowCardinality(String), ADD COLUMN IF NOT EXISTS api_name LowCardinality(String), ADD COLUMN IF NOT EXISTS environment LowCardinality(String), ADD COLUMN IF NOT EXISTS key_id String CODEC(ZSTD(1)), ADD COLUMN IF NOT EXISTS application_id String CODEC(ZSTD(1)), ADD COLUMN IF NOT EXISTS input_tokens Nullable(UInt32), ADD COLUMN IF NOT EXISTS output_tokens Nullable(UInt32), ADD COLUMN IF NOT EXISTS cached_input_tokens Nullable(UInt32), ADD COLUMN IF NOT EXISTS reasoning_tokens Nullable(UInt32), ADD COLUMN IF NOT EXISTS cache_write_tokens Nullable(UInt32), ADD COLUMN IF NOT EXISTS cache_write_hour_tokens Nullable(UInt32), ADD COLUMN IF NOT EXISTS audio_input_tokens Nullable(UInt32), ADD COLUMN IF NOT EXISTS audio_output_tokens Nullable(UInt32), ADD COLUMN IF NOT EXISTS usage_source LowCardinality(String), ADD COLUMN IF NOT EXISTS service_tier LowCardinality(String), ADD COLUMN IF NOT EXISTS price_as_of LowCardinality(String), ADD COLUMN IF NOT EXISTS labels Map(LowCardinality(String), String) CODEC(ZSTD(1)), ADD COLUMN IF NOT EXISTS cost Nullable(Decimal(18, 9)), ADD COLUMN IF NOT EXISTS cost_currency LowCardinality(String), ADD COLUMN IF NOT EXISTS cost_source LowCardinality(String);

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' ADD COLUMN IF NOT EXISTS route_strategy LowCardinality(String) DEFAULT '', ADD COLUMN IF NOT EXISTS route_name LowCardinality(String) DEFAULT '', ADD COLUMN IF NOT EXISTS route_reason LowCardinality(String) DEFAULT '', ADD COLUMN IF NOT EXISTS route_score Nullable(Float64) DEFAULT NULL, ADD COLUMN IF NOT EXISTS route_candidates Array(String) DEFAULT [], ADD COLUMN IF NOT EXISTS route_gates Array(String) DEFAULT [], ADD COLUMN IF NOT EXISTS route_input_tokens Nullable(Int64) DEFAULT NULL, ADD COLUMN IF NOT EXISTS route_output_tokens Nullable(Int64) DEFAULT NULL, ADD COLUMN IF NOT EXISTS route_ms Nullable(Float64) DEFAULT NULL, ADD COLUMN IF NOT EXISTS route_target LowCardinality(String) DEFAULT '', ADD COLUMN IF NOT EXISTS shadow_strategy LowCardinality(String) DEFAULT '', ADD COLUMN IF NOT EXISTS shadow_name LowCardinality(String) DEFAULT '', ADD COLUMN IF NOT EXISTS shadow_reason LowCardinality(String) DEFAULT '', ADD COLUMN IF NOT EXISTS shadow_target LowCardinality(String) DEFAULT '', ADD COLUMN IF NOT EXISTS shadow_cost Nullable(Decimal(18, 9)) DEFAULT NULL, ADD COLUMN IF NOT EXISTS shadow_ms Nullable(Float64) DEFAULT NULL;

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' MODIFY COLUMN route_strategy LowCardinality(String) DEFAULT '', MODIFY COLUMN route_name LowCardinality(String) DEFAULT '', MODIFY COLUMN route_reason LowCardinality(String) DEFAULT '', MODIFY COLUMN route_score Nullable(Float64) DEFAULT NULL, MODIFY COLUMN route_candidates Array(String) DEFAULT [], MODIFY COLUMN route_gates Array(String) DEFAULT [], MODIFY COLUMN route_input_tokens Nullable(Int64) DEFAULT NULL, MODIFY COLUMN route_output_tokens Nullable(Int64) DEFAULT NULL, MODIFY COLUMN route_ms Nullable(Float64) DEFAULT NULL, MODIFY COLUMN route_target LowCardinality(String) DEFAULT '', MODIFY COLUMN shadow_strategy LowCardinality(String) DEFAULT '', MODIFY COLUMN shadow_name LowCardinality(String) DEFAULT '', MODIFY COLUMN shadow_reason LowCardinality(String) DEFAULT '', MODIFY COLUMN shadow_target LowCardinality(String) DEFAULT '', MODIFY COLUMN shadow_cost Nullable(Decimal(18, 9)) DEFAULT NULL, MODIFY COLUMN shadow_ms Nullable(Float64) DEFAULT NULL;

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' MATERIALIZE COLUMN route_strategy, MATERIALIZE COLUMN route_name, MATERIALIZE COLUMN route_reason, MATERIALIZE COLUMN route_score, MATERIALIZE COLUMN route_candidates, MATERIALIZE COLUMN route_gates, MATERIALIZE COLUMN route_input_tokens, MATERIALIZE COLUMN route_output_tokens, MATERIALIZE COLUMN route_ms, MATERIALIZE COLUMN route_target, MATERIALIZE COLUMN shadow_strategy, MATERIALIZE COLUMN shadow_name, MATERIALIZE COLUMN shadow_reason, MATERIALIZE COLUMN shadow_target, MATERIALIZE COLUMN shadow_cost, MATERIALIZE COLUMN shadow_ms SETTINGS mutations_sync = 2;

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' MODIFY COLUMN fields Tuple(era Nullable(String), mcp_protocol_version Nullable(String), direction Nullable(String), message_type Nullable(String), jsonrpc_id Nullable(String), method Nullable(String), primitive_type Nullable(String), primitive_name Nullable(String), resource_uri_hash Nullable(String), client_name Nullable(String), client_version Nullable(String), server_name Nullable(String), server_version Nullable(String), session_id_hash Nullable(String), result_type Nullable(String), is_error Nullable(Bool), tool_error Nullable(Bool), jsonrpc_error_code Nullable(Float64), error_type Nullable(String), arg_keys Array(String), result_content_types Array(String), structured Nullable(Bool), list_total Nullable(Float64), cache_scope Nullable(String), ttl_ms Nullable(Float64), events_streamed Nullable(Float64), progress_count Nullable(Float64), transport Nullable(String), stage Nullable(String), span_id Nullable(String), tools_after_authz Nullable(Float64), arg_shape_hash Nullable(String), cancelled_by Nullable(String), task_id_hash Nullable(String), input_round Nullable(Float64), server_notifications Nullable(Float64), server_requests Nullable(Float64), rows_left_out Nullable(Float64), client_id Nullable(String), secret_id Nullable(String), subject_hash Nullable(String), def_hash Nullable(String), members_missing Nullable(String), route_strategy Nullable(String), route_name Nullable(String), route_reason Nullable(String), route_score Nullable(Float64), route_candidates Array(String), route_gates Array(String), route_input_tokens Nullable(Float64), route_output_tokens Nullable(Float64), route_ms Nullable(Float64), route_target Nullable(String), shadow_strategy Nullable(String), shadow_name Nullable(String), shadow_reason Nullable(String), shadow_target Nullable(String), shadow_cost Nullable(String), shadow_ms Nullable(Float64)) EPHEMERAL, MODIFY COLUMN route_strategy LowCardinality(String) DEFAULT ifNull(fields.route_strategy, ''), MODIFY COLUMN route_name LowCardinality(String) DEFAULT ifNull(fields.route_name, ''), MODIFY COLUMN route_reason LowCardinality(String) DEFAULT ifNull(fields.route_reason, ''), MODIFY COLUMN route_score Nullable(Float64) DEFAULT fields.route_score, MODIFY COLUMN route_candidates Array(String) DEFAULT fields.route_candidates, MODIFY COLUMN route_gates Array(String) DEFAULT fields.route_gates, MODIFY COLUMN route_input_tokens Nullable(Int64) DEFAULT accurateCastOrNull(fields.route_input_tokens, 'Int64'), MODIFY COLUMN route_output_tokens Nullable(Int64) DEFAULT accurateCastOrNull(fields.route_output_tokens, 'Int64'), MODIFY COLUMN route_ms Nullable(Float64) DEFAULT fields.route_ms, MODIFY COLUMN route_target LowCardinality(String) DEFAULT ifNull(fields.route_target, ''), MODIFY COLUMN shadow_strategy LowCardinality(String) DEFAULT ifNull(fields.shadow_strategy, ''), MODIFY COLUMN shadow_name LowCardinality(String) DEFAULT ifNull(fields.shadow_name, ''), MODIFY COLUMN shadow_reason LowCardinality(String) DEFAULT ifNull(fields.shadow_reason, ''), MODIFY COLUMN shadow_target LowCardinality(String) DEFAULT ifNull(fields.shadow_target, ''), MODIFY COLUMN shadow_cost Nullable(Decimal(18, 9)) DEFAULT toDecimal64OrNull(ifNull(fields.shadow_cost, ''), 9), MODIFY COLUMN shadow_ms Nullable(Float64) DEFAULT fields.shadow_ms;

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' ADD COLUMN IF NOT EXISTS member LowCardinality(String) DEFAULT '', ADD COLUMN IF NOT EXISTS tools_total Nullable(Int64) DEFAULT NULL, ADD COLUMN IF NOT EXISTS tools_after_filter Nullable(Int64) DEFAULT NULL, ADD COLUMN IF NOT EXISTS tools_without_text Nullable(Int64) DEFAULT NULL, ADD COLUMN IF NOT EXISTS filter_mode LowCardinality(String) DEFAULT '', ADD COLUMN IF NOT EXISTS filter_reason LowCardinality(String) DEFAULT '', ADD COLUMN IF NOT EXISTS filter_top_score Nullable(Float64) DEFAULT NULL, ADD COLUMN IF NOT EXISTS filter_candidates Array(String) DEFAULT [], ADD COLUMN IF NOT EXISTS filter_ms Nullable(Float64) DEFAULT NULL, ADD COLUMN IF NOT EXISTS list_tokens_before Nullable(Int64) DEFAULT NULL, ADD COLUMN IF NOT EXISTS list_tokens_after Nullable(Int64) DEFAULT NULL, ADD COLUMN IF NOT EXISTS cache LowCardinality(String) DEFAULT '', ADD COLUMN IF NOT EXISTS cache_mode LowCardinality(String) DEFAULT '', ADD COLUMN IF NOT EXISTS cache_reason String DEFAULT '', ADD COLUMN IF NOT EXISTS cache_score Nullable(Float64) DEFAULT NULL, ADD COLUMN IF NOT EXISTS cache_age_ms Nullable(Int64) DEFAULT NULL, ADD COLUMN IF NOT EXISTS cache_saved_tokens Nullable(Int64) DEFAULT NULL, ADD COLUMN IF NOT EXISTS cache_ms Nullable(Float64) DEFAULT NULL;

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' MODIFY COLUMN member LowCardinality(String) DEFAULT '', MODIFY COLUMN tools_total Nullable(Int64) DEFAULT NULL, MODIFY COLUMN tools_after_filter Nullable(Int64) DEFAULT NULL, MODIFY COLUMN tools_without_text Nullable(Int64) DEFAULT NULL, MODIFY COLUMN filter_mode LowCardinality(String) DEFAULT '', MODIFY COLUMN filter_reason LowCardinality(String) DEFAULT '', MODIFY COLUMN filter_top_score Nullable(Float64) DEFAULT NULL, MODIFY COLUMN filter_candidates Array(String) DEFAULT [], MODIFY COLUMN filter_ms Nullable(Float64) DEFAULT NULL, MODIFY COLUMN list_tokens_before Nullable(Int64) DEFAULT NULL, MODIFY COLUMN list_tokens_after Nullable(Int64) DEFAULT NULL, MODIFY COLUMN cache LowCardinality(String) DEFAULT '', MODIFY COLUMN cache_mode LowCardinality(String) DEFAULT '', MODIFY COLUMN cache_reason String DEFAULT '', MODIFY COLUMN cache_score Nullable(Float64) DEFAULT NULL, MODIFY COLUMN cache_age_ms Nullable(Int64) DEFAULT NULL, MODIFY COLUMN cache_saved_tokens Nullable(Int64) DEFAULT NULL, MODIFY COLUMN cache_ms Nullable(Float64) DEFAULT NULL;

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' MATERIALIZE COLUMN member, MATERIALIZE COLUMN tools_total, MATERIALIZE COLUMN tools_after_filter, MATERIALIZE COLUMN tools_without_text, MATERIALIZE COLUMN filter_mode, MATERIALIZE COLUMN filter_reason, MATERIALIZE COLUMN filter_top_score, MATERIALIZE COLUMN filter_candidates, MATERIALIZE COLUMN filter_ms, MATERIALIZE COLUMN list_tokens_before, MATERIALIZE COLUMN list_tokens_after, MATERIALIZE COLUMN cache, MATERIALIZE COLUMN cache_mode, MATERIALIZE COLUMN cache_reason, MATERIALIZE COLUMN cache_score, MATERIALIZE COLUMN cache_age_ms, MATERIALIZE COLUMN cache_saved_tokens, MATERIALIZE COLUMN cache_ms SETTINGS mutations_sync = 2;

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' MODIFY COLUMN fields Tuple(era Nullable(String), mcp_protocol_version Nullable(String), direction Nullable(String), message_type Nullable(String), jsonrpc_id Nullable(String), method Nullable(String), primitive_type Nullable(String), primitive_name Nullable(String), resource_uri_hash Nullable(String), client_name Nullable(String), client_version Nullable(String), server_name Nullable(String), server_version Nullable(String), session_id_hash Nullable(String), result_type Nullable(String), is_error Nullable(Bool), tool_error Nullable(Bool), jsonrpc_error_code Nullable(Float64), error_type Nullable(String), arg_keys Array(String), result_content_types Array(String), structured Nullable(Bool), list_total Nullable(Float64), cache_scope Nullable(String), ttl_ms Nullable(Float64), events_streamed Nullable(Float64), progress_count Nullable(Float64), transport Nullable(String), stage Nullable(String), span_id Nullable(String), tools_after_authz Nullable(Float64), arg_shape_hash Nullable(String), cancelled_by Nullable(String), task_id_hash Nullable(String), input_round Nullable(Float64), server_notifications Nullable(Float64), server_requests Nullable(Float64), rows_left_out Nullable(Float64), client_id Nullable(String), secret_id Nullable(String), subject_hash Nullable(String), def_hash Nullable(String), members_missing Nullable(String), route_strategy Nullable(String), route_name Nullable(String), route_reason Nullable(String), route_score Nullable(Float64), route_candidates Array(String), route_gates Array(String), route_input_tokens Nullable(Float64), route_output_tokens Nullable(Float64), route_ms Nullable(Float64), route_target Nullable(String), shadow_strategy Nullable(String), shadow_name Nullable(String), shadow_reason Nullable(String), shadow_target Nullable(String), shadow_cost Nullable(String), shadow_ms Nullable(Float64), member Nullable(String), tools_total Nullable(Float64), tools_after_filter Nullable(Float64), tools_without_text Nullable(Float64), filter_mode Nullable(String), filter_reason Nullable(String), filter_top_score Nullable(Float64), filter_candidates Array(String), filter_ms Nullable(Float64), list_tokens_before Nullable(Float64), list_tokens_after Nullable(Float64), cache Nullable(String), cache_mode Nullable(String), cache_reason Nullable(String), cache_score Nullable(Float64), cache_age_ms Nullable(Float64), cache_saved_tokens Nullable(Float64), cache_ms Nullable(Float64)) EPHEMERAL, MODIFY COLUMN member LowCardinality(String) DEFAULT ifNull(fields.member, ''), MODIFY COLUMN tools_total Nullable(Int64) DEFAULT accurateCastOrNull(fields.tools_total, 'Int64'), MODIFY COLUMN tools_after_filter Nullable(Int64) DEFAULT accurateCastOrNull(fields.tools_after_filter, 'Int64'), MODIFY COLUMN tools_without_text Nullable(Int64) DEFAULT accurateCastOrNull(fields.tools_without_text, 'Int64'), MODIFY COLUMN filter_mode LowCardinality(String) DEFAULT ifNull(fields.filter_mode, ''), MODIFY COLUMN filter_reason LowCardinality(String) DEFAULT ifNull(fields.filter_reason, ''), MODIFY COLUMN filter_top_score Nullable(Float64) DEFAULT fields.filter_top_score, MODIFY COLUMN filter_candidates Array(String) DEFAULT fields.filter_candidates, MODIFY COLUMN filter_ms Nullable(Float64) DEFAULT fields.filter_ms, MODIFY COLUMN list_tokens_before Nullable(Int64) DEFAULT accurateCastOrNull(fields.list_tokens_before, 'Int64'), MODIFY COLUMN list_tokens_after Nullable(Int64) DEFAULT accurateCastOrNull(fields.list_tokens_after, 'Int64'), MODIFY COLUMN cache LowCardinality(String) DEFAULT ifNull(fields.cache, ''), MODIFY COLUMN cache_mode LowCardinality(String) DEFAULT ifNull(fields.cache_mode, ''), MODIFY COLUMN cache_reason String DEFAULT ifNull(fields.cache_reason, ''), MODIFY COLUMN cache_score Nullable(Float64) DEFAULT fields.cache_score, MODIFY COLUMN cache_age_ms Nullable(Int64) DEFAULT accurateCastOrNull(fields.cache_age_ms, 'Int64'), MODIFY COLUMN cache_saved_tokens Nullable(Int64) DEFAULT accurateCastOrNull(fields.cache_saved_tokens, 'Int64'), MODIFY COLUMN cache_ms Nullable(Float64) DEFAULT fields.cache_ms;

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' ADD COLUMN IF NOT EXISTS stored_at DateTime64(3, 'UTC') MATERIALIZED toDateTime64(0, 3, 'UTC') COMMENT 'When the row came to the store, by its clock.';

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' MODIFY COLUMN stored_at DateTime64(3, 'UTC') MATERIALIZED toDateTime64(0, 3, 'UTC') COMMENT 'When the row came to the store, by its clock.';

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' MATERIALIZE COLUMN stored_at SETTINGS mutations_sync = 2;

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' MODIFY COLUMN stored_at DateTime64(3, 'UTC') MATERIALIZED now64(3, 'UTC') COMMENT 'When the row came to the store, by its clock.', ADD INDEX IF NOT EXISTS by_stored stored_at TYPE minmax GRANULARITY 1;

CREATE TABLE IF NOT EXISTS `gatehouse`.captures ON CLUSTER 'analytics' (
  ts DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
  exchange_id UUID,
  operation_id UUID,
  team_id LowCardinality(String),
  api_id LowCardinality(String),
  api_name LowCardinality(String),
  environment LowCardinality(String),
  application_id String CODEC(ZSTD(1)),
  kept_days UInt16,
  request String CODEC(ZSTD(3)),
  response String CODEC(ZSTD(3)),
  is_cut Bool,
  redactions UInt32,
  INDEX by_exchange exchange_id TYPE bloom_filter(0.01) GRANULARITY 4
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')
PARTITION BY toYYYYMM(ts)
ORDER BY (toStartOfHour(ts), api_id, ts)
TTL toDateTime(ts) + toIntervalDay(kept_days)
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, merge_with_ttl_timeout = 3600;

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' ADD COLUMN IF NOT EXISTS route_usage_source LowCardinality(String) DEFAULT '', ADD COLUMN IF NOT EXISTS route_cost Nullable(Decimal(18, 9)) DEFAULT NULL, ADD COLUMN IF NOT EXISTS guard_hold_ms Nullable(Float64) DEFAULT NULL, ADD COLUMN IF NOT EXISTS scopes Array(String) DEFAULT [], ADD COLUMN IF NOT EXISTS upstream_primitive_name String DEFAULT '';

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' MODIFY COLUMN route_usage_source LowCardinality(String) DEFAULT '', MODIFY COLUMN route_cost Nullable(Decimal(18, 9)) DEFAULT NULL, MODIFY COLUMN guard_hold_ms Nullable(Float64) DEFAULT NULL, MODIFY COLUMN scopes Array(String) DEFAULT [], MODIFY COLUMN upstream_primitive_name String DEFAULT '';

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' MATERIALIZE COLUMN route_usage_source, MATERIALIZE COLUMN route_cost, MATERIALIZE COLUMN guard_hold_ms, MATERIALIZE COLUMN scopes, MATERIALIZE COLUMN upstream_primitive_name SETTINGS mutations_sync = 2;

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' MODIFY COLUMN fields Tuple(era Nullable(String), mcp_protocol_version Nullable(String), direction Nullable(String), message_type Nullable(String), jsonrpc_id Nullable(String), method Nullable(String), primitive_type Nullable(String), primitive_name Nullable(String), resource_uri_hash Nullable(String), client_name Nullable(String), client_version Nullable(String), server_name Nullable(String), server_version Nullable(String), session_id_hash Nullable(String), result_type Nullable(String), is_error Nullable(Bool), tool_error Nullable(Bool), jsonrpc_error_code Nullable(Float64), error_type Nullable(String), arg_keys Array(String), result_content_types Array(String), structured Nullable(Bool), list_total Nullable(Float64), cache_scope Nullable(String), ttl_ms Nullable(Float64), events_streamed Nullable(Float64), progress_count Nullable(Float64), transport Nullable(String), stage Nullable(String), span_id Nullable(String), tools_after_authz Nullable(Float64), arg_shape_hash Nullable(String), cancelled_by Nullable(String), task_id_hash Nullable(String), input_round Nullable(Float64), server_notifications Nullable(Float64), server_requests Nullable(Float64), rows_left_out Nullable(Float64), client_id Nullable(String), secret_id Nullable(String), subject_hash Nullable(String), def_hash Nullable(String), members_missing Nullable(String), route_strategy Nullable(String), route_name Nullable(String), route_reason Nullable(String), route_score Nullable(Float64), route_candidates Array(String), route_gates Array(String), route_input_tokens Nullable(Float64), route_output_tokens Nullable(Float64), route_ms Nullable(Float64), route_target Nullable(String), shadow_strategy Nullable(String), shadow_name Nullable(String), shadow_reason Nullable(String), shadow_target Nullable(String), shadow_cost Nullable(String), shadow_ms Nullable(Float64), member Nullable(String), tools_total Nullable(Float64), tools_after_filter Nullable(Float64), tools_without_text Nullable(Float64), filter_mode Nullable(String), filter_reason Nullable(String), filter_top_score Nullable(Float64), filter_candidates Array(String), filter_ms Nullable(Float64), list_tokens_before Nullable(Float64), list_tokens_after Nullable(Float64), cache Nullable(String), cache_mode Nullable(String), cache_reason Nullable(String), cache_score Nullable(Float64), cache_age_ms Nullable(Float64), cache_saved_tokens Nullable(Float64), cache_ms Nullable(Float64), route_usage_source Nullable(String), route_cost Nullable(String), guard_hold_ms Nullable(Float64), scopes Array(String), upstream_primitive_name Nullable(String)) EPHEMERAL, MODIFY COLUMN route_usage_source LowCardinality(String) DEFAULT ifNull(fields.route_usage_source, ''), MODIFY COLUMN route_cost Nullable(Decimal(18, 9)) DEFAULT toDecimal64OrNull(ifNull(fields.route_cost, ''), 9), MODIFY COLUMN guard_hold_ms Nullable(Float64) DEFAULT fields.guard_hold_ms, MODIFY COLUMN scopes Array(String) DEFAULT fields.scopes, MODIFY COLUMN upstream_primitive_name String DEFAULT ifNull(fields.upstream_primitive_name, '');

CREATE TABLE IF NOT EXISTS `gatehouse`.governance_events ON CLUSTER 'analytics' (
  ts DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
  event_id UUID,
  act LowCardinality(String),
  team_id LowCardinality(String),
  artifact_id String CODEC(ZSTD(1)),
  artifact_kind LowCardinality(String),
  artifact_name LowCardinality(String),
  policy LowCardinality(String),
  ruleset LowCardinality(String),
  rule LowCardinality(String),
  entry_kind LowCardinality(String),
  entry_name String CODEC(ZSTD(1)),
  exemption LowCardinality(String),
  from_status LowCardinality(String),
  to_status LowCardinality(String),
  score Nullable(Float64) CODEC(ZSTD(1)),
  findings UInt32 CODEC(T64, ZSTD(1))
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')
PARTITION BY toYYYYMM(ts)
ORDER BY (toStartOfHour(ts), artifact_id, ts)
TTL toDateTime(ts) + toIntervalDay(400)
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, merge_with_ttl_timeout = 3600;

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' ADD PROJECTION IF NOT EXISTS counts_by_hour (SELECT toStartOfHour(ts), team_id, environment, api_id, api_name, outcome, http_status, error_code, jsonrpc_error_code, is_error, tool_error, count(), sum(ifNull(input_tokens, 0)), sum(ifNull(output_tokens, 0)), sum(request_bytes), sum(response_bytes), max(ts) GROUP BY toStartOfHour(ts), team_id, environment, api_id, api_name, outcome, http_status, error_code, jsonrpc_error_code, is_error, tool_error);

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' ADD PROJECTION IF NOT EXISTS times_by_day (SELECT toStartOfDay(ts), team_id, environment, api_id, api_name, outcome, count(), quantilesTDigestState(0.5, 0.9, 0.95, 0.99)(duration_ms), quantilesTDigestState(0.5, 0.9, 0.95, 0.99)(if(upstream_ms IS NULL, duration_ms, greatest(duration_ms - upstream_ms, 0))), quantilesTDigestState(0.5, 0.9, 0.95, 0.99)(upstream_ms), quantilesTDigestState(0.5, 0.9, 0.95, 0.99)(first_byte_ms) GROUP BY toStartOfDay(ts), team_id, environment, api_id, api_name, outcome);

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' ADD COLUMN IF NOT EXISTS shadow_input_tokens Nullable(Int64) DEFAULT NULL, ADD COLUMN IF NOT EXISTS shadow_output_tokens Nullable(Int64) DEFAULT NULL, ADD COLUMN IF NOT EXISTS shadow_route_cost Nullable(Decimal(18, 9)) DEFAULT NULL;

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' MODIFY COLUMN shadow_input_tokens Nullable(Int64) DEFAULT NULL, MODIFY COLUMN shadow_output_tokens Nullable(Int64) DEFAULT NULL, MODIFY COLUMN shadow_route_cost Nullable(Decimal(18, 9)) DEFAULT NULL;

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' MATERIALIZE COLUMN shadow_input_tokens, MATERIALIZE COLUMN shadow_output_tokens, MATERIALIZE COLUMN shadow_route_cost SETTINGS mutations_sync = 2;

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' MODIFY COLUMN fields Tuple(era Nullable(String), mcp_protocol_version Nullable(String), direction Nullable(String), message_type Nullable(String), jsonrpc_id Nullable(String), method Nullable(String), primitive_type Nullable(String), primitive_name Nullable(String), resource_uri_hash Nullable(String), client_name Nullable(String), client_version Nullable(String), server_name Nullable(String), server_version Nullable(String), session_id_hash Nullable(String), result_type Nullable(String), is_error Nullable(Bool), tool_error Nullable(Bool), jsonrpc_error_code Nullable(Float64), error_type Nullable(String), arg_keys Array(String), result_content_types Array(String), structured Nullable(Bool), list_total Nullable(Float64), cache_scope Nullable(String), ttl_ms Nullable(Float64), events_streamed Nullable(Float64), progress_count Nullable(Float64), transport Nullable(String), stage Nullable(String), span_id Nullable(String), tools_after_authz Nullable(Float64), arg_shape_hash Nullable(String), cancelled_by Nullable(String), task_id_hash Nullable(String), input_round Nullable(Float64), server_notifications Nullable(Float64), server_requests Nullable(Float64), rows_left_out Nullable(Float64), client_id Nullable(String), secret_id Nullable(String), subject_hash Nullable(String), def_hash Nullable(String), members_missing Nullable(String), route_strategy Nullable(String), route_name Nullable(String), route_reason Nullable(String), route_score Nullable(Float64), route_candidates Array(String), route_gates Array(String), route_input_tokens Nullable(Float64), route_output_tokens Nullable(Float64), route_ms Nullable(Float64), route_target Nullable(String), shadow_strategy Nullable(String), shadow_name Nullable(String), shadow_reason Nullable(String), shadow_target Nullable(String), shadow_cost Nullable(String), shadow_ms Nullable(Float64), member Nullable(String), tools_total Nullable(Float64), tools_after_filter Nullable(Float64), tools_without_text Nullable(Float64), filter_mode Nullable(String), filter_reason Nullable(String), filter_top_score Nullable(Float64), filter_candidates Array(String), filter_ms Nullable(Float64), list_tokens_before Nullable(Float64), list_tokens_after Nullable(Float64), cache Nullable(String), cache_mode Nullable(String), cache_reason Nullable(String), cache_score Nullable(Float64), cache_age_ms Nullable(Float64), cache_saved_tokens Nullable(Float64), cache_ms Nullable(Float64), route_usage_source Nullable(String), route_cost Nullable(String), guard_hold_ms Nullable(Float64), scopes Array(String), upstream_primitive_name Nullable(String), shadow_input_tokens Nullable(Float64), shadow_output_tokens Nullable(Float64), shadow_route_cost Nullable(String)) EPHEMERAL, MODIFY COLUMN shadow_input_tokens Nullable(Int64) DEFAULT accurateCastOrNull(fields.shadow_input_tokens, 'Int64'), MODIFY COLUMN shadow_output_tokens Nullable(Int64) DEFAULT accurateCastOrNull(fields.shadow_output_tokens, 'Int64'), MODIFY COLUMN shadow_route_cost Nullable(Decimal(18, 9)) DEFAULT toDecimal64OrNull(ifNull(fields.shadow_route_cost, ''), 9);

ALTER TABLE `gatehouse`.exchanges ON CLUSTER 'analytics' MODIFY TTL toDateTime(ts) + INTERVAL 90 DAY;

ALTER TABLE `gatehouse`.attempts ON CLUSTER 'analytics' MODIFY TTL toDateTime(ts) + INTERVAL 90 DAY;

ALTER TABLE `gatehouse`.governance_events ON CLUSTER 'analytics' MODIFY TTL toDateTime(ts) + INTERVAL 90 DAY;
