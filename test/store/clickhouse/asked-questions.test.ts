// long: a table of hand-made rows, and what each question makes of them
import { afterAll, beforeAll, expect, test } from "vitest";
import type { QuestionRequest, Selection } from "../../../src/analytics/analytics-reader.ts";
import { questions } from "../../../src/analytics/questions/index.ts";
import type { AttemptEvent, ExchangeEvent } from "../../../src/pipeline/event.ts";
import { createEventStore } from "../../../src/store/clickhouse/create-event-store.ts";
import { createAnalyticsReader } from "../../../src/store/clickhouse/questions/create-analytics-reader.ts";
import type { TestEngine } from "../../kit/embedded-clickhouse.ts";
import { describeWithEngine, startTestEngine } from "../../kit/embedded-clickhouse.ts";
import { attemptRow, exchangeRow, governanceRow } from "../../kit/event-rows.ts";
import { lineOf } from "../../kit/line-of.ts";

const noon = Date.UTC(2026, 0, 15, 12); // a Thursday
const hour = 3_600_000;
const day = 24 * hour;
const all: Selection = { fromMs: noon - 10 * day, toMs: noon + day };

const mcp = { api_id: "mcp_1", api_name: "notes", api_kind: "McpServer", team_id: "team_notes", cost: null } as const;
const free = { cost: null, cost_currency: null, cost_source: null, input_tokens: null, output_tokens: null } as const;
const mcpFields = { method: "tools/call", direction: "client_to_server", era: "legacy", message_type: "request" };

/** A message of an MCP session; its fields come on top of a call of a tool. */
function message(fields: ExchangeEvent["fields"], over: Partial<ExchangeEvent> = {}): Partial<ExchangeEvent> {
  return { ...mcp, ...free, fields: { ...mcpFields, ...fields }, ...over };
}

const tool = (name: string) => ({ primitive_type: "tool", primitive_name: name });
const refused = (code: string, status: number): Partial<ExchangeEvent> => ({
  ...free,
  outcome: "denied",
  error_code: code,
  http_status: status,
});

/** Each row is one minute after the one before, from noon on. */
const exchanges: readonly Partial<ExchangeEvent>[] = [
  // Three chats of two applications: 0, 1, 2.
  { application_id: "app_1", duration_ms: 10, upstream_ms: 8, first_byte_ms: 4 },
  { application_id: "app_1", duration_ms: 20, upstream_ms: 15, first_byte_ms: 4, cost: "0.5" },
  { application_id: "app_2", duration_ms: 30, upstream_ms: null, labels: { squad: "red" }, cost: "1.25" },
  // What went wrong: 3 to 11.
  refused("limit.exceeded", 429),
  refused("auth.missing_credentials", 401),
  refused("guardrail.denied", 422),
  { ...free, outcome: "upstream_error", error_code: "upstream.timeout", http_status: 504 },
  message({ ...tool("search"), is_error: true, jsonrpc_error_code: -32_602, error_type: "-32602" }, { outcome: "ok" }),
  message({ ...tool("search"), is_error: true, tool_error: true, error_type: "tool_error" }),
  refused("request.malformed_json", 400),
  { ...free, outcome: "cancelled", error_code: "client.closed", http_status: 499 },
  message({ ...tool("search"), is_error: true, jsonrpc_error_code: -32_050, error_type: "-32050" }),
  // A session: 12 to 15.
  message({
    method: "initialize",
    session_id_hash: "s1",
    client_name: "inspector",
    client_version: "2.0",
    server_name: "notes-server",
    mcp_protocol_version: "2025-11-25",
  }),
  message(
    { ...tool("search"), session_id_hash: "s1", mcp_protocol_version: "2025-11-25", member: "wiki" },
    { key_id: "key_9" },
  ),
  message(
    { ...tool("read"), session_id_hash: "s1", mcp_protocol_version: "2025-11-25", input_round: 0 },
    { duration_ms: 7 },
  ),
  message({ method: "response", direction: "server_to_client", session_id_hash: "s2" }),
  // Choices: 16 to 21.
  {
    fields: {
      route_strategy: "semantic",
      route_name: "code",
      route_target: "big",
      route_reason: "matched",
      route_ms: 1,
    },
  },
  {
    fields: {
      route_strategy: "semantic",
      route_name: "code",
      route_target: "big",
      route_reason: "matched",
      route_ms: 3,
    },
  },
  {
    fields: {
      route_strategy: "semantic",
      route_name: "chat",
      route_target: "small",
      route_reason: "default",
      route_ms: 1,
    },
  },
  {
    input_tokens: 80,
    output_tokens: 20,
    cost: "0.1",
    fields: {
      filter_mode: "rank",
      tools_total: 200,
      tools_after_filter: 5,
      list_tokens_before: 1_000,
      list_tokens_after: 100,
      cache: "miss",
      cache_mode: "enforce",
    },
  },
  {
    input_tokens: null,
    output_tokens: null,
    cost: null,
    cost_currency: null,
    fields: {
      filter_mode: "rank (monitor)",
      tools_total: 10,
      tools_after_filter: 2,
      list_tokens_before: 50,
      list_tokens_after: 10,
    },
  },
  { ...free, fields: { cache: "hit", cache_mode: "enforce", cache_saved_tokens: 300 } },
  // Ten days before: 22.
  message({ ...tool("forgotten") }, { ts: noon - 9 * day, key_id: "key_old" }),
];

