import { Readable } from "node:stream";
import { z } from "zod";
import type { ExportFormat, Selection } from "../../../analytics/analytics-reader.ts";
import type { RowTable } from "../../../analytics/event-store.ts";
import type { RowExporter } from "../../../analytics/row-exporter.ts";
import { GatewayError } from "../../../kernel/errors.ts";
import type { ClickHouseSession } from "../clickhouse-session.ts";
import { explainClickHouseFailure } from "../explain-clickhouse-failure.ts";
import type { ParquetJoiner } from "../parquet/join-parquet.ts";
import { joinParquet } from "../parquet/join-parquet.ts";
import {
  askClickHouse,
  exportFormatNames,
  questionSettings,
  selectionCondition,
  selectionParameters,
} from "./ask-clickhouse.ts";

/**
 * Rows as ClickHouse writes them, by their time. They are asked for in slices of so many rows, each when the one before was
 * taken, so that no more than a slice is held here or in the store; of Parquet, whose end tells of all its rows, also where
 * those lie.
 */
export function createRowExporter(session: ClickHouseSession, sliceRows?: number): RowExporter {
  return {
    async rows(table, selection, format) {
      const ending = new AbortController();
      const asked = { session, table, format, signal: ending.signal, sliceRows: sliceRows ?? usualRows[format] };
      const pieces = format === "parquet" ? joined(asked, selection) : sliced(asked, selection);
      const first = await pieces.next(); // what fails at once fails here
      const rows = Readable.from(after(first, pieces), { objectMode: false, highWaterMark: 1 });
      rows.once("close", () => ending.abort());
      return rows;
    },
  };
}

/** Of a slice. Parquet is small in groups of many rows; what the store may answer at once, 64 MiB, is some times as many. */
const usualRows: Readonly<Record<ExportFormat, number>> = { csv: 2_000, ndjson: 2_000, parquet: 5_000 };

interface Asked {
  readonly session: ClickHouseSession;
  readonly table: RowTable;
  readonly format: ExportFormat;
  readonly signal: AbortSignal;
  readonly sliceRows: number;
}

async function* after(first: IteratorResult<Buffer>, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  if (first.done !== true) yield first.value;
  yield* rest;
}

const hourMs = 3_600_000;

async function* sliced(asked: Asked, selection: Selection): AsyncGenerator<Buffer> {
  const name = exportFormatNames[asked.format];
  const headless = name.replace("WithNames", "");
  let isFirst = true;
  for await (const slice of slicesOf(asked, selection)) {
    yield* read(asked, slice, isFirst ? name : headless);
    isFirst = false;
  }
  if (isFirst) yield* read(asked, none, name); // the names of the columns
}

/** One file of the files that slices are. */
async function* joined(asked: Asked, selection: Selection): AsyncGenerator<Buffer> {
  const joiner = joinParquet();
  let isFirst = true;
  for await (const slice of slicesOf(asked, selection)) {
    yield add(joiner, await whole(read(asked, slice, exportFormatNames.parquet)));
    isFirst = false;
  }
  if (isFirst) yield add(joiner, await whole(read(asked, none, exportFormatNames.parquet)));
  yield joiner.end();
}

function add(joiner: ParquetJoiner, file: Buffer): Buffer {
  try {
    return joiner.add(file);
  } catch (error) {
    // The columns are others when a newer version changes the tables meanwhile.
    const detail = error instanceof Error ? error.message : String(error);
    throw new GatewayError("store.unavailable", "The analytics store failed.", { detail, cause: error });
  }
}

async function whole(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(pieces));
}

/** A range without rows. */
const none: Selection = { fromMs: 0, toMs: 0 };

/** The parts of a selection that have rows, by their time. */
async function* slicesOf(asked: Asked, selection: Selection): AsyncGenerator<Selection> {
  for (let fromMs = selection.fromMs; fromMs < selection.toMs; ) {
    const toMs = Math.min(selection.toMs, (Math.floor(fromMs / hourMs) + 1) * hourMs);
    const starts = await startsOf(asked, { ...selection, fromMs, toMs });
    for (const [place, start] of starts.entries()) {
      yield { ...selection, fromMs: start, toMs: starts[place + 1] ?? toMs };
    }
    fromMs = toMs;
  }
}

/** The times at which slices begin: rows of one millisecond stay together. */
async function startsOf({ session, table, sliceRows }: Asked, selection: Selection): Promise<readonly number[]> {
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
