import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../../../src/kernel/clock.ts";
import { createAdHocReader } from "../../../../src/store/clickhouse/ad-hoc/create-ad-hoc-reader.ts";
import { createClickHouseSession } from "../../../../src/store/clickhouse/clickhouse-session.ts";
import { createEventStore } from "../../../../src/store/clickhouse/create-event-store.ts";
import { startEmbeddedClickHouse } from "../../../../src/store/clickhouse/embedded/start-embedded-clickhouse.ts";
import { singleNode } from "../../../../src/store/clickhouse/migrations/clickhouse-migration.ts";
import { describeEmbedded, silentLog } from "../../../kit/embedded-clickhouse.ts";
import { exchangeRow } from "../../../kit/event-rows.ts";
import { eventually } from "../../../kit/eventually.ts";
import { lineOf } from "../../../kit/line-of.ts";

/** One call of a function over one block of rows: hours of work, and little memory. */
const endless =
  "SELECT max(editDistance(repeat('a', 20000), concat(repeat('b', 20000), toString(number)))) FROM numbers(5000)";

describeEmbedded("a statement that the engine cannot interrupt", () => {
  test("ends with its process, which is started again: what was stored is there, and others are answered", async () => {
    const directory = mkdtempSync(join(tmpdir(), "gatehouse-stuck-"));
    await using embedded = startEmbeddedClickHouse({
      directory,
      memoryBytes: 536_870_912,
      clock: systemClock,
      log: silentLog,
      stuckAfterMs: 5_000,
    });
    await using session = createClickHouseSession({ find: embedded.find, dialect: singleNode });
    const reader = createAdHocReader(session);
    const rows = Buffer.from(lineOf(exchangeRow(1)).replace('"exchange",', ""));
    const batch = { table: "exchanges", rows, count: 1, token: "one", skipUnreadable: false } as const;
    await createEventStore(session).insert(batch, new AbortController().signal);
    await reader.query("SELECT 1", "csv"); // a quick one leaves no watch behind
    const before = embedded.state.pid;
    await expect(reader.query(endless, "csv")).rejects.toMatchObject({ code: "store.unavailable" });
    await eventually("its process has ended", () => embedded.state.restarts === 1, 30_000);
    const isThere = async () => (await embedded.find().catch(() => undefined)) !== undefined;
    await eventually("it is there again", isThere, 60_000);
    expect(embedded.state).toMatchObject({ state: "running", restarts: 1 });
    expect(embedded.state.pid).not.toBe(before);
    expect(Buffer.from((await reader.query("SELECT count() FROM exchanges", "csv")).bytes).toString()).toContain(
      "\n1\n",
    );
    rmSync(directory, { recursive: true, force: true });
  }, 120_000);
});
