import { afterAll, beforeAll, expect, test } from "vitest";
import { singleNode } from "../../../src/store/clickhouse/migrations/clickhouse-migration.ts";
import { clickHouseMigrations } from "../../../src/store/clickhouse/migrations/clickhouse-migrations.ts";
import { runClickHouseMigrations } from "../../../src/store/clickhouse/migrations/run-clickhouse-migrations.ts";
import type { TestEngine } from "../../kit/embedded-clickhouse.ts";
import { askEngine, describeWithEngine, startTestEngine } from "../../kit/embedded-clickhouse.ts";
import { exchangeRow, uuidOf } from "../../kit/event-rows.ts";

describeWithEngine("the columns that came later", () => {
  let engine: TestEngine;
  beforeAll(() => {
    engine = startTestEngine();
  });
  afterAll(() => engine[Symbol.asyncDispose]());

  const fields = {
    method: "tools/call",
    transport: "streamable-http",
    stage: "upstream",
    span_id: "00112233445566ff",
    tools_after_authz: 2,
    arg_shape_hash: "0011223344556677",
    cancelled_by: "client",
    task_id_hash: "7766554433221100",
    input_round: 1,
    server_notifications: 3,
    server_requests: 4,
    rows_left_out: 0,
    client_id: "client-1",
    secret_id: "ocs_1",
    subject_hash: "0123456789abcdef",
    def_hash: "89abcdef01234567",
    members_missing: "tickets, wiki",
    route_strategy: "semantic",
    route_name: "code",
    route_reason: "matched",
    route_score: 0.75,
    route_candidates: ["code=0.75", "chat=0.5"],
    route_gates: ["small=output"],
    route_input_tokens: 11,
    route_output_tokens: 2,
    route_ms: 1.25,
    route_target: "openai/small",
    shadow_strategy: "weighted",
    shadow_name: "cheap",
    shadow_reason: "chosen",
    shadow_target: "openai/large",
    shadow_cost: 0.000125,
    shadow_ms: 0.5,
    member: "tickets",
    tools_total: 200,
    tools_after_filter: 5,
    tools_without_text: 1,
    filter_mode: "rank",
    filter_reason: "fits",
    filter_top_score: 0.875,
    filter_candidates: ["search=0.875", "read=0.5"],
    filter_ms: 0.25,
    list_tokens_before: 40_000,
    list_tokens_after: 900,
    cache: "hit",
    cache_mode: "enforce",
    cache_reason: "similar",
    cache_score: 0.96875,
    cache_age_ms: 60_000,
    cache_saved_tokens: 321,
    cache_ms: 0.125,
    route_usage_source: "actual",
    route_cost: 0.000002,
    guard_hold_ms: 1.5,
    scopes: ["mcp", "pay"],
    upstream_primitive_name: "echo",
  };
  const columns = Object.keys(fields).join(", ");

  test("stand beside rows from before, and going through a step again changes nothing", async () => {
    const later = `${engine.database}_later`;
    const before = clickHouseMigrations.slice(0, 1);
    const migrate = (migrations: typeof clickHouseMigrations) =>
      engine.session.use(({ writer }) => runClickHouseMigrations(writer, later, migrations, singleNode));
    const write = (number: number) =>
      engine.session.use(({ writer }) =>
        writer.insert({
          table: `${later}.exchanges`,
          columns: ["ts", "exchange_id", "operation_id", "fields"],
          values: [{ ts: exchangeRow(number).ts, exchange_id: uuidOf(number), operation_id: uuidOf(number), fields }],
          format: "JSONEachRow",
        }),
      );
    await migrate(before);
    await write(1);
    for (let count = 2; count <= clickHouseMigrations.length; count += 1) {
      await migrate(clickHouseMigrations.slice(0, count));
      if (count === clickHouseMigrations.length) await write(2);
      // As after a crash between the last statement and the note of the step.
      await engine.session.use(({ writer }) =>
        writer.command({
          query: `ALTER TABLE ${later}.schema_migrations DELETE WHERE number = ${count} SETTINGS mutations_sync = 2`,
        }),
      );
      await migrate(clickHouseMigrations.slice(0, count));
    }
    await write(3);
    const row = (number: number) =>
      askEngine(engine.session, `SELECT ${columns} FROM ${later}.exchanges WHERE exchange_id = '${uuidOf(number)}'`);
    expect(await row(1)).toMatchObject({ method: "tools/call", stage: "", span_id: "", input_round: null });
    expect(await row(2)).toEqual(fields);
    expect(await row(3)).toEqual(fields);
  }, 240_000); // each step twice
});
