import { buffer, text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RowTable } from "../../../src/analytics/event-store.ts";
import { createEventStore } from "../../../src/store/clickhouse/create-event-store.ts";
import { createRowExporter } from "../../../src/store/clickhouse/questions/create-row-exporter.ts";
import type { TestEngine } from "../../kit/embedded-clickhouse.ts";
import { describeWithEngine, startTestEngine } from "../../kit/embedded-clickhouse.ts";
import { attemptRow, exchangeRow, uuidOf } from "../../kit/event-rows.ts";
import { lineOf } from "../../kit/line-of.ts";

const fromMs = Date.UTC(2026, 0, 15, 12);
const hour = { fromMs, toMs: fromMs + 3_600_000 };

describeWithEngine("rows that are given away", () => {
  let engine: TestEngine;
  const insert = (table: RowTable, lines: readonly string[], token: string = table) => {
    const rows = Buffer.from(lines.join("").replaceAll(/"(exchange|attempt)",/g, ""));
    const block = { table, rows, count: lines.length, token, skipUnreadable: false };
    return createEventStore(engine.session).insert(block, new AbortController().signal);
  };
  beforeAll(async () => {
    engine = startTestEngine();
    const rows = [
      exchangeRow(1, { operation_name: 'with "quotes", and\nlines' }),
      exchangeRow(2, { team_id: "team_2" }),
      exchangeRow(3, { ts: hour.toMs }),
    ];
    await insert(
      "exchanges",
      rows.map((row) => lineOf(row)),
    );
    await insert("attempts", [lineOf(attemptRow(1))]);
  }, 120_000);
  afterAll(() => engine[Symbol.asyncDispose]());

  const lines = async (table: RowTable, more: object = {}, sliceRows = 5_000) => {
    const stream = await createRowExporter(engine.session, sliceRows).rows(table, { ...hour, ...more }, "ndjson");
    const rows = (await text(stream)).split("\n").filter((line) => line !== "");
    return rows.map((line) => JSON.parse(line) as Record<string, unknown>); // a row of ours, in the store's own JSON
  };

  test("are those of the range and of the teams, with all their columns", async () => {
    const rows = await lines("exchanges");
    expect(rows.map((row) => row["exchange_id"])).toEqual([uuidOf(1), uuidOf(2)]);
    expect(rows[0]).toMatchObject({ ts: "2026-01-15T12:00:00.001Z", operation_name: 'with "quotes", and\nlines' });
    expect((await lines("exchanges", { teamIds: ["team_2"] })).map((row) => row["exchange_id"])).toEqual([uuidOf(2)]);
    expect(await lines("exchanges", { teamIds: [] })).toEqual([]);
    expect(await lines("attempts", { api: "chat" })).toEqual([expect.objectContaining({ target: "openai" })]);
  });

  test("come as Parquet and as CSV too", async () => {
    const exporter = createRowExporter(engine.session);
    const parquet = await buffer(await exporter.rows("exchanges", hour, "parquet"));
    expect([parquet.subarray(0, 4).toString(), parquet.subarray(-4).toString()]).toEqual(["PAR1", "PAR1"]);
    const csv = await text(await exporter.rows("exchanges", hour, "csv"));
    expect(csv.split("\n")[0]).toMatch(/^"ts","exchange_id","operation_id",/);
  });

  test("come in slices, each once and by their time, over the hours and with many in one millisecond", async () => {
    const firstMs = hour.fromMs + 1;
    const times = [0, 0, 0, 0, 0, 7, 8, 3_599_998, 3_599_999, 3_600_000, 7_200_000, 7_200_001].map(
      (ms) => firstMs + ms,
    );
    const rows = times.map((ts, place) =>
      lineOf(exchangeRow(100 + place, { ts, api_name: "many", api_id: `llm_${place % 3}` })),
    );
    await insert("exchanges", rows, "many");
    const range = { fromMs: firstMs, toMs: firstMs + 7_200_001, api: "many" };
    for (const sliceRows of [2, 3, 5, 100]) {
      const found = await lines("exchanges", range, sliceRows);
      expect(found.map((row) => row["exchange_id"])).toEqual(times.slice(0, -1).map((_, place) => uuidOf(100 + place)));
    }
    const csv = await text(await createRowExporter(engine.session, 2).rows("exchanges", { ...hour, ...range }, "csv"));
    expect(csv.match(/"exchange_id"/g)).toHaveLength(1);
    expect(csv.match(/"many"/g)).toHaveLength(11);
  });

  test("of a range without rows are none: CSV has the names of its columns, Parquet is a file", async () => {
    const none = { fromMs: 0, toMs: 86_400_000 };
    const exporter = createRowExporter(engine.session);
    expect(await text(await exporter.rows("attempts", none, "ndjson"))).toBe("");
    expect(await text(await exporter.rows("attempts", none, "csv"))).toMatch(/^"ts","exchange_id",.*\n$/);
    expect((await buffer(await exporter.rows("attempts", none, "parquet"))).subarray(-4).toString()).toBe("PAR1");
  });
});
