import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EventTable } from "../../../src/analytics/event-store.ts";
import type { AnalyticsEvent } from "../../../src/pipeline/event.ts";
import { createEventStore } from "../../../src/store/clickhouse/create-event-store.ts";
import { singleNode } from "../../../src/store/clickhouse/migrations/clickhouse-migration.ts";
import { clickHouseMigrations } from "../../../src/store/clickhouse/migrations/clickhouse-migrations.ts";
import { runClickHouseMigrations } from "../../../src/store/clickhouse/migrations/run-clickhouse-migrations.ts";
import type { TestEngine } from "../../kit/embedded-clickhouse.ts";
import { askEngine, describeWithEngine, startTestEngine } from "../../kit/embedded-clickhouse.ts";
import { attemptRow, exchangeRow, uuidOf } from "../../kit/event-rows.ts";
import { lineOf } from "../../kit/line-of.ts";

const { signal } = new AbortController();

describeWithEngine("events in ClickHouse", () => {
  let engine: TestEngine;
  beforeAll(() => {
    engine = startTestEngine();
  });
  afterAll(() => engine[Symbol.asyncDispose]());

  function insert(
    table: EventTable,
    token: string,
    events: readonly AnalyticsEvent[],
    over: object = {},
  ): Promise<void> {
    const rows = Buffer.from(events.map((event) => lineOf(event).replace(/"[a-z]+",/, "")).join(""));
    const batch = { table, rows, count: events.length, token, skipUnreadable: false, ...over };
    return createEventStore(engine.session).insert(batch, signal);
  }

  const one = (sql: string) => askEngine(engine.session, sql);

  test("a row keeps every column of its event, and the protocol's fields as columns", async () => {
    const event = exchangeRow(1, {
      parent_id: uuidOf(99),
      decisions: [{ policy: "regex", place: "llm_1/policies[0]", step: "request", action: "deny", mode: "monitor" }],
      fields: {
        era: "modern",
        primitive_type: "tool",
        arg_keys: ["a", "b"],
        is_error: true,
        ttl_ms: 5,
        error_type: "-32601",
      },
    });
    await insert("exchanges", "columns", [event]);
    const row = await one(`SELECT * FROM gatehouse.exchanges WHERE exchange_id = '${uuidOf(1)}'`);
    const { type: _type, fields, ts: _ts, ...columns } = event;
    for (const [name, value] of Object.entries({ ...columns, ...fields })) {
      const kept = name === "cost" ? String(row[name]) : row[name];
      const stored = name === "decisions" ? [{ code: null, detail: null, ...event.decisions[0] }] : (value ?? "");
      const nullable = value === null && row[name] === null;
      expect({ [name]: nullable ? "" : kept }).toEqual({ [name]: stored });
    }
    expect(row["ts"]).toBe("2026-01-15 12:00:00.001");
  }, 60_000);

  test("a try keeps every column", async () => {
    const event = attemptRow(2, { status: null, error_code: "upstream.timeout", model: null });
    await insert("attempts", "columns", [event]);
    const row = await one("SELECT * FROM gatehouse.attempts");
    const { type: _type, ts: _ts, ...columns } = event;
    const absent = { model: "", application_id: "", service_tier: "", price_as_of: "" };
    expect(row).toMatchObject({ ...columns, ...absent, cost: 0.000125 });
  });

  test("a token that was seen is passed over, and others on the same connection are not", async () => {
    for (const token of ["a", "a", "b", "a"]) await insert("exchanges", token, [exchangeRow(token === "a" ? 10 : 11)]);
    expect(
      await one(`SELECT count() AS n FROM gatehouse.exchanges WHERE exchange_id IN ('${uuidOf(10)}', '${uuidOf(11)}')`),
    ).toEqual({
      n: 2,
    });
  });

  test("fields of a later version are left out, and the row stays", async () => {
    const later = {
      ...exchangeRow(20),
      new_member: { deep: [1] },
      fields: { era: "modern", new_field: 3, ttl_ms: 1.5 },
    };
    await insert("exchanges", "later", [later]);
    expect(await one(`SELECT era, ttl_ms FROM gatehouse.exchanges WHERE exchange_id = '${uuidOf(20)}'`)).toEqual({
      era: "modern",
      ttl_ms: null,
    });
  });

  test("a line that cannot be read refuses its batch whole, or is left out alone", async () => {
    const events = [exchangeRow(30), { ...exchangeRow(31), ts: "soon" as unknown as number }, exchangeRow(32)];
    await expect(insert("exchanges", "unreadable", events)).rejects.toMatchObject({ code: "request.invalid" });
    const ids = [30, 31, 32].map((number) => `'${uuidOf(number)}'`).join(",");
    const count = `SELECT count() AS n FROM gatehouse.exchanges WHERE exchange_id IN (${ids})`;
    expect(await one(count)).toEqual({ n: 0 });
    await insert("exchanges", "unreadable again", events, { skipUnreadable: true });
    expect(await one(count)).toEqual({ n: 2 });
  });

  test("says which rows are there", async () => {
    await insert("attempts", "present", [attemptRow(40), attemptRow(41, { attempt: 2 })]);
    const key = (number: number, part: string) => ({ exchangeId: uuidOf(number), part, ts: attemptRow(number).ts });
    const keys = [key(40, "1"), key(40, "2"), key(41, "2"), key(42, "1"), { exchangeId: "no id", part: "1", ts: 1 }];
    const there = await createEventStore(engine.session).present("attempts", keys, signal);
    expect([...there].toSorted()).toEqual([`${uuidOf(40)}/1`, `${uuidOf(41)}/2`]);
  });

  test("a configuration is kept once under its hash", async () => {
    const store = createEventStore(engine.session);
    for (const document of ['{"first":"it\'s"}', '{"second":true}']) {
      await store.putSnapshot("d".repeat(64), document, Date.UTC(2026, 0, 1), signal);
    }
    expect(await one("SELECT document, count() OVER () AS n FROM gatehouse.config_snapshots")).toEqual({
      document: '{"first":"it\'s"}',
      n: 1,
    });
  });

  describe("migrations", () => {
    const run = (steps = clickHouseMigrations): Promise<void> =>
      engine.session.use(({ writer, database }) => runClickHouseMigrations(writer, database, steps, singleNode));

    test("run again change nothing", async () => {
      const before = await one("SELECT count() AS n FROM gatehouse.exchanges");
      await run();
      await run();
      expect(await one("SELECT count() AS n FROM gatehouse.exchanges")).toEqual(before);
      expect(await one("SELECT count() AS n, max(number) AS last FROM gatehouse.schema_migrations FINAL")).toEqual({
        n: clickHouseMigrations.length,
        last: clickHouseMigrations.length,
      });
    });

    test("are numbered from 1 without gaps", () => {
      expect(clickHouseMigrations.map(({ number }) => number)).toEqual(
        clickHouseMigrations.map((_, index) => index + 1),
      );
    });

    test("a schema of a newer version is refused", async () => {
      const next = clickHouseMigrations.length + 1;
      const step = { number: next, name: "from_tomorrow", statements: () => [] };
      await run([...clickHouseMigrations, step]);
      await expect(run()).rejects.toMatchObject({ code: "config.invalid" });
    });
  });
});
