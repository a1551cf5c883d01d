import { afterAll, beforeAll, expect, test } from "vitest";
import { createBlockBuffers } from "../../../src/analytics/block-buffers.ts";
import { createEventLineWriter } from "../../../src/analytics/event-line.ts";
import { insertBlock } from "../../../src/analytics/insert-block.ts";
import type { GovernanceEvent } from "../../../src/core/governance-event.ts";
import { createAdHocReader } from "../../../src/store/clickhouse/ad-hoc/create-ad-hoc-reader.ts";
import { createEventStore } from "../../../src/store/clickhouse/create-event-store.ts";
import { createRowPruner } from "../../../src/store/clickhouse/questions/create-row-pruner.ts";
import type { TestEngine } from "../../kit/embedded-clickhouse.ts";
import { askEngine, describeWithEngine, hasAnalyst, startTestEngine } from "../../kit/embedded-clickhouse.ts";
import { exchangeRow, governanceRow, uuidOf } from "../../kit/event-rows.ts";
import { lineOf } from "../../kit/line-of.ts";

const signal = new AbortController().signal;

describeWithEngine("acts of governance", () => {
  let engine: TestEngine;
  /** As the replay carries a block of the spool; `isNew` is false after a crash. */
  const carry = async (lines: string, isNew: boolean): Promise<number> => {
    const memory = Buffer.from(lines);
    const block = { segment: "000000000000001.ndjson", from: 0, to: memory.length, lines: memory };
    const buffers = createBlockBuffers(65_536);
    return insertBlock({ store: createEventStore(engine.session), block, spool: "s", isNew, buffers, signal });
  };
  const lineOfAct = (event: GovernanceEvent): string => {
    const memory = Buffer.alloc(65_536);
    return memory.toString("latin1", 0, createEventLineWriter()(event, memory, 0));
  };
  beforeAll(async () => {
    engine = startTestEngine();
    await askEngine(engine.session, "SELECT 1 AS ready"); // its schema is made with the first question
  }, 120_000);
  afterAll(() => engine[Symbol.asyncDispose]());

  test("go from the spool to a table of theirs, each once, also when a block is carried again after a crash", async () => {
    const [first, second] = [
      governanceRow(1, { act: "rule.broken", rule: 'ünsafe "\n', findings: 3, score: 87.5 }),
      governanceRow(2, { score: null }),
    ];
    const lines = lineOfAct(first) + lineOf(exchangeRow(3)) + lineOfAct(second);
    expect(await carry(lines, true)).toBe(0);
    expect(await carry(lines, true)).toBe(0);
    expect(await carry(lines, false)).toBe(0);
    const db = engine.database;
    expect(await askEngine(engine.session, `SELECT count() AS n FROM ${db}.exchanges`)).toEqual({ n: 1 });
    expect(await askEngine(engine.session, `SELECT count() AS n FROM ${db}.governance_events`)).toEqual({ n: 2 });
    const row = await askEngine(
      engine.session,
      `SELECT toUnixTimestamp64Milli(ts) AS ts, * EXCEPT ts FROM ${db}.governance_events ORDER BY event_id LIMIT 1`,
    );
    const { type: _, ...columns } = first;
    expect({ ...row, ts: Number(row["ts"]) }).toEqual(columns);
  });

  test("of which a half was lost come a second time with the lost half alone", async () => {
    await carry(lineOfAct(governanceRow(11)), true);
    await carry(lineOfAct(governanceRow(11)) + lineOfAct(governanceRow(12)), false);
    const ids = [11, 12].map((each) => `'${uuidOf(each)}'`).join(", ");
    const found = `SELECT count() AS n FROM ${engine.database}.governance_events WHERE event_id IN (${ids})`;
    expect(await askEngine(engine.session, found)).toEqual({ n: 2 });
  });

  test.skipIf(!hasAnalyst)("may be read by statements of analysts", async () => {
    await carry(lineOfAct(governanceRow(22, { policy: "read" })), true);
    const reader = createAdHocReader(engine.session);
    const { bytes } = await reader.query("SELECT act FROM governance_events WHERE policy = 'read'", "ndjson");
    expect(Buffer.from(bytes).toString("utf8")).toBe('{"act":"compliance.changed"}\n');
  });

  test("go with the months that are pruned", async () => {
    await carry(lineOfAct(governanceRow(21, { ts: Date.UTC(2026, 2, 2), policy: "old" })), true);
    const pruner = createRowPruner(engine.session);
    const months = await pruner.before(Date.UTC(2026, 4, 1));
    expect(months).toContainEqual({ table: "governance_events", month: "2026-03", rows: 1 });
    await pruner.drop(months);
    expect(await pruner.before(Date.UTC(2026, 4, 1))).toEqual([]);
  });
});
