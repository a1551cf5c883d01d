import type { Selection } from "./analytics-reader.ts";
import type { ExchangeRow } from "./answers.ts";

/** Which rows a live tail shows: those of a question, whenever they happened. */
export interface LiveFilter extends Omit<Selection, "fromMs" | "toMs"> {
  readonly outcome?: string | undefined;
}

/** A row, and the cursor that goes on behind it. */
export interface LiveRow {
  readonly row: ExchangeRow;
  readonly cursor: string;
}

/**
 * The recorded operations in the order in which they came to the store, from all gateways that share it. A row is shown
 * once, about two seconds after it came, however late that was.
 */
export interface LiveReader {
  /** The cursor behind what is there now. */
  now(): Promise<string>;
  /**
   * The next rows behind `cursor`, `limit` at most; none when there are none yet. Throws `request.invalid` for a cursor
   * that is none, and `store.unavailable`.
   */
  after(cursor: string, filter: LiveFilter, limit: number): Promise<readonly LiveRow[]>;
}
