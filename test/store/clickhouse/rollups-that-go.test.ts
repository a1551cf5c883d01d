import { afterAll, beforeAll, expect, test } from "vitest";
import { createClickHouseSession } from "../../../src/store/clickhouse/clickhouse-session.ts";
import { singleNode } from "../../../src/store/clickhouse/migrations/clickhouse-migration.ts";
import { createRowPruner } from "../../../src/store/clickhouse/questions/create-row-pruner.ts";
import type { TestEngine } from "../../kit/embedded-clickhouse.ts";
import { describeWithEngine, startTestEngine } from "../../kit/embedded-clickhouse.ts";
import { expectFiguresOfRows, insertRows, partsWithoutRollups } from "./rollup-kit.ts";

const dayMs = 86_400_000;
const nowMs = Date.now();
const [year, month] = [new Date(nowMs).getUTCFullYear(), new Date(nowMs).getUTCMonth()];
/** Two months that have ended; all before the retention of 90 days ends. */
const older = { fromMs: Date.UTC(year, month - 2, 1), toMs: Date.UTC(year, month - 1, 1) };
const newer = { fromMs: Date.UTC(year, month - 1, 1), toMs: Date.UTC(year, month, 1) };
const all = { fromMs: older.fromMs - 200 * dayMs, toMs: newer.toMs };

describeWithEngine("figures of rows that go", () => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = startTestEngine();
    await insertRows(engine.session, { rows: 1_500, ...older });
    await insertRows(engine.session, { rows: 900, ...newer });
    const longAgo = { fromMs: older.fromMs - 150 * dayMs, toMs: older.fromMs - 149 * dayMs };
    await insertRows(engine.session, { rows: 600, ...longAgo });
  }, 240_000);
  afterAll(() => engine[Symbol.asyncDispose]());

  test("go with those whose days are over", { timeout: 240_000 }, async () => {
    const { session } = engine;
    await expectFiguresOfRows(session, all, 3_000);
    await using shorter = createClickHouseSession({ find: engine.find, dialect: singleNode, retentionDays: 100 });
    await shorter.use(() => Promise.resolve());
    await session.use(({ writer, database }) =>
      writer.command({ query: `OPTIMIZE TABLE ${database}.exchanges FINAL` }),
    );
    await expectFiguresOfRows(session, all, 2_400);
    expect(await partsWithoutRollups(session)).toBe(0);
  });

  test("go with the months that are pruned, and those of the month that stays are as they were", async () => {
    const { session } = engine;
    const pruner = createRowPruner(session);
    const months = (await pruner.before(newer.fromMs)).filter(({ table }) => table === "exchanges");
    expect(months.map(({ rows }) => rows)).toEqual([1_500]);
    await pruner.drop(months);
    await expectFiguresOfRows(session, all, 900);
    await expectFiguresOfRows(session, older, 0);
    await expectFiguresOfRows(session, newer, 900);
  }, 120_000);
});
