import { Readable } from "node:stream";
import { z } from "zod";
import type { ExportFormat, Selection } from "../../../analytics/analytics-reader.ts";
import type { RowTable } from "../../../analytics/event-store.ts";
import type { RowExporter } from "../../../analytics/row-exporter.ts";
import type { ClickHouseSession } from "../clickhouse-session.ts";
import { explainClickHouseFailure } from "../explain-clickhouse-failure.ts";
import {
  askClickHouse,
  exportFormatNames,
  questionSettings,
  selectionCondition,
  selectionParameters,
} from "./ask-clickhouse.ts";

/**
 * Rows as ClickHouse writes them, by their time. CSV and NDJSON are asked for in slices of so many rows, each when the one
 * before was taken, so that no more than a slice is held here or in the store. Parquet, whose end tells of all its rows, is one
 * answer of the store.
 */
export function createRowExporter(session: ClickHouseSession, sliceRows = 2_000): RowExporter {
  return {
    async rows(table, selection, format) {
      const ending = new AbortController();
      const asked = { session, table, format, signal: ending.signal };
      const slices = sliced({ ...asked, sliceRows }, selection);
      const pieces = format === "parquet" ? read(asked, selection, exportFormatNames.parquet) : slices;
      const first = await pieces.next(); // what fails at once fails here
      const rows = Readable.from(after(first, pieces), { objectMode: false, highWaterMark: 1 });
      rows.once("close", () => ending.abort());
      return rows;
    },
  };
}

interface Asked {
  readonly session: ClickHouseSession;
  readonly table: RowTable;
  readonly format: ExportFormat;
  readonly signal: AbortSignal;
}

async function* after(first: IteratorResult<Buffer>, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  if (first.done !== true) yield first.value;
  yield* rest;
}

const hourMs = 3_600_000;

async function* sliced(asked: Asked & { readonly sliceRows: number }, selection: Selection): AsyncGenerator<Buffer> {
  const name = exportFormatNames[asked.format];
  const headless = name.replace("WithNames", "");
  let isFirst = true;
  for (let fromMs = selection.fromMs; fromMs < selection.toMs; ) {
    const toMs = Math.min(selection.toMs, (Math.floor(fromMs / hourMs) + 1) * hourMs);
    const starts = await startsOf(asked, { ...selection, fromMs, toMs }, asked.sliceRows);
    for (const [place, start] of starts.entries()) {
      const slice = { ...selection, fromMs: start, toMs: starts[place + 1] ?? toMs };
      yield* read(asked, slice, isFirst ? name : headless);
      isFirst = false;
    }
    fromMs = toMs;
  }
  if (isFirst) yield* read(asked, { ...selection, fromMs: 0, toMs: 0 }, name); // the names of the columns
}

/** The times at which slices begin: rows of one millisecond stay together. */
async function startsOf(
  { session, table }: Asked,
  selection: Selection,
  sliceRows: number,
): Promise<readonly number[]> {
  const rows = await askClickHouse(session, {
    sql: `SELECT toUnixTimestamp64Milli(time) AS start FROM (
SELECT ts AS time, row_number() OVER (ORDER BY ts) AS place FROM {db}.${table} WHERE ${selectionCondition(selection, table)}
) WHERE (place - 1) % ${sliceRows} = 0 GROUP BY start ORDER BY start`,
    parameters: selectionParameters(selection),
    row: z.object({ start: z.int() }),
  });
  return rows.map(({ start }) => start);
}

/** One answer of the store, as its bytes come. */
async function* read({ session, table, signal }: Asked, selection: Selection, format: string): AsyncGenerator<Buffer> {
  const { stream } = await session.use(({ reader, database }) => {
    signal.throwIfAborted();
    return reader.exec({
      query: `SELECT * FROM ${database}.${table} WHERE ${selectionCondition(selection, table)}
ORDER BY ts, exchange_id, ${orders[table]} FORMAT ${format}`,
      query_params: { ...selectionParameters(selection) },
      abort_signal: signal,
      clickhouse_settings: {
        ...questionSettings,
        max_execution_time: 30,
        cancel_http_readonly_queries_on_client_close: 1,
        // An answer that has begun cannot fail any more: the store keeps it until it is whole.
        wait_end_of_query: 1,
      },
    });
  });
  try {
    for await (const chunk of stream) yield chunk as Buffer; // no encoding is set
  } catch (error) {
    throw explainClickHouseFailure(error);
  }
}

const orders: Readonly<Record<RowTable, string>> = { exchanges: "operation_id", attempts: "attempt" };
