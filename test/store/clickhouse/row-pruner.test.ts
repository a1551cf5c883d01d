import { afterAll, beforeAll, expect, test } from "vitest";
import type { EventTable } from "../../../src/analytics/event-store.ts";
import { createEventStore } from "../../../src/store/clickhouse/create-event-store.ts";
import { createRowPruner } from "../../../src/store/clickhouse/questions/create-row-pruner.ts";
import type { TestEngine } from "../../kit/embedded-clickhouse.ts";
import { askEngine, describeWithEngine, startTestEngine } from "../../kit/embedded-clickhouse.ts";
import { attemptRow, exchangeRow } from "../../kit/event-rows.ts";
import { lineOf } from "../../kit/line-of.ts";

const at = (month: number, day: number): number => Date.UTC(2026, month - 1, day, 12);

describeWithEngine("rows that are taken away", () => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = startTestEngine();
    const put = (table: EventTable, lines: readonly string[]) => {
      const rows = Buffer.from(lines.join("").replaceAll(/"(exchange|attempt)",/g, ""));
      const block = { table, rows, count: lines.length, token: table, skipUnreadable: false };
      return createEventStore(engine.session).insert(block, new AbortController().signal);
    };
    const times = [at(3, 1), at(3, 31), at(4, 15), at(5, 2)];
    await put(
      "exchanges",
      times.map((ts, number) => lineOf(exchangeRow(number, { ts }))),
    );
    await put("attempts", [lineOf(attemptRow(1, { ts: at(3, 2) }))]);
  }, 120_000);
  afterAll(() => engine[Symbol.asyncDispose]());

  const left = async () => {
    const count = await askEngine(
      engine.session,
      "SELECT (SELECT count() FROM gatehouse.exchanges) AS exchanges, (SELECT count() FROM gatehouse.attempts) AS attempts",
    );
    return count;
  };

  test("are whole months that have ended before a time, in both tables; the month of that time stays", async () => {
    const pruner = createRowPruner(engine.session);
    expect(await pruner.before(at(3, 31))).toEqual([]);
    const months = await pruner.before(at(5, 1));
    expect(months).toEqual([
      { table: "exchanges", month: "2026-03", rows: 2 },
      { table: "exchanges", month: "2026-04", rows: 1 },
      { table: "attempts", month: "2026-03", rows: 1 },
    ]);
    expect(await left()).toEqual({ exchanges: 4, attempts: 1 });
    await pruner.drop(months);
    expect(await left()).toEqual({ exchanges: 1, attempts: 0 });
    await pruner.drop(months); // somebody else was quicker
    expect(await pruner.before(at(12, 31))).toEqual([{ table: "exchanges", month: "2026-05", rows: 1 }]);
  });

  test("are named by months and by nothing else", async () => {
    const odd = { table: "exchanges", month: "2026-05' OR 1", rows: 1 } as const;
    await expect(createRowPruner(engine.session).drop([odd])).rejects.toThrow();
    expect(await left()).toMatchObject({ exchanges: 1 });
  });
});
