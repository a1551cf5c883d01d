import { afterAll, beforeAll, expect, test } from "vitest";
import type { Selection } from "../../../src/analytics/analytics-reader.ts";
import type { ExchangeEvent } from "../../../src/pipeline/event.ts";
import { createEventStore } from "../../../src/store/clickhouse/create-event-store.ts";
import { createAnalyticsReader } from "../../../src/store/clickhouse/questions/create-analytics-reader.ts";
import type { TestEngine } from "../../kit/embedded-clickhouse.ts";
import { describeWithEngine, startTestEngine } from "../../kit/embedded-clickhouse.ts";
import { exchangeRow, uuidOf } from "../../kit/event-rows.ts";
import { lineOf } from "../../kit/line-of.ts";

const noon = Date.UTC(2026, 0, 15, 12);
const mcp = {
  api_id: "mcp_1",
  api_name: "notes",
  api_kind: "McpServer",
  team_id: "team_notes",
  input_tokens: null,
  output_tokens: null,
} as const;
const tool = (name: string, isError = false): Partial<ExchangeEvent> => ({
  ...mcp,
  operation_name: name,
  fields: { primitive_type: "tool", primitive_name: name, is_error: isError, tool_error: isError },
});

/** What the table holds: number of a row is its millisecond after noon. */
const special: Readonly<Record<number, Partial<ExchangeEvent>>> = {
  10: { outcome: "denied", error_code: "limit.exceeded", http_status: 429, duration_ms: 1 },
  11: { outcome: "denied", error_code: "limit.exceeded", http_status: 429, duration_ms: 1 },
  12: { outcome: "upstream_error", error_code: "upstream.timeout", http_status: 504, duration_ms: 5_000 },
  13: { environment: "sandbox", operation_name: "large", input_tokens: 100 },
  14: { outcome: "cancelled", error_code: "client.closed", http_status: 499, duration_ms: 9_999 },
  20: tool("search"),
  21: tool("search", true),
  22: { ...tool("read"), key_id: "key_2" },
};
const rows = Array.from({ length: 30 }, (_, number) =>
  exchangeRow(number, { duration_ms: number, ...special[number] }),
);

