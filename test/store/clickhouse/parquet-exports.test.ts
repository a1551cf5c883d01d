import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Selection } from "../../../src/analytics/analytics-reader.ts";
import { createRowExporter } from "../../../src/store/clickhouse/questions/create-row-exporter.ts";
import type { TestEngine } from "../../kit/embedded-clickhouse.ts";
import { describeEmbedded, startTestEngine } from "../../kit/embedded-clickhouse.ts";
import { insertRows } from "./rollup-kit.ts";

const fromMs = Date.UTC(2026, 2, 2);
const day = { fromMs, toMs: fromMs + 86_400_000 };
const rows = 4_000;

/** What is compared of a row: of each kind of column one. */
const columns = [
  "toString(ts)",
  "api_id",
  "key_id",
  "http_status",
  "toString(stream)",
  "input_tokens",
  "round(duration_ms, 3)",
  "toString(cost)",
  "toString(labels)",
  "length(decisions)",
  "jsonrpc_error_code",
].join(", ");

describeEmbedded("rows as Parquet", () => {
  let engine: TestEngine;
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "gatehouse-parquet-"));
    engine = startTestEngine();
    await insertRows(engine.session, { rows, ...day });
  }, 120_000);
  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  const exported = async (selection: Selection, sliceRows?: number): Promise<string> => {
    const path = join(directory, `${sliceRows ?? "usual"}.parquet`);
    const stream = await createRowExporter(engine.session, sliceRows).rows("exchanges", selection, "parquet");
    await writeFile(path, await buffer(stream));
    return path;
  };
  /** By the engine's own reader, which looks into files on the writer's connection only. */
  const ask = (query: string): Promise<readonly unknown[]> =>
    engine.session.use(async ({ writer }) => (await writer.query({ query, format: "JSONEachRow" })).json());

  test.each([100, 1_000, undefined])(
    "are one file with each row once, in slices of %s too",
    async (sliceRows) => {
      const path = await exported(day, sliceRows);
      const order = "ORDER BY ts, exchange_id";
      const own = await ask(`SELECT ${columns} FROM gatehouse.exchanges ${order}`);
      expect(own).toHaveLength(rows);
      expect(await ask(`SELECT ${columns} FROM file('${path}', Parquet) ${order}`)).toEqual(own);
      // Of the groups of rows those are read that may have such: by what their ends and indexes tell of them.
      const late = (from: string) =>
        ask(
          `SELECT count() AS n, sum(http_status) AS s FROM ${from} WHERE ts >= '2026-03-02 20:00:00' AND http_status > 400`,
        );
      expect(await late(`file('${path}', Parquet)`)).toEqual(await late("gatehouse.exchanges"));
      const [{ groups } = {}] = (await ask(
        `SELECT toUInt32(num_row_groups) AS groups FROM file('${path}', ParquetMetadata)`,
      )) as { groups?: number }[]; // one row of that
      expect(groups).toBeGreaterThanOrEqual(Math.max(24, Math.floor(rows / (sliceRows ?? rows))));
    },
    120_000,
  );

  test("of one team are its own", async () => {
    const path = await exported({ ...day, teamIds: ["team_1"] }, 50);
    expect(await ask(`SELECT DISTINCT team_id FROM file('${path}', Parquet)`)).toEqual([{ team_id: "team_1" }]);
  }, 120_000);
});
