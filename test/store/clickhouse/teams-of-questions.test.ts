import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AnalyticsReader, Selection } from "../../../src/analytics/analytics-reader.ts";
import { questions } from "../../../src/analytics/questions/index.ts";
import { createEventStore } from "../../../src/store/clickhouse/create-event-store.ts";
import { createAnalyticsReader } from "../../../src/store/clickhouse/questions/create-analytics-reader.ts";
import type { TestEngine } from "../../kit/embedded-clickhouse.ts";
import { describeWithEngine, startTestEngine } from "../../kit/embedded-clickhouse.ts";
import { attemptRow, exchangeRow, governanceRow } from "../../kit/event-rows.ts";
import { lineOf } from "../../kit/line-of.ts";

const noon = Date.UTC(2026, 0, 15, 12);
const dayMs = 86_400_000;
const all: Selection = { fromMs: noon - 40 * dayMs, toMs: noon + dayMs };

/** What each question is asked, with its own parameters; all that there is in one page. */
const asked: Readonly<Record<string, (reader: AnalyticsReader, selection: Selection) => Promise<unknown>>> = {
  exchanges: (reader, selection) => reader.exchanges(selection, { limit: 200, cursor: undefined, outcome: undefined }),
  traffic: (reader, selection) => reader.traffic(selection, 3_600),
  errors: (reader, selection) => reader.errors(selection, 200),
  latency: (reader, selection) => reader.latency(selection, 200),
  "top-models": (reader, selection) => reader.topModels(selection, 200),
  "top-tools": (reader, selection) => reader.topTools(selection, 200),
  "routing-shadow": (reader, selection) => reader.routingShadow(selection, 200),
  costs: (reader, selection) => reader.costs(selection, { groupBy: "application", granularity: "day", limit: 200 }),
  ...Object.fromEntries(
    questions.map((question) => [
      question.id,
      (reader: AnalyticsReader, selection: Selection) =>
        reader.ask(question, selection, {
          params: question.params.parse(question.id === "session-timeline" ? { session: "shared" } : {}),
          granularity: "total",
          limit: 1_000,
        }),
    ]),
  ),
};

describeWithEngine("questions of one team", () => {
  let engine: TestEngine;
  beforeAll(() => {
    engine = startTestEngine();
  });
  afterAll(() => engine[Symbol.asyncDispose]());

  /** A team's rows: calls of a tool in a session, refusals, chats that are routed, filtered and cached, tries, acts. */
  async function insertTeam(team: string, first: number): Promise<void> {
    const own = { team_id: team, api_id: `api_${team}`, api_name: `api-${team}`, application_id: `app_${team}` };
    const places = Array.from({ length: 24 }, (_, place) => place);
    const rows = places.map((place) => {
      // All of a team's calls are in few moments: ties in everything.
      const ts = noon - (place % 2) * 20 * dayMs;
      return exchangeRow(first + place, { ...own, ts, ...kinds[place % kinds.length], key_id: `key_${team}` });
    });
    const tries = places.map((place) => attemptRow(first + place, { ...own, ts: noon, key_id: `key_${team}` }));
    const acts = [governanceRow(first, { team_id: team, artifact_id: own.api_id, artifact_name: own.api_name })];
    const store = createEventStore(engine.session);
    for (const [table, lines] of [
      ["exchanges", rows.map((row) => lineOf(row))],
      ["attempts", tries.map((row) => lineOf(row))],
      ["governance_events", acts.map((row) => lineOf(row))],
    ] as const) {
      const bytes = Buffer.from(lines.map((line) => line.replace(/^\["(exchange|attempt|governance)",/, "[")).join(""));
      const batch = { table, rows: bytes, count: lines.length, token: `${team}/${table}`, skipUnreadable: false };
      await store.insert(batch, new AbortController().signal);
    }
  }

  test("are answered as if no other team had any rows, each of them", async () => {
    const reader = createAnalyticsReader(engine.session);
    const answers = async (teamIds: readonly string[] | undefined): Promise<Readonly<Record<string, unknown>>> => {
      const found: Record<string, unknown> = {};
      for (const [id, ask] of Object.entries(asked)) found[id] = await ask(reader, { ...all, teamIds });
      return found;
    };
    await insertTeam("team_1", 0);
    const alone = await answers(["team_1"]);
    const without = Object.entries(alone).filter(([, answer]) => JSON.stringify(answer).length < 60);
    expect(without.map(([id]) => id)).toEqual([]); // each has something to tell
    await insertTeam("team_2", 100);
    const beside = await answers(["team_1"]);
    expect(beside).toEqual(alone);
    expect(JSON.stringify(beside)).not.toContain("team_2");
    const others = JSON.stringify(await answers(["team_2"]));
    expect(others).not.toContain("team_1");
    expect(await answers(["team_1", "team_2"])).toEqual(await answers(undefined));
    for (const [id, answer] of Object.entries(await answers([]))) {
      expect([id, JSON.stringify(answer)]).toEqual([id, expect.not.stringContaining("team_")]);
    }
  }, 240_000);

  describe("in pages", () => {
    test.each(questions.map((question) => [question.id, question] as const))(
      "%s has each row once and in order, though all is alike",
      async (_, question) => {
        const reader = createAnalyticsReader(engine.session);
        const params = question.params.parse(question.id === "session-timeline" ? { session: "shared" } : {});
        const page = (limit: number, cursor?: string) =>
          reader.ask(question, all, { params, granularity: "total", limit, cursor });
        const { rows: whole } = await page(1_000);
        for (const limit of [1, 2, 3]) {
          const found: unknown[] = [];
          let cursor: string | undefined;
          do {
            const { rows, next } = await page(limit, cursor);
            expect(rows.length).toBeLessThanOrEqual(limit);
            found.push(...rows);
            cursor = next;
          } while (cursor !== undefined && found.length <= whole.length);
          expect(found).toEqual(whole);
        }
      },
      120_000,
    );
  });
});

const call = { method: "tools/call", primitive_type: "tool", session_id_hash: "shared", direction: "client_to_server" };
const mcp = { api_kind: "McpServer", protocol: "mcp", cost: null } as const;

const kinds: readonly Parameters<typeof exchangeRow>[1][] = [
  { ...mcp, fields: { ...call, primitive_name: "search", client_name: "inspector", client_version: "1" } },
  { ...mcp, fields: { ...call, primitive_name: "read", is_error: true, tool_error: true, error_type: "tool_error" } },
  { outcome: "denied", error_code: "limit.exceeded", http_status: 429, cost: null },
  {
    fields: {
      route_strategy: "semantic",
      route_name: "code",
      route_target: "big",
      route_reason: "matched",
      route_ms: 1,
    },
    decisions: [{ policy: "pii", place: "a/policies[0]", step: "request", action: "rewrite", mode: "enforce" }],
  },
  {
    fields: {
      shadow_strategy: "cost",
      shadow_name: "cheapest",
      shadow_target: "small",
      route_strategy: "semantic",
      route_target: "big",
    },
  },
  {
    fields: {
      filter_mode: "rank",
      tools_total: 20,
      tools_after_filter: 5,
      list_tokens_before: 100,
      list_tokens_after: 10,
      cache: "hit",
      cache_mode: "enforce",
      cache_saved_tokens: 9,
    },
  },
];
