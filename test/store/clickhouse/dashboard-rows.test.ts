import { afterAll, beforeAll, expect, test } from "vitest";
import type { Selection } from "../../../src/analytics/analytics-reader.ts";
import { questions } from "../../../src/analytics/questions/index.ts";
import type { ExchangeEvent } from "../../../src/pipeline/event.ts";
import { createEventStore } from "../../../src/store/clickhouse/create-event-store.ts";
import { createAnalyticsReader } from "../../../src/store/clickhouse/questions/create-analytics-reader.ts";
import type { TestEngine } from "../../kit/embedded-clickhouse.ts";
import { describeWithEngine, startTestEngine } from "../../kit/embedded-clickhouse.ts";
import { exchangeRow } from "../../kit/event-rows.ts";
import { lineOf } from "../../kit/line-of.ts";

const noon = Date.UTC(2026, 0, 15, 12);
const day: Selection = { fromMs: noon, toMs: noon + 86_400_000 };

const call = (tool: string, over: Partial<ExchangeEvent> = {}): Partial<ExchangeEvent> => ({
  api_id: "mcp_1",
  api_name: "notes",
  api_kind: "McpServer",
  cost: null,
  ...over,
  fields: { method: "tools/call", primitive_type: "tool", primitive_name: tool, ...over.fields },
});

/** A hundred calls of one tool: 80 of 10 ms, 17 of 50 and 3 of 200; 2 ms of each are the gateway's own. */
const hundred = Array.from({ length: 100 }, (_, at) => {
  const ms = at < 80 ? 10 : at < 97 ? 50 : 200;
  return call("search", { duration_ms: ms, upstream_ms: ms - 2 });
});
const rows: readonly Partial<ExchangeEvent>[] = [
  ...hundred,
  call("read", { duration_ms: 7, upstream_ms: 5, fields: { subject_hash: "ada", client_id: "cli_1" } }),
  call("read", { duration_ms: 7, upstream_ms: 5, fields: { subject_hash: "ada", client_id: "cli_2" } }),
  // An hour later: what two sessions have spent on models, as a label of theirs tells.
  ...[
    ["s1", "0.25", 10],
    ["s1", "0.5", 30],
    ["s2", "1.125", 7],
  ].map(([session, cost, tokens]) => ({
    ts: noon + 3_600_000,
    cost: String(cost),
    input_tokens: Number(tokens),
    labels: { session: String(session) },
  })),
];

describeWithEngine("figures of a dashboard, counted by hand over rows", () => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = startTestEngine();
    const lines = rows.map((over, number) => lineOf(exchangeRow(number, over)).replace('["exchange",', "["));
    const batch = { table: "exchanges", count: lines.length, token: "all", skipUnreadable: false } as const;
    const store = createEventStore(engine.session);
    await store.insert({ ...batch, rows: Buffer.from(lines.join("")) }, new AbortController().signal);
  }, 120_000);
  afterAll(() => engine[Symbol.asyncDispose]());

  const reader = () => createAnalyticsReader(engine.session);
  async function ask(id: string, selection: Partial<Selection> = {}, given: object = {}) {
    const question = questions.find((each) => each.id === id);
    if (question === undefined) throw new Error(`there is no question ${id}`);
    const params = question.params.parse(given);
    const request = { params, granularity: "hour", limit: 1_000 } as const;
    return (await reader().ask(question, { ...day, ...selection }, request)).rows;
  }
  /** Within the three hundredths by which a percentile may be off. */
  const near = (ms: number) => expect.closeTo(ms, -Math.log10(2 * 0.03 * ms)) as number;

  test("each tool has the percentiles of its own calls", async () => {
    const tools = await reader().topTools(day, 10);
    expect(tools).toMatchObject([
      { tool: "search", calls: 100, durationMs: { p50: near(10), p90: near(50), p95: near(50), p99: near(200) } },
      { tool: "read", calls: 2, durationMs: { p50: near(7), p99: near(7) } },
    ]);
  });

  test("latency over time is told beside the volume, the gateway's part apart", async () => {
    expect(await ask("latency-steps", { tool: "search" })).toMatchObject([
      { at: "2026-01-15T12:00:00.000Z", requests: 100, totalP50: near(10), upstreamP50: near(8), gatewayP50: near(2) },
    ]);
    const hours = await ask("latency-steps");
    expect(hours.map(({ at, requests }) => [at, requests])).toEqual([
      ["2026-01-15T12:00:00.000Z", 102],
      ["2026-01-15T13:00:00.000Z", 3],
    ]);
  });

  test("an agent is known by its token's subject and by its client", async () => {
    const bySubject = await ask("top-consumers", { tool: "read" }, { by: "subject" });
    expect(bySubject.map(({ consumer, requests }) => [consumer, requests])).toEqual([["ada", 2]]);
    const byClient = await ask("top-consumers", { tool: "read" }, { by: "client" });
    expect(byClient.map(({ consumer, requests }) => [consumer, requests])).toEqual([
      ["cli_1", 1],
      ["cli_2", 1],
    ]);
  });

  test("a session that names itself by a label has its tokens and its money", async () => {
    const found = await ask("top-consumers", { api: "chat" }, { by: "label:session" });
    expect(found.map(({ consumer, inputTokens, cost }) => [consumer, inputTokens, cost])).toEqual([
      ["s1", 40, "0.75"],
      ["s2", 7, "1.125"],
    ]);
  });
});
