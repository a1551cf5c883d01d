import { afterAll, beforeAll, expect, test } from "vitest";
import type { QuestionRequest, Selection } from "../../../src/analytics/analytics-reader.ts";
import { createEventLineWriter } from "../../../src/analytics/event-line.ts";
import { governanceTrend } from "../../../src/analytics/questions/governance-trend.ts";
import type { GovernanceEvent } from "../../../src/core/governance-event.ts";
import { createEventStore } from "../../../src/store/clickhouse/create-event-store.ts";
import { createAnalyticsReader } from "../../../src/store/clickhouse/questions/create-analytics-reader.ts";
import type { TestEngine } from "../../kit/embedded-clickhouse.ts";
import { describeWithEngine, startTestEngine } from "../../kit/embedded-clickhouse.ts";
import { governanceRow } from "../../kit/event-rows.ts";

const hour = 3_600_000;
const day = 24 * hour;
const start = Date.UTC(2026, 0, 10); // a Saturday
const chat = { artifact_id: "llm_1", artifact_name: "chat", artifact_kind: "LlmApi", team_id: "team_1" } as const;
const code = { ...chat, artifact_id: "llm_2", artifact_name: "code" } as const;
const files = { artifact_id: "mcp_1", artifact_name: "files", artifact_kind: "McpServer", team_id: "team_2" } as const;
const bad = (score: number, findings: number) => ({ to_status: "NON_COMPLIANT", score, findings }) as const;

const acts: readonly Partial<GovernanceEvent>[] = [
  // chat was found good long before, and stays so until noon of the second day.
  { ...chat, ts: start - 30 * day },
  { ...chat, ts: start + day + 12 * hour, ...bad(60, 4) },
  // Acts of other kinds have no say, and neither has a note of the same moment as a change.
  { ...chat, ts: start + day + 13 * hour, act: "rule.broken", to_status: "", score: null },
  { ...chat, ts: start + day + 12 * hour, act: "compliance.seen" },
  // code comes on the first day, and is gone on the third.
  { ...code, ts: start + 6 * hour, ...bad(20, 8) },
  { ...code, ts: start + 2 * day + hour, act: "artifact.removed", to_status: "", score: null },
  // No rule is for files from the third day on; the note of midnight is the last word before.
  { ...files, ts: start + day, act: "compliance.seen", to_status: "COMPLIANT", score: 90 },
  { ...files, ts: start + 2 * day + 1, to_status: "NOT_APPLICABLE", score: null },
  // What was said 41 days before the range is too old to be believed.
  { ...chat, ts: start - 41 * day, artifact_id: "llm_old", artifact_name: "old" },
];

describeWithEngine("compliance over time", () => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = startTestEngine();
    const write = createEventLineWriter();
    const memory = Buffer.alloc(4_096);
    const lines = acts.map((over, number) =>
      memory.toString("latin1", 0, write(governanceRow(number, over), memory, 0)).replace('"governance",', ""),
    );
    const batch = { rows: Buffer.from(lines.join("")), count: acts.length, token: "acts", skipUnreadable: false };
    await createEventStore(engine.session).insert(
      { table: "governance_events", ...batch },
      new AbortController().signal,
    );
  }, 120_000);
  afterAll(() => engine[Symbol.asyncDispose]());

  const base: QuestionRequest = { params: {}, granularity: "total", limit: 10_000 };
  async function ask(params: object, selection: Partial<Selection> = {}) {
    const asked = { fromMs: start, toMs: start + 3 * day, ...selection };
    const request = { ...base, params: governanceTrend.params.parse(params) };
    const { rows } = await createAnalyticsReader(engine.session).ask(governanceTrend, asked, request);
    return rows.map(({ at, kind, name, artifacts, compliant, nonCompliant, findings, score }) =>
      [String(at).slice(5, 13), kind, name, artifacts, compliant, nonCompliant, findings, score].join(" "),
    );
  }

  test("is counted by kind at the end of each day, with what did not change and without what is gone", async () => {
    expect(await ask({})).toEqual([
      "01-10T00 LlmApi  2 1 1 8 60", // 100 and 20
      "01-11T00 LlmApi  2 0 2 12 40", // 60 and 20
      "01-11T00 McpServer  1 1 0 0 90",
      "01-12T00 LlmApi  1 0 1 4 60",
    ]);
  });

  test("is told of each resource by the hour, the last step as of the end of the range", async () => {
    const fromMs = start + day + 11 * hour + 30 * 60_000;
    expect(await ask({ by: "hour", per: "artifact" }, { fromMs, toMs: fromMs + hour, api: "chat" })).toEqual([
      "01-11T11 LlmApi chat 1 1 0 0 100",
      "01-11T12 LlmApi chat 1 0 1 4 60",
    ]);
    const before = { fromMs: start + day + 12 * hour - 1, toMs: start + day + 12 * hour, api: "llm_1" };
    expect(await ask({ by: "hour", per: "artifact" }, before)).toEqual(["01-11T11 LlmApi chat 1 1 0 0 100"]);
  });

  test("goes by weeks that begin on Monday, and by months", async () => {
    expect(await ask({ by: "week" }, { api: "code" })).toEqual(["01-05T00 LlmApi  1 0 1 8 20"]);
    expect(await ask({ by: "month" }, { fromMs: Date.UTC(2025, 11, 1), api: "chat" })).toEqual([
      "12-01T00 LlmApi  1 1 0 0 100",
      "01-01T00 LlmApi  1 0 1 4 60",
    ]);
  });

  test("is for a team that of its resources, and for nobody nothing", async () => {
    expect(await ask({}, { teamIds: ["team_2"] })).toEqual(["01-11T00 McpServer  1 1 0 0 90"]);
    expect(await ask({}, { teamIds: [] })).toEqual([]);
    expect(await ask({}, { api: "' OR 1 = 1 --" })).toEqual([]);
  });
});
