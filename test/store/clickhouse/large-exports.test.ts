import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ExportFormat } from "../../../src/analytics/analytics-reader.ts";
import { systemClock } from "../../../src/kernel/clock.ts";
import { GatewayError } from "../../../src/kernel/errors.ts";
import type { ClickHouseSession } from "../../../src/store/clickhouse/clickhouse-session.ts";
import { createClickHouseSession } from "../../../src/store/clickhouse/clickhouse-session.ts";
import { createEventStore } from "../../../src/store/clickhouse/create-event-store.ts";
import type { EmbeddedClickHouse } from "../../../src/store/clickhouse/embedded/start-embedded-clickhouse.ts";
import { startEmbeddedClickHouse } from "../../../src/store/clickhouse/embedded/start-embedded-clickhouse.ts";
import { singleNode } from "../../../src/store/clickhouse/migrations/clickhouse-migration.ts";
import { createRowExporter } from "../../../src/store/clickhouse/questions/create-row-exporter.ts";
import { describeWithEngine, silentLog } from "../../kit/embedded-clickhouse.ts";
import { exchangeRow } from "../../kit/event-rows.ts";
import { lineOf } from "../../kit/line-of.ts";

const fromMs = Date.UTC(2026, 0, 15, 12);
const range = { fromMs, toMs: fromMs + 3_600_000 };
const many = 30_000;
const mebibyte = 1_048_576;

describeWithEngine("an hour with thirty thousand long rows", () => {
  let directory: string;
  let embedded: EmbeddedClickHouse;
  let session: ClickHouseSession;
  let asked = 0;
  let failAt = Number.POSITIVE_INFINITY;
  const counting: ClickHouseSession = {
    use(work) {
      asked += 1;
      if (asked >= failAt) return Promise.reject(new GatewayError("store.unavailable", "It is away."));
      return session.use(work);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const rows = (format: ExportFormat) => {
    asked = 0;
    return createRowExporter(counting).rows("exchanges", range, format);
  };
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "gatehouse-engine-"));
    const memoryBytes = 1_610_612_736; // what came in is merged meanwhile
    embedded = startEmbeddedClickHouse({ directory, memoryBytes, clock: systemClock, log: silentLog });
    session = createClickHouseSession({ find: embedded.find, dialect: singleNode });
    const store = createEventStore(session);
    const detail = "x".repeat(2_000);
    for (let from = 0; from < many; from += 2_000) {
      const lines = Array.from({ length: 2_000 }, (_, place) =>
        lineOf(exchangeRow(from + place, { ts: fromMs + (from + place) * 120, error_detail: detail })),
      );
      const rows = Buffer.from(lines.join("").replaceAll('"exchange",', ""));
      const batch = {
        table: "exchanges",
        rows,
        count: lines.length,
        token: String(from),
        skipUnreadable: false,
      } as const;
      await store.insert(batch, new AbortController().signal);
    }
  }, 120_000);
  afterAll(async () => {
    await session[Symbol.asyncDispose]();
    await embedded[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  test("is given away in memory for a few slices, each row once", async () => {
    const before = process.memoryUsage().rss;
    let [bytes, lines, most] = [0, 0, 0];
    for await (const piece of await rows("ndjson")) {
      const chunk = piece as Buffer; // it is not in object mode
      bytes += chunk.length;
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines += 1;
      most = Math.max(most, process.memoryUsage().rss - before);
    }
    expect(lines).toBe(many);
    expect(bytes).toBeGreaterThan(80 * mebibyte);
    expect(most).toBeLessThan(64 * mebibyte);
  }, 120_000);

  test("is one file of Parquet in slices too, though all of it is more than the store answers at once", async () => {
    const before = process.memoryUsage().rss;
    let most = 0;
    const pieces: Buffer[] = []; // long texts that are the same are small in Parquet
    for await (const piece of await rows("parquet")) {
      pieces.push(piece as Buffer); // it is not in object mode
      most = Math.max(most, process.memoryUsage().rss - before);
    }
    const file = Buffer.concat(pieces);
    expect([file.subarray(0, 4).toString(), file.subarray(-4).toString()]).toEqual(["PAR1", "PAR1"]);
    expect(pieces.length).toBeGreaterThan(many / 5_000);
    expect(most).toBeLessThan(96 * mebibyte);
  }, 120_000);

  test.each(["csv", "parquet"] as const)(
    "waits for its reader as %s, and asks no more when that leaves",
    async (format) => {
      const stream = await rows(format);
      const iterator = stream[Symbol.asyncIterator]();
      await iterator.next();
      const atRest = asked;
      for (let turn = 0; turn < 200; turn += 1) await nextTurn();
      expect(asked).toBeLessThanOrEqual(atRest + 1);
      await iterator.return?.();
      expect(stream.destroyed).toBe(true);
      const atEnd = asked;
      for (let turn = 0; turn < 200; turn += 1) await nextTurn();
      expect(asked).toBeLessThanOrEqual(atEnd + 1);
      expect(atEnd).toBeLessThan(10);
    },
    120_000,
  );

  test.each(["ndjson", "parquet"] as const)(
    "breaks off as %s with the store's error when that goes away",
    async (format) => {
      failAt = 5;
      const read = async (): Promise<void> => {
        for await (const _ of await rows(format)) continue;
      };
      await expect(read()).rejects.toMatchObject({ code: "store.unavailable" });
      failAt = 1;
      await expect(rows(format)).rejects.toMatchObject({ code: "store.unavailable" });
      failAt = Number.POSITIVE_INFINITY;
    },
    120_000,
  );
});
