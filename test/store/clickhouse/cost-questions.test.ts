import { afterAll, beforeAll, expect, test } from "vitest";
import type { Selection } from "../../../src/analytics/analytics-reader.ts";
import type { CostRequest } from "../../../src/analytics/cost-answers.ts";
import type { EventTable } from "../../../src/analytics/event-store.ts";
import type { AnalyticsEvent, AttemptEvent, ExchangeEvent } from "../../../src/pipeline/event.ts";
import { createEventStore } from "../../../src/store/clickhouse/create-event-store.ts";
import { createAnalyticsReader } from "../../../src/store/clickhouse/questions/create-analytics-reader.ts";
import type { TestEngine } from "../../kit/embedded-clickhouse.ts";
import { describeWithEngine, startTestEngine } from "../../kit/embedded-clickhouse.ts";
import { attemptRow, exchangeRow } from "../../kit/event-rows.ts";
import { lineOf } from "../../kit/line-of.ts";

const hour = 3_600_000;
const midnight = Date.UTC(2026, 0, 15);

const tokens = {
  input_tokens: 10,
  cached_input_tokens: 4,
  cache_write_tokens: 2,
  output_tokens: 5,
  reasoning_tokens: 1,
};
const paid = (cost: string, over: Partial<AttemptEvent> = {}): Partial<AttemptEvent> => ({ ...tokens, cost, ...over });
const nothing = {
  cost: null,
  cost_currency: null,
  cost_source: null,
  input_tokens: null,
  output_tokens: null,
} as const;
const unpriced = { cost: null, cost_currency: null, cost_source: "unknown" } as const;

/** Rows as two gateways have recorded them: on the 15th but for the last. */
const tries: readonly Partial<AttemptEvent>[] = [
  paid("0.1", { labels: { project: "apollo" } }),
  paid("0.2", { cost_source: "estimated" }),
  paid("9000000.000000001", { model: "large", provider: "azure", key_id: "key_2", application_id: "app_1" }),
  paid("9000000.000000001", { model: "large", provider: "azure", key_id: "key_2", application_id: "app_1" }),
  paid("0.7", { cost_currency: "EUR", ts: midnight + 2 * hour }),
  { ...unpriced, model: "new" },
  { ...nothing, api_id: "mcp_1", api_name: "notes", provider: "notes" },
  paid("0", { status: 503, input_tokens: null, output_tokens: null }),
  paid("5", {
    team_id: "team_2",
    api_id: "llm_2",
    api_name: "other",
    environment: "sandbox",
    ts: midnight + 25 * hour,
  }),
];

const shadow = (route: string, target: string, over: Partial<ExchangeEvent> = {}): Partial<ExchangeEvent> => ({
  ...over,
  fields: {
    route_target: route,
    shadow_strategy: "semantic",
    shadow_target: target,
    shadow_reason: "matched",
    ...(target === "small" && { shadow_cost: "0.01" }),
  },
});

const requests: readonly Partial<ExchangeEvent>[] = [
  shadow("large", "small", { cost: "0.1" }),
  shadow("large", "small", { cost: "0.2" }),
  shadow("small", "small", { cost: "0.01" }),
  shadow("large", "unpriced", { cost: "0.3" }),
  { fields: { route_target: "large", shadow_strategy: "semantic", shadow_reason: "deadline" } },
  { fields: { route_strategy: "semantic" } },
];

