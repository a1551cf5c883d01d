import { afterAll, beforeAll, expect, test } from "vitest";
import type { LiveReader } from "../../../src/analytics/live-reader.ts";
import type { ExchangeEvent } from "../../../src/pipeline/event.ts";
import { createEventStore } from "../../../src/store/clickhouse/create-event-store.ts";
import { singleNode } from "../../../src/store/clickhouse/migrations/clickhouse-migration.ts";
import { clickHouseMigrations } from "../../../src/store/clickhouse/migrations/clickhouse-migrations.ts";
import { runClickHouseMigrations } from "../../../src/store/clickhouse/migrations/run-clickhouse-migrations.ts";
import { createLiveReader } from "../../../src/store/clickhouse/questions/create-live-reader.ts";
import type { TestEngine } from "../../kit/embedded-clickhouse.ts";
import { askEngine, describeWithEngine, startTestEngine } from "../../kit/embedded-clickhouse.ts";
import { exchangeRow, uuidOf } from "../../kit/event-rows.ts";
import { eventually } from "../../kit/eventually.ts";
import { lineOf } from "../../kit/line-of.ts";

describeWithEngine("rows in the order in which they came", () => {
  let engine: TestEngine;
  let live: LiveReader;
  const nowMs = Date.now();
  const put = async (numbers: readonly number[], over: (number: number) => Partial<ExchangeEvent> = () => ({})) => {
    const lines = numbers.map((number) => lineOf(exchangeRow(number, { ts: nowMs, ...over(number) })));
    const rows = Buffer.from(lines.join("").replaceAll('"exchange",', ""));
    const block = { table: "exchanges", rows, count: numbers.length, skipUnreadable: false } as const;
    await createEventStore(engine.session).insert({ ...block, token: numbers.join() }, new AbortController().signal);
  };
  /** All rows behind a cursor, in pages of `limit`, when there are `count` of them. */
  const read = async (cursor: string, count: number, filter = {}, limit = 200) => {
    const found: string[] = [];
    let next = cursor;
    await eventually(
      `${count} rows`,
      async () => {
        const rows = await live.after(next, filter, limit);
        expect(rows.length).toBeLessThanOrEqual(limit);
        found.push(...rows.map(({ row }) => row.exchange_id));
        next = rows.at(-1)?.cursor ?? next;
        return found.length >= count;
      },
      15_000,
    );
    expect(await live.after(next, filter, limit)).toEqual([]);
    return { found, next };
  };

  beforeAll(async () => {
    engine = startTestEngine();
    live = createLiveReader(engine.session);
    await engine.session.use(async () => undefined);
  }, 120_000);
  afterAll(() => engine[Symbol.asyncDispose]());

  test("each is shown once, over pages, also one that began long before those that were shown", async () => {
    const begin = await live.now();
    await put([5, 4, 3, 2, 1]);
    const { found, next } = await read(begin, 5, {}, 2);
    expect(found.toSorted()).toEqual([1, 2, 3, 4, 5].map(uuidOf));
    await put([6], () => ({ ts: nowMs - 3_600_000 }));
    expect((await read(next, 1)).found).toEqual([uuidOf(6)]);
    expect((await read(begin, 6)).found).toEqual([...found, uuidOf(6)]);
  }, 60_000);

  test("a filter and teams narrow them", async () => {
    const begin = await live.now();
    await put([11, 12, 13], (number) => ({
      team_id: number === 11 ? "team_2" : "team_1",
      outcome: number === 12 ? "denied" : "ok",
    }));
    expect((await read(begin, 1, { teamIds: ["team_2"] })).found).toEqual([uuidOf(11)]);
    expect((await read(begin, 1, { outcome: "denied" })).found).toEqual([uuidOf(12)]);
    expect(await live.after(begin, { teamIds: [] }, 10)).toEqual([]);
  }, 60_000);

  test("each filter shows what it names and nothing else, and all of them together do", async () => {
    const begin = await live.now();
    const call = { method: "tools/call", primitive_type: "tool", primitive_name: "search" };
    const own = { client_name: "inspector", session_id_hash: "abc" };
    const kinds: readonly Partial<ExchangeEvent>[] = [
      { application_id: "app_own", key_id: "key_own", api_id: "llm_own", api_name: "own", environment: "sandbox" },
      { operation_name: "large", outcome: "failed" },
      { api_kind: "McpServer", operation_name: "search", fields: { ...call, ...own } },
      // What others have in the places of those: a prompt of the tool's name, a tool of the model's.
      { api_kind: "McpServer", fields: { ...call, primitive_type: "prompt" } },
      { api_kind: "McpServer", operation_name: "large", fields: { ...call, primitive_name: "large" } },
    ];
    await put([31, 32, 33, 34, 35], (number) => kinds[number - 31] ?? {});
    const filters: readonly (readonly [filter: object, number: number])[] = [
      [{ application: "app_own" }, 31],
      [{ key: "key_own" }, 31],
      [{ api: "llm_own" }, 31],
      [{ api: "own" }, 31],
      [{ environment: "sandbox" }, 31],
      [{ model: "large" }, 32],
      [{ outcome: "failed" }, 32],
      [{ tool: "search" }, 33],
      [{ client: "inspector" }, 33],
      [{ session: "abc" }, 33],
      [{ application: "app_own", key: "key_own", api: "own", environment: "sandbox", teamIds: ["team_1"] }, 31],
    ];
    for (const [filter, number] of filters) {
      expect([filter, (await read(begin, 1, filter)).found]).toEqual([filter, [uuidOf(number)]]);
    }
    for (const filter of [
      { api: "own", tool: "search" },
      { client: "inspector", teamIds: ["team_2"] },
      { key: "x' OR 1" },
    ])
      expect(await live.after(begin, filter, 10)).toEqual([]);
  }, 60_000);

  test("a cursor that is none is refused", async () => {
    await expect(live.after("eyJ9", {}, 1)).rejects.toMatchObject({ code: "request.invalid" });
    await expect(live.after("WzFd", {}, 1)).rejects.toMatchObject({ code: "request.invalid" });
  });

  test("rows from before the step that orders them came at the epoch", async () => {
    const steps = clickHouseMigrations.filter(({ number }) => number < 10);
    await engine.session.use(async ({ writer }) => {
      const insert = (ts: number) =>
        writer.insert({
          table: "older.exchanges",
          columns: ["ts", "fields"],
          values: [{ ts, fields: {} }],
          format: "JSONEachRow",
          clickhouse_settings: { input_format_json_defaults_for_missing_elements_in_named_tuple: 1 },
        });
      await runClickHouseMigrations(writer, "older", steps, singleNode);
      await insert(nowMs);
      await runClickHouseMigrations(writer, "older", clickHouseMigrations, singleNode);
      await insert(nowMs + 1); // two equal blocks would be taken for one
    });
    const sql = "SELECT count() AS n, countIf(toUnixTimestamp(stored_at) = 0) AS old FROM older.exchanges";
    expect(await askEngine(engine.session, sql)).toEqual({ n: 2, old: 1 });
  }, 60_000);
});
