import { afterAll, beforeAll, expect, test } from "vitest";
import { createEventLineWriter } from "../../../src/analytics/event-line.ts";
import type { CaptureEvent } from "../../../src/pipeline/event.ts";
import { createAdHocReader } from "../../../src/store/clickhouse/ad-hoc/create-ad-hoc-reader.ts";
import { createEventStore } from "../../../src/store/clickhouse/create-event-store.ts";
import { createCaptureReader } from "../../../src/store/clickhouse/questions/create-capture-reader.ts";
import { createExchangeFinder } from "../../../src/store/clickhouse/questions/create-exchange-finder.ts";
import { createRowPruner } from "../../../src/store/clickhouse/questions/create-row-pruner.ts";
import type { TestEngine } from "../../kit/embedded-clickhouse.ts";
import { askEngine, describeWithEngine, hasAnalyst, startTestEngine } from "../../kit/embedded-clickhouse.ts";
import { exchangeRow, uuidOf } from "../../kit/event-rows.ts";
import { lineOf } from "../../kit/line-of.ts";

const signal = new AbortController().signal;
const nowMs = Date.now();
const dayMs = 86_400_000;

function captureRow(number: number, over: Partial<CaptureEvent> = {}): CaptureEvent {
  return {
    type: "capture",
    ts: nowMs,
    exchange_id: uuidOf(number),
    operation_id: uuidOf(number),
    team_id: "team_1",
    api_id: "llm_1",
    api_name: "chat",
    environment: "production",
    application_id: null,
    kept_days: 7,
    request: '[{"place":"messages[0].content","author":"user","text":"Wie heißt \\"sie\\"?"}]',
    response: "[]",
    is_cut: false,
    redactions: 1,
    ...over,
  };
}

function rowOf(event: CaptureEvent): string {
  const memory = Buffer.alloc(65_536);
  const line = memory.toString("latin1", 0, createEventLineWriter()(event, memory, 0));
  return line.replace('"capture",', "");
}

describeWithEngine("texts that were captured", () => {
  let engine: TestEngine;
  const put = async (token: string, ...events: readonly CaptureEvent[]) => {
    const rows = Buffer.from(events.map(rowOf).join(""));
    const batch = { table: "captures", rows, count: events.length, token, skipUnreadable: false } as const;
    await createEventStore(engine.session).insert(batch, signal);
  };
  beforeAll(async () => {
    engine = startTestEngine();
    const line = lineOf(exchangeRow(1, { ts: nowMs })).replace('"exchange",', "");
    const batch = {
      table: "exchanges",
      rows: Buffer.from(line),
      count: 1,
      token: "row",
      skipUnreadable: false,
    } as const;
    await createEventStore(engine.session).insert(batch, signal);
    await put("fresh", captureRow(1));
    await put("fresh", captureRow(1)); // the same block once more
    await put("old", captureRow(2, { ts: nowMs - 8 * dayMs }), captureRow(3, { ts: nowMs - 8 * dayMs, kept_days: 30 }));
  }, 120_000);
  afterAll(() => engine[Symbol.asyncDispose]());

  test("are there once, as they were, and the exchange's story mentions them", async () => {
    const found = await createCaptureReader(engine.session).find(uuidOf(1), undefined);
    expect(found).toMatchObject({
      api: { id: "llm_1", name: "chat", teamId: "team_1" },
      operations: [
        {
          operationId: uuidOf(1),
          request: [{ author: "user", text: 'Wie heißt "sie"?' }],
          response: [],
          redactions: 1,
        },
      ],
    });
    expect(found?.operations[0]?.goesAt).toBe(new Date(nowMs + 7 * dayMs).toISOString());
    expect((await createExchangeFinder(engine.session).find(uuidOf(1), undefined))?.captures).toBe(1);
    const key = { exchangeId: uuidOf(1), part: uuidOf(1), ts: nowMs };
    expect((await createEventStore(engine.session).present("captures", [key], signal)).size).toBe(1);
  });

  test("are there for their team only", async () => {
    const reader = createCaptureReader(engine.session);
    expect(await reader.find(uuidOf(1), ["team_1"])).toBeDefined();
    for (const teams of [[], ["team_2"], ["team_"], ["' OR 1 = 1 --"]])
      expect(await reader.find(uuidOf(1), teams)).toBeUndefined();
    expect(await reader.find("nothing", undefined)).toBeUndefined();
  });

  test("are shown no more when their own days are over, and the store drops them", async () => {
    const reader = createCaptureReader(engine.session);
    expect(await reader.find(uuidOf(2), undefined)).toBeUndefined();
    expect(await reader.find(uuidOf(3), undefined)).toBeDefined();
    await engine.session.use(({ writer, database }) =>
      writer.command({ query: `OPTIMIZE TABLE ${database}.captures FINAL` }),
    );
    const left = "SELECT arraySort(groupUniqArray(toString(exchange_id))) AS ids FROM gatehouse.captures";
    expect(await askEngine(engine.session, left)).toEqual({ ids: [uuidOf(1), uuidOf(3)] });
  });

  test
    .skipIf(!hasAnalyst)
    .each([
      "SELECT * FROM captures",
      "SELECT request FROM gatehouse.captures",
      "SELECT 1 FROM exchanges WHERE exchange_id IN captures",
      "SELECT * FROM exchanges AS e JOIN captures AS c ON c.exchange_id = e.exchange_id",
    ])("are no table of statements: %s", async (statement) => {
    await expect(createAdHocReader(engine.session).query(statement, "json")).rejects.toMatchObject({
      code: "request.invalid",
    });
  });

  test("go with the months that are pruned", async () => {
    await put("ancient", captureRow(4, { ts: Date.UTC(2026, 2, 2), kept_days: 400 }));
    const pruner = createRowPruner(engine.session);
    const months = await pruner.before(Date.UTC(2026, 4, 1));
    expect(months).toContainEqual({ table: "captures", month: "2026-03", rows: 1 });
    await pruner.drop(months);
    expect(await createCaptureReader(engine.session).find(uuidOf(4), undefined)).toBeUndefined();
  });
});