describeWithEngine("questions about money", () => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = startTestEngine();
    const insert = (table: EventTable, events: readonly AnalyticsEvent[], token: string) =>
      createEventStore(engine.session).insert(
        {
          table,
          rows: Buffer.from(events.map((row) => lineOf(row).replace(/^\["\w+",/, "[")).join("")),
          count: events.length,
          token,
          skipUnreadable: false,
        },
        new AbortController().signal,
      );
    const rows = tries.map((over, number) => attemptRow(number, { ts: midnight + hour, ...over }));
    await insert("attempts", rows.slice(0, 4), "one gateway");
    await insert("attempts", rows.slice(4), "another gateway");
    await insert(
      "exchanges",
      requests.map((over, number) => exchangeRow(number, over)),
      "requests",
    );
  }, 60_000);
  afterAll(() => engine[Symbol.asyncDispose]());

  const all: Selection = { fromMs: midnight, toMs: midnight + 48 * hour };
  const costs = async (request: Partial<CostRequest> = {}, selection: Partial<Selection> = {}) =>
    createAnalyticsReader(engine.session).costs(
      { ...all, ...selection },
      { groupBy: "model", granularity: "total", limit: 200, ...request },
    );
  const shown = async (...question: Parameters<typeof costs>) =>
    (await costs(...question)).rows.map(({ group, currency, cost, tries: count }) => [group, currency, cost, count]);

  test("costs are added up exactly, dearest first, each currency by itself, and what has no price has no cost", async () => {
    expect(await shown()).toEqual([
      ["large", "USD", "18000000.000000002", 2],
      ["small", "USD", "5.3", 4],
      ["small", "EUR", "0.7", 1],
      ["new", null, null, 1],
    ]);
  });

  test("a row tells what of it is estimated, how much is not known, and the tokens by kind", async () => {
    const { rows } = await costs({}, { toMs: midnight + 24 * hour });
    expect(rows[1]).toEqual({
      at: "2026-01-15T00:00:00.000Z",
      group: "small",
      name: null,
      currency: "EUR",
      cost: "0.7",
      estimated: "0",
      tries: 1,
      unknown: 0,
      inputTokens: 10,
      cachedInputTokens: 4,
      cacheWriteTokens: 2,
      outputTokens: 5,
      reasoningTokens: 1,
    });
    expect(rows[2]).toMatchObject({ currency: "USD", cost: "0.3", estimated: "0.2", tries: 3, inputTokens: 20 });
    expect(rows[3]).toMatchObject({ group: "new", unknown: 1, inputTokens: 3 });
  });

  test.each([
    [
      "team",
      [
        ["team_1", "18000000.300000002"],
        ["team_2", "5"],
      ],
    ],
    [
      "api",
      [
        ["llm_1", "18000000.300000002"],
        ["llm_2", "5"],
      ],
    ],
    [
      "application",
      [
        ["app_1", "18000000.000000002"],
        [null, "5.3"],
      ],
    ],
    [
      "key",
      [
        ["key_2", "18000000.000000002"],
        ["key_1", "5.3"],
      ],
    ],
    [
      "provider",
      [
        ["azure", "18000000.000000002"],
        ["openai-compatible", "5.3"],
      ],
    ],
  ] as const)("by %s", async (groupBy, expected) => {
    const { rows } = await costs({ groupBy });
    const dollars = rows.filter(({ currency }) => currency === "USD");
    expect(dollars.map(({ group, cost }) => [group, cost])).toEqual(expected);
  });

  test("by API have its name, by label those without it together", async () => {
    expect((await costs({ groupBy: "api" })).rows.map(({ name }) => name)).toContain("other");
    expect(await shown({ groupBy: { label: "project" } }, { toMs: midnight + 24 * hour })).toEqual([
      [null, "USD", "18000000.200000002", 4],
      [null, "EUR", "0.7", 1],
      ["apollo", "USD", "0.1", 1],
      [null, null, null, 1],
    ]);
    expect(await shown({ groupBy: { label: "' OR 1=1 --" } })).toHaveLength(3);
  });

  test.each([
    ["hour", ["2026-01-15T01:00:00.000Z", "2026-01-15T02:00:00.000Z", "2026-01-16T01:00:00.000Z"]],
    ["day", ["2026-01-15T00:00:00.000Z", "2026-01-16T00:00:00.000Z"]],
    ["week", ["2026-01-12T00:00:00.000Z"]],
    ["month", ["2026-01-01T00:00:00.000Z"]],
  ] as const)("by steps of a %s come in the order of time", async (granularity, expected) => {
    const { rows } = await costs({ granularity });
    expect([...new Set(rows.map(({ at }) => at))]).toEqual(expected);
  });

  test("are of the APIs, teams, environment and provider that are asked about", async () => {
    expect(await shown({}, { teamIds: ["team_2"] })).toEqual([["small", "USD", "5", 1]]);
    expect(await shown({}, { teamIds: [] })).toEqual([]);
    expect(await shown({}, { api: "other", environment: "sandbox" })).toEqual([["small", "USD", "5", 1]]);
    expect(await shown({ provider: "azure" })).toEqual([["large", "USD", "18000000.000000002", 2]]);
  });

  test("each group is on one page, of the range that the first page had", async () => {
    const found = [];
    let cursor: string | undefined;
    do {
      const page = await costs(
        { granularity: "day", limit: 2, cursor },
        cursor === undefined ? {} : { toMs: midnight + 1 },
      );
      expect(page.rows.length).toBeLessThanOrEqual(2);
      found.push(...page.rows);
      cursor = page.next;
    } while (cursor !== undefined);
    expect(found).toEqual((await costs({ granularity: "day" })).rows);
  });

  test.each(["", "x", "W10", Buffer.from('[1,2,3,"1); DROP","a","b"]').toString("base64url")])(
    "the cursor %j is refused",
    async (cursor) => {
      await expect(costs({ cursor })).rejects.toMatchObject({ code: "request.invalid" });
    },
  );

  test("a shadow is compared by what it chose and by the costs that are known on both sides", async () => {
    const reader = createAnalyticsReader(engine.session);
    const week = { fromMs: midnight, toMs: midnight + 7 * 24 * hour };
    expect(await reader.routingShadow(week, 10)).toEqual([
      {
        apiId: "llm_1",
        apiName: "chat",
        shadowStrategy: "semantic",
        requests: 5,
        decided: 4,
        agreed: 1,
        agreement: 0.25,
        compared: 3,
        currency: "USD",
        cost: "0.31",
        shadowCost: "0.03",
        difference: "-0.28",
        differences: [
          { target: "large", shadowTarget: "small", requests: 2, cost: "0.3", shadowCost: "0.02" },
          { target: "large", shadowTarget: "unpriced", requests: 1, cost: null, shadowCost: null },
        ],
      },
    ]);
    expect(await reader.routingShadow({ ...week, teamIds: ["team_2"] }, 10)).toEqual([]);
  });
});
