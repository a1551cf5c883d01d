import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { insertExchanges } from "../../../bench/questions/synthetic-rows.ts";
import type { AnalyticsReader, Selection } from "../../../src/analytics/analytics-reader.ts";
import type { Latency } from "../../../src/analytics/answers.ts";
import { createBlockBuffers } from "../../../src/analytics/block-buffers.ts";
import { insertBlock } from "../../../src/analytics/insert-block.ts";
import type { ClickHouseClients, ClickHouseSession } from "../../../src/store/clickhouse/clickhouse-session.ts";
import { createEventStore } from "../../../src/store/clickhouse/create-event-store.ts";
import { createAnalyticsReader } from "../../../src/store/clickhouse/questions/create-analytics-reader.ts";
import type { TestEngine } from "../../kit/embedded-clickhouse.ts";
import { askEngine, describeWithEngine, startTestEngine } from "../../kit/embedded-clickhouse.ts";
import { exchangeRow } from "../../kit/event-rows.ts";
import { lineOf } from "../../kit/line-of.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const begin = Date.UTC(2026, 2, 2);
const rows = 6_000;

/** Ends in the middle of hours and days, on them, within one hour, and on the border of a month. */
const ranges: readonly (readonly [name: string, fromMs: number, toMs: number])[] = [
  ["ragged ends", begin + 1_234_567, begin + 3 * dayMs + 5_000_001],
  ["whole days", begin, begin + 2 * dayMs],
  ["whole hours", begin + 5 * hourMs, begin + 9 * hourMs],
  ["one end of an hour", begin + dayMs, begin + 2 * dayMs + 1],
  ["less than an hour", begin + 100_000, begin + 3_000_000],
  ["more than there is", begin - 40 * dayMs, begin + 40 * dayMs],
];
const scopes: readonly Partial<Selection>[] = [
  {},
  { api: "mcp_12" },
  { api: "api-0", environment: "production" },
  { teamIds: ["team_1", "team_3"] },
  { tool: "tool-1" },
];

