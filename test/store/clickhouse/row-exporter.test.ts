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
  beforeAll(async () => {
    engine = startTestEngine();
    const put = (table: RowTable, lines: readonly string[]) => {
      const rows = Buffer.from(lines.join("").replaceAll(/"(exchange|attempt)",/g, ""));
      const block = { table, rows, count: lines.length, token: table, skipUnreadable: false };
      return createEventStore(engine.session).insert(block, new AbortController().signal);
    };
    const rows = [
      exchangeRow(1, { operation_name: 'with "quotes", and\nlines' }),
      exchangeRow(2, { team_id: "team_2" }),
      exchangeRow(3, { ts: hour.toMs }),
    ];
    await put(
      "exchanges",
      rows.map((row) => lineOf(row)),
    );
    await put("attempts", [lineOf(attemptRow(1))]);
  }, 120_000);
  afterAll(() => engine[Symbol.asyncDispose]());

  const lines = async (table: RowTable, more: object = {}) => {
    const stream = await createRowExporter(engine.session).rows(table, { ...hour, ...more }, "ndjson");
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
});
