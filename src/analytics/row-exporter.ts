import type { Readable } from "node:stream";
import type { ExportFormat, Selection } from "./analytics-reader.ts";
import type { RowTable } from "./event-store.ts";

/** Gives away recorded rows as they are, all columns of them. */
export interface RowExporter {
  /**
   * The rows of a table within a selection, by their time. The store is asked for what comes next when the bytes before were
   * taken; destroying the stream ends that. What fails at once fails here, `store.unavailable`; what fails in the middle is
   * the stream's error, and it does not end as if it were whole.
   */
  rows(table: RowTable, selection: Selection, format: ExportFormat): Promise<Readable>;
}
