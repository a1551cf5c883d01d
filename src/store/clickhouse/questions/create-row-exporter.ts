import { Readable } from "node:stream";
import type { RowTable } from "../../../analytics/event-store.ts";
import type { RowExporter } from "../../../analytics/row-exporter.ts";
import type { ClickHouseSession } from "../clickhouse-session.ts";
import { exportFormatNames, questionSettings, selectionCondition, selectionParameters } from "./ask-clickhouse.ts";

/** Rows as ClickHouse writes them, in the order in which they lie: nothing is sorted, and no row is held here. */
export function createRowExporter(session: ClickHouseSession): RowExporter {
  return {
    rows: (table, selection, format) =>
      session.use(async ({ reader, database }) => {
        const { stream } = await reader.exec({
          query: `SELECT * FROM ${database}.${table} WHERE ${selectionCondition(selection, table)}
ORDER BY ${orders[table]} FORMAT ${exportFormatNames[format]}`,
          query_params: { ...selectionParameters(selection) },
          clickhouse_settings: {
            ...questionSettings,
            max_execution_time: 30,
            // An answer that has begun cannot fail any more: the store keeps it on its disk until it is whole.
            wait_end_of_query: 1,
          },
        });
        return Readable.from(stream, { objectMode: false });
      }),
  };
}

/** The tables' own orders. */
const orders: Readonly<Record<RowTable, string>> = {
  exchanges: "toStartOfHour(ts), api_id, ts",
  attempts: "toStartOfHour(ts), provider, ts",
};