describeWithEngine("questions", () => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = startTestEngine();
    const lines = Buffer.from(rows.map((row) => lineOf(row).replace('"exchange",', "")).join(""));
    const batch = { table: "exchanges", rows: lines, count: rows.length, token: "all", skipUnreadable: false } as const;
    await createEventStore(engine.session).insert(batch, new AbortController().signal);
  }, 120_000);
  afterAll(() => engine[Symbol.asyncDispose]());

  const reader = () => createAnalyticsReader(engine.session);
  const all: Selection = { fromMs: noon, toMs: noon + 3_600_000 };

  test("exchanges come newest first, each on one page only", async () => {
    const found: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await reader().exchanges(all, { limit: 7, cursor });
      found.push(...page.rows.map((row) => row.exchange_id));
      cursor = page.next;
    } while (cursor !== undefined);
    expect(found).toEqual(rows.map((row) => row.exchange_id).toReversed());
  });

  test("an exchange shows what was absent as null, and its time in ISO 8601", async () => {
    const {
      rows: [row],
    } = await reader().exchanges(all, { limit: 1 });
    expect(row).toMatchObject({
      exchange_id: uuidOf(29),
      ts: "2026-01-15T12:00:00.029Z",
      trace_id: null,
      error_code: null,
      environment: "production",
      cost: "0.000125",
      cost_currency: "USD",
      cost_source: "actual",
      shadow_cost: null,
      route_target: null,
    });
  });

  test("exchanges are chosen by time, API, environment and outcome", async () => {
    const ids = async (selection: Partial<Selection>, outcome?: string) => {
      const { rows: found } = await reader().exchanges({ ...all, ...selection }, { limit: 200, outcome });
      return found.map((row) => Number.parseInt(row.exchange_id.slice(-12), 16)).toReversed();
    };
    expect(await ids({ fromMs: noon + 5, toMs: noon + 8 })).toEqual([5, 6, 7]);
    expect(await ids({ api: "notes" })).toEqual([20, 21, 22]);
    expect(await ids({ api: "mcp_1" })).toEqual([20, 21, 22]);
    expect(await ids({ environment: "sandbox" })).toEqual([13]);
    expect(await ids({}, "denied")).toEqual([10, 11]);
    expect(await ids({ api: "' OR 1=1 --" })).toEqual([]);
  });

  test("every question is answered of the APIs of given teams only", async () => {
    const notes = { ...all, teamIds: ["team_notes", "team_of_nobody"] };
    const { rows: found } = await reader().exchanges(notes, { limit: 200 });
    expect(found.map(({ api_name: name }) => name)).toEqual(["notes", "notes", "notes"]);
    expect(await reader().traffic(notes, 60)).toMatchObject([{ requests: 3 }]);
    expect(await reader().errors(notes, 10)).toMatchObject([{ apiName: "notes" }]);
    expect(await reader().latency(notes, 10)).toMatchObject([{ apiName: "notes" }]);
    expect(await reader().topModels(notes, 10)).toEqual([]);
    expect(await reader().topTools(notes, 10)).toHaveLength(2);
    for (const teamIds of [[], ["'] OR 1 = 1 --"], ["\\'", ""]]) {
      expect(await reader().traffic({ ...all, teamIds }, 60)).toEqual([]);
    }
  });

  test.each(["", "x", "W10", Buffer.from('[1,"a","b"]').toString("base64url")])(
    "the cursor %j is refused",
    async (cursor) => {
      await expect(reader().exchanges(all, { limit: 1, cursor })).rejects.toMatchObject({ code: "request.invalid" });
    },
  );

  test("traffic is counted by steps", async () => {
    const [first, ...rest] = await reader().traffic(all, 60);
    expect(rest).toEqual([]);
    expect(first).toEqual({
      at: "2026-01-15T12:00:00.000Z",
      requests: 30,
      denied: 2,
      failed: 1,
      inputTokens: 26 * 3 + 100,
      outputTokens: 27 * 5,
      requestBytes: 3_000,
      responseBytes: 6_000,
    });
  });

  test("errors are grouped by API and code, the most frequent first; a client that left is none", async () => {
    const found = await reader().errors(all, 10);
    expect(found.map(({ apiName, errorCode, status, count }) => [apiName, errorCode, status, count])).toEqual([
      ["chat", "limit.exceeded", 429, 2],
      ["notes", "tool_error", 200, 1],
      ["chat", "upstream.timeout", 504, 1],
    ]);
    expect(found[0]?.lastAt).toBe("2026-01-15T12:00:00.011Z");
    expect(await reader().errors(all, 1)).toHaveLength(1);
  });

  test("latency is given by API, without what was denied or broken off", async () => {
    const [chat, notes] = await reader().latency(all, 10);
    expect(chat).toMatchObject({ apiName: "chat", requests: 24, firstByteMs: { p50: null } });
    expect(chat?.durationMs.p50).toBeCloseTo(14, -1);
    expect(chat?.durationMs.p99).toBeGreaterThan(29);
    expect(notes).toMatchObject({ apiName: "notes", requests: 3, durationMs: { p50: 21 } });
  });

  test("models are listed by use, those of MCP servers not at all", async () => {
    const found = await reader().topModels(all, 10);
    expect(found.map(({ model, requests, failed, inputTokens }) => [model, requests, failed, inputTokens])).toEqual([
      ["small", 26, 1, 78],
      ["large", 1, 0, 100],
    ]);
  });

  test("tools are listed by use, with their errors and consumers", async () => {
    const found = await reader().topTools(all, 10);
    expect(found.map(({ tool: name, calls, failed, consumers }) => [name, calls, failed, consumers])).toEqual([
      ["search", 2, 1, 1],
      ["read", 1, 0, 1],
    ]);
  });

  test("a range without traffic has empty answers", async () => {
    const empty = { fromMs: 1, toMs: 2 };
    expect(await reader().exchanges(empty, { limit: 5 })).toEqual({ rows: [], next: undefined });
    for (const answer of [reader().traffic(empty, 60), reader().errors(empty, 5), reader().latency(empty, 5)]) {
      expect(await answer).toEqual([]);
    }
  });
});
