import type { Readable } from "node:stream";
import type { ExportFormat, Selection } from "./analytics-reader.ts";
import type { RowTable } from "./event-store.ts";

/** Gives away recorded rows as they are, all columns of them. */
export interface RowExporter {
  /**
   * The rows of a table within a selection, by hours. It begins when the store has all of them, so what fails does so here:
   * `store.unavailable` when that takes longer than half a minute. Bytes are read from the store as they are taken.
   */
  rows(table: RowTable, selection: Selection, format: ExportFormat): Promise<Readable>;
}
