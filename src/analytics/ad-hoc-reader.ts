import { attemptColumnMeanings } from "./attempt-column-meanings.ts";
import { exchangeColumnMeanings } from "./exchange-column-meanings.ts";
import { governanceColumnMeanings } from "./governance-column-meanings.ts";

/** What an ad-hoc statement can be answered in; `ndjson` is one object a line. */
export const adHocFormats = ["json", "csv", "ndjson", "parquet"] as const;

export type AdHocFormat = (typeof adHocFormats)[number];

/** The answer to somebody's own statement. */
export interface AdHocAnswer {
  /**
   * The rows as the format has them. `json` is `{"meta": [{name, type}], "data": [[…]], "rows": n, "statistics": {…}}`,
   * ClickHouse's JSONCompact.
   */
  readonly bytes: Uint8Array;
}

/** What an ad-hoc statement may take. More than that ends it with `request.invalid`, which says what to ask for instead. */
export const adHocLimits = {
  statementCharacters: 20_000,
  rows: 10_000,
  resultBytes: 16_777_216,
  seconds: 15,
  memoryBytes: 536_870_912,
  rowsRead: 1_000_000_000,
  /** Statements that run or wait at the same time; the next one is refused with `store.unavailable`. */
  waiting: 4,
} as const;

/** The tables that statements may read, what they have, and what each column means. Nothing else of the store can be named. */
export const adHocTables = {
  exchanges: {
    summary: "One row per operation that a client asked for; of an MCP server, per JSON-RPC message.",
    columns: exchangeColumnMeanings,
  },
  attempts: { summary: "One row per try at an upstream.", columns: attemptColumnMeanings },
  governance_events: {
    summary: "One row per act of governance: what it found, and what it did about it.",
    columns: governanceColumnMeanings,
  },
} satisfies Readonly<Record<string, CataloguedTable>>;

interface CataloguedTable {
  readonly summary: string;
  readonly columns: Readonly<Record<string, string>>;
}

/** A table that statements may read. */
export interface AdHocTable {
  readonly name: string;
  readonly summary: string;
  readonly columns: readonly { readonly name: string; readonly type: string; readonly meaning: string | null }[];
}

/** Runs statements that analysts write. */
export interface AdHocReader {
  /**
   * Runs one SELECT over `adHocTables`, within `adHocLimits`. Throws `request.invalid` for whatever is not one, is not
   * allowed, does not fit the tables or takes too much; `analytics.not_available` where this store has no user for it;
   * `store.unavailable` when it is away or busy.
   */
  query(statement: string, format: AdHocFormat): Promise<AdHocAnswer>;
  /** The tables and their columns as they are in the store now. */
  tables(): Promise<readonly AdHocTable[]>;
}
