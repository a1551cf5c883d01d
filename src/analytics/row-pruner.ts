import type { EventTable } from "./event-store.ts";

/** The rows of one calendar month (UTC) in one table. */
export interface PrunedMonth {
  readonly table: EventTable;
  /** `2026-01`. */
  readonly month: string;
  readonly rows: number;
}

/** Takes recorded rows away before their time. */
export interface RowPruner {
  /** The months that end before this moment, which is what can be taken away: rows lie in the store by the month. */
  before(ms: number): Promise<readonly PrunedMonth[]>;
  /** Takes those months away, for good. Asking again does no harm. */
  drop(months: readonly PrunedMonth[]): Promise<void>;
}