const decided: ExchangeEvent["decisions"] = [
  { policy: "pii", place: "llm_1/policies[0]", step: "request", action: "rewrite", mode: "enforce" },
  {
    policy: "regex",
    place: "llm_1/policies[1]",
    step: "request",
    action: "deny",
    mode: "monitor",
    code: "guardrail.denied",
  },
];

const attempts: readonly Partial<AttemptEvent>[] = [
  { duration_ms: 110, first_byte_ms: 10, output_tokens: 50, cost: "2" },
  { duration_ms: 210, first_byte_ms: 10, output_tokens: 100, cost: "3.5", team_id: "team_2" },
  { status: 503, error_code: "upstream.unavailable", ...free, first_byte_ms: null, target: "azure" },
  { ts: Date.UTC(2026, 0, 2), cost: "10" },
  { ts: Date.UTC(2025, 11, 31), cost: "99" },
];

describeWithEngine("questions in files of their own", () => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = startTestEngine();
    const rows = exchanges.map((over, number) =>
      exchangeRow(number, { ts: noon + number * 60_000, decisions: number === 0 ? decided : [], ...over }),
    );
    const tries = attempts.map((over, number) => attemptRow(number, over));
    const store = createEventStore(engine.session);
    for (const [table, lines] of [
      ["exchanges", rows.map((row) => lineOf(row))],
      ["attempts", tries.map((row) => lineOf(row))],
      ["governance_events", [lineOf(governanceRow(1))]],
    ] as const) {
      const bytes = Buffer.from(lines.map((line) => line.replace(/^\["(exchange|attempt|governance)",/, "[")).join(""));
      const batch = { table, rows: bytes, count: lines.length, token: table, skipUnreadable: false } as const;
      await store.insert(batch, new AbortController().signal);
    }
  }, 120_000);
  afterAll(() => engine[Symbol.asyncDispose]());

  const base: QuestionRequest = { params: {}, granularity: "total", limit: 1_000 };
  async function ask(id: string, selection: Partial<Selection> = {}, request: Partial<QuestionRequest> = {}) {
    const question = questions.find((each) => each.id === id);
    if (question === undefined) throw new Error(`there is no question ${id}`);
    const params = question.params.parse(request.params ?? {});
    return createAnalyticsReader(engine.session).ask(
      question,
      { ...all, ...selection },
      { ...base, ...request, params },
    );
  }

  test.each(questions.map((question) => [question.id, question] as const))(
    "%s is answered for teams, each filter and each format, and of nobody's rows with nothing",
    async (_id, question) => {
      const reader = createAnalyticsReader(engine.session);
      const required = question.id === "session-timeline" ? { session: "s1" } : {};
      const request = { ...base, params: question.params.parse(required) };
      const filters = {
        application: "x",
        key: "x",
        model: "x",
        tool: "x",
        client: "x",
        session: "x",
        environment: "sandbox",
      };
      for (const [name, value] of Object.entries(filters)) {
        await reader.ask(question, { ...all, [name]: value }, request);
      }
      expect((await reader.ask(question, { ...all, teamIds: [] }, request)).rows).toEqual([]);
      expect((await reader.ask(question, { ...all, api: "' OR 1 = 1 --" }, request)).rows).toEqual([]);
      const csv = Buffer.from(await reader.askAs("csv", question, all, request)).toString("utf8");
      expect(csv.split("\n")[0]?.replaceAll('"', "").split(",")).toEqual(Object.keys(question.row.shape));
      const { rows } = await reader.ask(question, all, request);
      expect(rows.length).toBeGreaterThan(0);
      expect(csv.trim().split("\n").length).toBeGreaterThan(rows.length);
      const parquet = Buffer.from(await reader.askAs("parquet", question, all, request));
      expect(parquet.subarray(0, 4).toString("latin1")).toBe("PAR1");
    },
  );

  test("errors are told apart by kind; what a client broke off is none", async () => {
    const { rows } = await ask("error-kinds");
    const counts = Object.fromEntries(rows.map(({ kind, count }) => [kind, count]));
    expect(counts).toEqual({
      throttled: 1,
      auth: 1,
      guardrail: 1,
      upstream: 1,
      invalid_params: 1,
      tool_error: 1,
      parse: 1,
      server: 1,
    });
    const { rows: steps } = await ask("error-kinds", { api: "notes" }, { granularity: "hour" });
    expect(steps.map(({ at, kind, count }) => [at, kind, count])).toEqual([
      ["2026-01-15T12:00:00.000Z", "invalid_params", 1],
      ["2026-01-15T12:00:00.000Z", "server", 1],
      ["2026-01-15T12:00:00.000Z", "tool_error", 1],
    ]);
  });

  test("latency is split into the gateway's part and the upstream's", async () => {
    const { rows } = await ask("latency-steps", { toMs: noon + 3 * 60_000, fromMs: noon });
    // Gateways' parts are 2, 5 and 30: without an upstream all of it is its own.
    expect(rows).toMatchObject([
      { requests: 3, totalP50: 20, gatewayP50: 5, upstreamP50: expect.any(Number), firstByteP50: 4 },
    ]);
    const { rows: minutes } = await ask(
      "latency-steps",
      { toMs: noon + 3 * 60_000, fromMs: noon },
      { granularity: "minute" },
    );
    expect(minutes.map(({ at, totalP99, gatewayP99 }) => [at, totalP99, gatewayP99])).toEqual([
      ["2026-01-15T12:00:00.000Z", 10, 2],
      ["2026-01-15T12:01:00.000Z", 20, 5],
      ["2026-01-15T12:02:00.000Z", 30, 30],
    ]);
  });

  test("consumers, sessions and clients are counted once each", async () => {
    const { rows } = await ask("audience", { fromMs: noon });
    // Applications app_1 and app_2, and the keys key_1 and key_9 of what has none.
    expect(rows).toMatchObject([
      { requests: 22, toolCalls: 5, consumers: 4, sessions: 2, clients: 1, errors: 8, errorShare: 0.3636 },
    ]);
    const days = await ask("audience", {}, { granularity: "day" });
    expect(days.rows.map(({ at, requests }) => [at, requests])).toEqual([
      ["2026-01-06T00:00:00.000Z", 1],
      ["2026-01-15T00:00:00.000Z", 22],
    ]);
  });

  test("consumers are listed by whatever they are known by, money by currency", async () => {
    const { rows } = await ask("top-consumers", { fromMs: noon, api: "chat" });
    expect(
      rows
        .filter(({ consumer }) => consumer !== null)
        .map(({ consumer, requests, cost }) => [consumer, requests, cost]),
    ).toEqual([
      ["app_1", 2, "0.500125"],
      ["app_2", 1, "1.25"],
    ]);
    const labels = await ask("top-consumers", { fromMs: noon }, { params: { by: "label:squad" } });
    expect(labels.rows).toContainEqual(expect.objectContaining({ consumer: "red", requests: 1, cost: "1.25" }));
    const keys = await ask("top-consumers", { fromMs: noon, tool: "search" }, { params: { by: "key" } });
    expect(keys.rows.map(({ consumer, toolCalls, errors }) => [consumer, toolCalls, errors])).toEqual([
      ["key_1", 3, 3],
      ["key_9", 1, 0],
    ]);
    await expect(ask("top-consumers", {}, { params: { by: "secret" } })).rejects.toThrow();
  });

  test("a session has what its handshake told, and its messages in their order", async () => {
    const { rows } = await ask("sessions");
    expect(rows.map(({ session }) => session)).toEqual(["s2", "s1"]);
    expect(rows[1]).toMatchObject({
      clientName: "inspector",
      clientVersion: "2.0",
      serverName: "notes-server",
      protocolVersion: "2025-11-25",
      firstAt: "2026-01-15T12:12:00.000Z",
      lastAt: "2026-01-15T12:14:00.000Z",
      messages: 3,
      toolCalls: 2,
      tools: 2,
      errors: 0,
    });
    const timeline = await ask("session-timeline", {}, { params: { session: "s1" } });
    expect(
      timeline.rows.map(({ method, name, durationMs, inputRound }) => [method, name, durationMs, inputRound]),
    ).toEqual([
      ["initialize", null, 10, null],
      ["tools/call", "search", 10, null],
      ["tools/call", "read", 7, 0],
    ]);
  });

  test("the week is told by day and hour, of the time zone that is asked for", async () => {
    const { rows } = await ask("heat-map");
    expect(rows.map(({ day: weekday, hour: at, requests }) => [weekday, at, requests])).toEqual([
      [2, 12, 1],
      [4, 12, 22],
    ]);
    const tokyo = await ask("heat-map", { fromMs: noon }, { params: { timeZone: "Asia/Tokyo" } });
    expect(tokyo.rows).toMatchObject([{ day: 4, hour: 21, requests: 22, errors: 8 }]);
    await expect(ask("heat-map", {}, { params: { timeZone: "Mars/Olympus" } })).rejects.toThrow("IANA");
  });

  test("clients and servers are listed as they name themselves", async () => {
    const { rows } = await ask("clients", { fromMs: noon });
    expect(rows).toContainEqual(
      expect.objectContaining({
        name: "inspector",
        version: "2.0",
        protocolVersion: "2025-11-25",
        requests: 1,
        sessions: 1,
      }),
    );
    const servers = await ask("servers", { fromMs: noon });
    expect(
      servers.rows.map(({ apiName, member, serverName, requests }) => [apiName, member, serverName, requests]),
    ).toEqual([
      ["notes", null, null, 5],
      ["notes", "wiki", null, 1],
      ["notes", null, "notes-server", 1],
    ]);
  });

  test("what the filter and the cache save is told in tokens and money, and what only monitors saves nothing", async () => {
    // 900 tokens are left out; 0.1 for 100 tokens is 0.001 for each.
    const filter = await ask("tool-filter-savings");
    expect(filter.rows).toMatchObject([
      { requests: 1, tools: 200, toolsKept: 5, tokens: 1_000, tokensSaved: 900, currency: "USD", saved: "0.9" },
      { requests: 1, tools: 10, toolsKept: 2, tokensSaved: 0, currency: null, saved: null },
    ]);
    const cache = await ask("cache-savings");
    expect(cache.rows).toMatchObject([
      { hits: 1, misses: 1, bypassed: 0, hitShare: 0.5, tokensSaved: 300, currency: "USD", saved: "0.3" },
    ]);
  });

  test("routes have their shares of what was routed", async () => {
    const { rows } = await ask("routing-shares");
    expect(rows.map(({ route, target, requests, share }) => [route, target, requests, share])).toEqual([
      ["code", "big", 2, 0.6667],
      ["chat", "small", 1, 0.3333],
    ]);
  });

  test("decisions of guardrails are counted, with what only monitors", async () => {
    const { rows } = await ask("guardrail-hits");
    expect(rows.map(({ policy, action, mode, code, count }) => [policy, action, mode, code, count])).toEqual([
      ["pii", "rewrite", "enforce", null, 1],
      ["regex", "deny", "monitor", "guardrail.denied", 1],
    ]);
  });

  test("tries are told by provider, with tokens a second after the first byte", async () => {
    const { rows } = await ask("providers", { fromMs: noon });
    // 150 tokens in 100 + 200 ms.
    expect(rows).toMatchObject([
      { target: "openai", tries: 2, failed: 0, tokensPerSecond: 500, outputTokens: 150, cost: "5.5" },
      { target: "azure", tries: 1, failed: 1, tokensPerSecond: null, cost: null },
    ]);
  });

  test("what was used before and not of late is told", async () => {
    const { rows } = await ask("unused");
    expect(rows.map(({ name, uses, lastAt }) => [name, uses, lastAt])).toEqual(
      [["forgotten", 1, "2026-01-06T12:22:00.000Z"]].map(([name, uses]) => [name, uses, "2026-01-06T12:00:00.000Z"]),
    );
    expect((await ask("unused", {}, { params: { of: "key" } })).rows).toMatchObject([{ name: "key_old" }]);
    expect((await ask("unused", {}, { params: { days: 30 } })).rows).toEqual([]);
  });

  test("what a month will cost is forecast from its last seven days", async () => {
    const toMs = Date.UTC(2026, 0, 17); // fifteen days of the month are left
    const { rows } = await ask("spend-forecast", { fromMs: Date.UTC(2025, 11, 1), toMs });
    // team_1: 10 and 2 in January, 2 in the last week; team_2: 3.5.
    expect(
      rows.map(({ consumer, spent, perDay, forecast }) => [consumer, Number(spent), Number(perDay), Number(forecast)]),
    ).toEqual([
      ["team_1", 12, expect.closeTo(2 / 7, 6), expect.closeTo(12 + (2 / 7) * 15, 6)],
      ["team_2", 3.5, expect.closeTo(0.5, 6), expect.closeTo(3.5 + 7.5, 6)],
    ]);
  });

  test("pages have each row once, and a cursor of another list is refused", async () => {
    const found: unknown[] = [];
    let cursor: string | undefined;
    do {
      const page = await ask("session-timeline", {}, { limit: 2, cursor, params: { session: "s1" } });
      found.push(...page.rows.map(({ operationId }) => operationId));
      cursor = page.next;
    } while (cursor !== undefined);
    expect(new Set(found).size).toBe(3);
    for (const bad of ["x", "W10", Buffer.from("[1,2,-1]").toString("base64url")]) {
      await expect(ask("sessions", {}, { cursor: bad })).rejects.toMatchObject({ code: "request.invalid" });
    }
  });
});
