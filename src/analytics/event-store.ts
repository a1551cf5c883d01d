/** The tables that recorded events go to. */
export type EventTable = RowTable | "captures" | "governance_events";

/** Those of them that have rows for everybody who may see analytics; `captures` has texts, and `governance_events` no calls. */
export type RowTable = "exchanges" | "attempts";

/** Lines of the spool that go to one table in one step. */
export interface RowBatch {
  readonly table: EventTable;
  /** Lines of JSON, each an array in the order of `eventColumns` and ended by a line feed. */
  readonly rows: Buffer;
  /** How many lines. */
  readonly count: number;
  /** Names these very lines: a batch with a token that was taken before is passed over. */
  readonly token: string;
  /** Leave out lines that cannot be read instead of refusing the batch. */
  readonly skipUnreadable: boolean;
}

/** What tells a row from all others of its table: the exchange, and the operation, the number of the try or the act. */
export interface RowKey {
  /** A UUID; of an act of governance its own. */
  readonly exchangeId: string;
  readonly part: string;
  /** Milliseconds since the epoch. */
  readonly ts: number;
}

/** Where events are kept for good. Every call throws `store.unavailable` while the store cannot be reached. */
export interface EventStore {
  /**
   * Resolves when the rows are durable. Throws `request.invalid` when a line cannot be read and `skipUnreadable` is
   * not set. After any error the rows, or some of them, may be there all the same.
   */
  insert(batch: RowBatch, signal: AbortSignal): Promise<void>;
  /** The texts of `rowKeyText` of those rows that are there. */
  present(table: EventTable, keys: readonly RowKey[], signal: AbortSignal): Promise<ReadonlySet<string>>;
  /** Keeps a configuration under its hash; one that is there already is left alone. */
  putSnapshot(hash: string, document: string, atMs: number, signal: AbortSignal): Promise<void>;
}

/** One text for one row. */
export function rowKeyText({ exchangeId, part }: Pick<RowKey, "exchangeId" | "part">): string {
  return `${exchangeId.toLowerCase()}/${part.toLowerCase()}`;
}
