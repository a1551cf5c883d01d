import type { EventStore, RowBatch } from "../../src/analytics/event-store.ts";
import { rowKeyText } from "../../src/analytics/event-store.ts";
import { keyedRows } from "../../src/analytics/split-rows.ts";
import { GatewayError } from "../../src/kernel/errors.ts";

/**
 * What goes wrong with one insert. `before`: nothing arrives. `after`: all arrives, the answer is lost. `half`: every
 * second row arrives. `noted`: the token is noted, no row arrives. `late`: all arrives while the next insert is made.
 * `none`: nothing goes wrong.
 */
export type InsertFault = "none" | "before" | "after" | "half" | "noted" | "late";

/** An event store in memory that keeps tokens as ClickHouse does, and fails as it is told. */
export interface FaultyEventStore extends EventStore {
  /** Keys of all rows in the order of arrival; a doubled row is there twice. */
  readonly rows: string[];
  readonly batches: RowBatch[];
  readonly snapshots: Map<string, string>;
  /** Taken one an insert; then all goes well. */
  readonly faults: InsertFault[];
  /** Lines with this text cannot be read. */
  unreadable: string | undefined;
}

export function faultyEventStore(): FaultyEventStore {
  const tokens = new Set<string>();
  let late: (() => void) | undefined;
  const take = (table: string, name: string, lines: ReturnType<typeof keyedRows>, fault: InsertFault): void => {
    // Partitions note the token apart from each other, so the half that is missing can still come.
    const halves = [lines.filter((_, index) => index % 2 === 0), lines.filter((_, index) => index % 2 === 1)];
    for (const [half, part] of halves.entries()) {
      const token = `${table}/${name}/${half}`;
      if (tokens.has(token) || (fault === "half" && half === 1)) continue;
      tokens.add(token);
      if (fault !== "noted") store.rows.push(...part.map(({ key }) => `${table}/${rowKeyText(key)}`));
    }
  };
  const store: FaultyEventStore = {
    rows: [],
    batches: [],
    snapshots: new Map(),
    faults: [],
    unreadable: undefined,
    async insert(batch) {
      const fault = store.faults.shift() ?? "none";
      store.batches.push({ ...batch, rows: Buffer.from(batch.rows) }); // its memory is used again
      if (fault === "before") throw away();
      const isReadable = (line: Buffer) => store.unreadable === undefined || !line.includes(store.unreadable);
      const lines = keyedRows(batch);
      if (!batch.skipUnreadable && !lines.every(({ line }) => isReadable(line))) {
        throw new GatewayError("request.invalid", "A row cannot be read.");
      }
      late?.();
      const arrive = () =>
        take(
          batch.table,
          batch.token,
          lines.filter(({ line }) => isReadable(line)),
          fault,
        );
      late = fault === "late" ? arrive : undefined;
      if (fault !== "late") arrive();
      if (fault !== "none") throw away();
    },
    async present(table, keys) {
      const there = new Set(store.rows);
      return new Set(keys.map(rowKeyText).filter((key) => there.has(`${table}/${key}`)));
    },
    async putSnapshot(hash, document) {
      store.snapshots.set(hash, document);
    },
  };
  return store;
}

function away(): GatewayError {
  return new GatewayError("store.unavailable", "The store is away.");
}