describeWithEngine("rollups", () => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = startTestEngine();
    const set = { seed: 7, rows, fromMs: begin, toMs: begin + 4 * dayMs };
    for (let first = 0; first < rows; first += rows / 2) {
      const query = insertExchanges(engine.database, set, { first, count: rows / 2 });
      await engine.session.use(({ writer }) => writer.command({ query }));
    }
  }, 240_000);
  afterAll(() => engine[Symbol.asyncDispose]());

  const byRows = (): AnalyticsReader =>
    createAnalyticsReader(
      changed(engine.session, (asked) => ({
        ...asked,
        clickhouse_settings: { ...asked.clickhouse_settings, optimize_use_projections: 0 },
      })),
    );
  const byRollups = (): AnalyticsReader => createAnalyticsReader(engine.session);

  describe.each(ranges)("over %s", (_, fromMs, toMs) => {
    test("traffic, errors and times are those that the rows themselves tell", { timeout: 120_000 }, async () => {
      for (const scope of scopes) {
        const selection = { fromMs, toMs, ...scope };
        for (const step of [900, 3_600, 86_400]) {
          expect(await byRollups().traffic(selection, step)).toEqual(await byRows().traffic(selection, step));
        }
        const requests = (await byRollups().traffic(selection, 86_400)).reduce((sum, each) => sum + each.requests, 0);
        expect(requests).toBe(await counted(selection));
        expect(await byRollups().errors(selection, 500)).toEqual(await byRows().errors(selection, 500));
        await expectSameTimes(selection);
      }
    });
  });

  /** One count, written another way than the product's questions. */
  async function counted({ fromMs, toMs, api, environment, teamIds, tool }: Selection): Promise<number> {
    const conditions = [
      `toUnixTimestamp64Milli(ts) BETWEEN ${fromMs} AND ${toMs - 1}`,
      ...(api === undefined ? [] : [`'${api}' IN (api_id, api_name)`]),
      ...(environment === undefined ? [] : [`environment = '${environment}'`]),
      ...(teamIds === undefined ? [] : [`team_id IN (${teamIds.map((id) => `'${id}'`).join(", ")})`]),
      ...(tool === undefined ? [] : [`primitive_type = 'tool' AND primitive_name = '${tool}'`]),
    ];
    const sql = `SELECT count() AS n FROM ${engine.database}.exchanges WHERE ${conditions.join(" AND ")}`;
    return Number((await askEngine(engine.session, sql))["n"]);
  }

  async function expectSameTimes(selection: Selection): Promise<void> {
    const [found, exact] = [await byRollups().latency(selection, 100), await byRows().latency(selection, 100)];
    expect(found.map(({ apiId, requests }) => [apiId, requests])).toEqual(
      exact.map(({ apiId, requests }) => [apiId, requests]),
    );
    expect(found.flatMap(timesOf).map(({ name, ms }) => [name, ms === null])).toEqual(
      exact.flatMap(timesOf).map(({ name, ms }) => [name, ms === null]),
    );
    const exactMs = exact.flatMap(timesOf).map(({ ms }) => ms ?? 1);
    const shares = found.flatMap(timesOf).map(({ ms }, place) => (ms ?? 1) / (exactMs[place] ?? 1));
    // Digests of days that are put together are as good as one of all: within three in a hundred.
    expect(shares.filter((share) => share < 0.97 || share > 1.03)).toEqual([]);
  }

  test.each([
    ["traffic", "counts_by_hour", (reader: AnalyticsReader, asked: Selection) => reader.traffic(asked, 86_400)],
    ["errors", "counts_by_hour", (reader: AnalyticsReader, asked: Selection) => reader.errors(asked, 20)],
    ["latency", "times_by_day", (reader: AnalyticsReader, asked: Selection) => reader.latency(asked, 20)],
  ] as const)("%s reads the rollup %s, and rows of the ends of the range only", async (_, rollup, ask) => {
    const lines: string[] = [];
    const explaining = changed(
      engine.session,
      (asked) => asked,
      (line) => lines.push(line),
    );
    const selection = { fromMs: begin + 1_234_567, toMs: begin + 3 * dayMs + 5_000_001, teamIds: ["team_1"] };
    await ask(createAnalyticsReader(explaining), selection);
    const plan = lines.join("\n");
    expect(plan.match(/ReadFromMergeTree \((\S+)\)/g)?.toSorted()).toEqual(
      [rollup, `${engine.database}.exchanges`, `${engine.database}.exchanges`]
        .map((table) => `ReadFromMergeTree (${table})`)
        .toSorted(),
    );
    for (const read of plan.split(`ReadFromMergeTree (${engine.database}.exchanges)`).slice(1)) {
      expect(read).toMatch(/PrimaryKey[^:]*Keys:[\s\S]*?Condition: .*\bts\b.* in /);
    }
  });

  test("a block that is carried again, as new or after a crash, counts once, and so does its lost half", async () => {
    const at = Date.UTC(2026, 5, 1);
    const lines = [0, 1, 2].map((hour) => lineOf(exchangeRow(hour, { ts: at + hour * hourMs })));
    const carry = async (some: readonly string[], isNew: boolean): Promise<void> => {
      const memory = Buffer.from(some.join(""));
      const block = { segment: "000000000000001.ndjson", from: 0, to: memory.length, lines: memory };
      const store = createEventStore(engine.session);
      const buffers = createBlockBuffers(65_536);
      await insertBlock({ store, block, spool: "s", isNew, buffers, signal: new AbortController().signal });
    };
    await carry(lines.slice(0, 2), true);
    await carry(lines.slice(0, 2), true);
    await carry(lines, false);
    await carry(lines, false);
    const found = await byRollups().traffic({ fromMs: at, toMs: at + dayMs }, 3_600);
    expect(found.map(({ requests, inputTokens }) => [requests, inputTokens])).toEqual([
      [1, 3],
      [1, 3],
      [1, 3],
    ]);
  });
});

type Client = ClickHouseClients["reader"];
type Query = Parameters<Client["query"]>[0];

/** The percentiles of a row, each with its name. */
function timesOf({ apiId, durationMs, upstreamMs, firstByteMs }: Latency) {
  return Object.entries({ durationMs, upstreamMs, firstByteMs }).flatMap(([part, levels]) =>
    Object.entries(levels).map(([level, ms]) => ({ name: `${apiId} ${part} ${level}`, ms })),
  );
}

/** The session with its questions changed; the plan of each is told before. */
function changed(
  session: ClickHouseSession,
  change: (asked: Query) => Query,
  onPlan?: (line: string) => void,
): ClickHouseSession {
  const query = async (reader: Client, asked: Query) => {
    if (onPlan !== undefined) {
      const explain = `SELECT explain FROM (EXPLAIN indexes = 1, projections = 1 ${asked.query})`;
      const plan = await reader.query({ ...asked, query: explain, format: "JSONEachRow" });
      for (const { explain: line } of await plan.json<{ explain: string }>()) onPlan(line);
    }
    return reader.query({ ...change(asked), format: "JSONEachRow" });
  };
  return {
    ...session,
    use: (work) =>
      session.use((clients) => {
        const reader = new Proxy(clients.reader, {
          get: (target, name): unknown => {
            if (name === "query") return (asked: Query) => query(target, asked);
            return Reflect.get(target, name);
          },
        });
        return work({ ...clients, reader });
      }),
  };
}
