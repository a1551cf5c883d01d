import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { asked } from "../../../bench/questions/asked.ts";
import type { EventTable } from "../../../src/analytics/event-store.ts";
import { spendForecast } from "../../../src/analytics/questions/spend-forecast.ts";
import type { AttemptEvent, ExchangeEvent } from "../../../src/pipeline/event.ts";
import { createEventStore } from "../../../src/store/clickhouse/create-event-store.ts";
import { createAnalyticsReader } from "../../../src/store/clickhouse/questions/create-analytics-reader.ts";
import type { TestEngine } from "../../kit/embedded-clickhouse.ts";
import { describeWithEngine, startTestEngine } from "../../kit/embedded-clickhouse.ts";
import { attemptRow, exchangeRow } from "../../kit/event-rows.ts";
import { lineOf } from "../../kit/line-of.ts";

const dayMs = 86_400_000;
const endMs = Date.UTC(2026, 2, 20);
const fromMs = endMs - 29 * dayMs;

const maybe = <Value>(...values: readonly Value[]): fc.Arbitrary<Value | null> => fc.constantFrom(null, ...values);
const ts = fc.integer({ min: fromMs, max: endMs - 1 });
const money = fc.constantFrom(
  { cost: null, cost_currency: null, cost_source: null },
  { cost: "0", cost_currency: "USD", cost_source: "actual" },
  { cost: "12.5", cost_currency: "EUR", cost_source: "estimated" },
);
const callers = {
  application_id: maybe("app_1", "app_2"),
  key_id: maybe("key_1"),
  team_id: fc.constantFrom("team_1", ""),
};
const tokens = { input_tokens: maybe(0, 7), output_tokens: maybe(0, 9), reasoning_tokens: maybe(0, 3) };
const times = { first_byte_ms: maybe(0, 2), duration_ms: fc.constantFrom(0, 2, 1_000) };

/** Each of what a row may lack is there or not, whatever else is. */
const exchange: fc.Arbitrary<Partial<ExchangeEvent>> = fc
  .tuple(
    fc.record({ ts, ...callers, ...tokens, ...times, upstream_ms: maybe(0, 1, 5_000), error_code: maybe("internal") }),
    money,
    fc.record({
      api_kind: fc.constantFrom("LlmApi", "McpServer"),
      outcome: fc.constantFrom("ok", "denied", "failed", "upstream_error", "cancelled"),
      http_status: fc.constantFrom(200, 429, 499, 504),
      labels: fc.constantFrom({}, { squad: "red" }),
    }),
    fc.record(
      {
        method: fc.constantFrom("tools/call", "initialize"),
        primitive_type: fc.constantFrom("tool", "prompt"),
        primitive_name: fc.constant("search"),
        session_id_hash: fc.constantFrom("s1", "s2"),
        client_name: fc.constant("inspector"),
        jsonrpc_error_code: fc.constantFrom(-32_602, 7),
        tool_error: fc.boolean(),
        is_error: fc.boolean(),
        route_strategy: fc.constant("semantic"),
        route_target: fc.constant("big"),
        shadow_strategy: fc.constant("cost"),
        shadow_target: fc.constant("small"),
        shadow_cost: fc.constantFrom("0.5", "0"),
        filter_mode: fc.constantFrom("rank", "rank (monitor)"),
        tools_total: fc.constantFrom(0, 20),
        list_tokens_before: fc.constantFrom(0, 90),
        cache: fc.constantFrom("hit", "miss", "bypass"),
        cache_mode: fc.constantFrom("enforce", "monitor"),
        cache_saved_tokens: fc.constantFrom(0, 5),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([row, paid, kind, fields]) => ({ ...row, ...paid, ...kind, fields }));

const attempt: fc.Arbitrary<Partial<AttemptEvent>> = fc
  .tuple(
    fc.record({ ts, ...callers, ...tokens, status: maybe(200, 503), error_code: maybe("upstream.reset") }),
    fc.record({ first_byte_ms: maybe(0, 2), duration_ms: maybe(0, 2, 100), target: fc.constantFrom("a", "b") }),
    money,
  )
  .map(([row, took, paid]) => ({ ...row, ...took, ...paid }));

describeWithEngine("rows that lack what rows may lack", () => {
  let engine: TestEngine;
  const insert = async (table: EventTable, lines: readonly string[], token: string): Promise<void> => {
    const rows = Buffer.from(lines.map((line) => line.replace(/^\["(exchange|attempt)",/, "[")).join(""));
    const batch = { table, rows, count: lines.length, token, skipUnreadable: false };
    await createEventStore(engine.session).insert(batch, new AbortController().signal);
  };
  beforeAll(async () => {
    engine = startTestEngine();
    const sampled = { numRuns: 400, seed: 12 };
    const exchanges = fc.sample(exchange, sampled).map((over, number) => lineOf(exchangeRow(number, over)));
    const tries = fc.sample(attempt, sampled).map((over, number) => lineOf(attemptRow(number, over)));
    await insert("exchanges", exchanges, "exchanges");
    await insert("attempts", tries, "attempts");
  }, 120_000);
  afterAll(() => engine[Symbol.asyncDispose]());

  test.each(asked.map((question) => [question.name, question] as const))(
    "are answered for by %s, over long ranges and short ones",
    async (_, { ask }) => {
      const reader = createAnalyticsReader(engine.session);
      for (const days of [29, 3, 0.04]) {
        for (const more of [{}, { api: "chat" }, { teamIds: ["team_1"] }, { application: "app_1" }]) {
          await ask(reader, { fromMs: endMs - days * dayMs, toMs: endMs - 1_234, ...more });
        }
      }
      await ask(reader, { fromMs: 0, toMs: 1 });
    },
    120_000,
  );

  test("who has spent nothing for a week comes to what was spent until then", async () => {
    const own = { api_id: "llm_quiet", api_name: "quiet", application_id: "app_quiet" };
    await insert("attempts", [lineOf(attemptRow(9_000, { ...own, ts: endMs - 10 * dayMs, cost: "3.25" }))], "quiet");
    const request = { params: { by: "application" }, granularity: "total", limit: 10 } as const;
    const range = { fromMs, toMs: endMs, api: "quiet" };
    const { rows } = await createAnalyticsReader(engine.session).ask(spendForecast, range, request);
    expect(rows).toEqual([{ consumer: "app_quiet", currency: "USD", spent: "3.25", perDay: "0", forecast: "3.25" }]);
  });
});
