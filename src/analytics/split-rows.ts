import { parseJson } from "../kernel/parse-json.ts";
import type { BlockBuffers } from "./block-buffers.ts";
import { eventColumns, keyColumns } from "./event-columns.ts";
import type { EventTable, RowKey } from "./event-store.ts";

/** The lines of one table. */
export interface TableRows {
  readonly table: EventTable;
  readonly rows: Buffer;
  readonly count: number;
}

/** Lines of a spool by table. */
export interface SplitRows {
  readonly tables: readonly TableRows[];
  /** Lines that are of no table: what something else than the spool wrote into the file. */
  readonly unknown: number;
}

/**
 * Sorts whole lines of a spool by table without parsing them: the spool writes the type first. A row is its line
 * without the type; the order within a table stays. The rows hold until the next use of `buffers`. `lines` is spoilt:
 * rows of exchanges, most of its bytes, are put together in its own memory.
 */
export function splitRows(lines: Buffer, buffers: BlockBuffers): SplitRows {
  const parts: Readonly<Record<EventTable, Part>> = {
    exchanges: { table: "exchanges", rows: lines, length: 0, count: 0 },
    attempts: { table: "attempts", rows: buffers.take("attempts", lines.length), length: 0, count: 0 },
    captures: { table: "captures", rows: noRows, length: 0, count: 0 },
    governance_events: { table: "governance_events", rows: noRows, length: 0, count: 0 },
  };
  let unknown = 0;
  for (let start = 0; start < lines.length; ) {
    const feed = lines.indexOf(lineFeed, start);
    const end = feed < 0 ? lines.length : feed + 1;
    const table = tableOf(lines, start);
    if (table === undefined) unknown += 1;
    else {
      const part = parts[table];
      if (part.rows.length === 0 && table !== "exchanges") part.rows = buffers.take(table, lines.length); // few have any
      append(part, lines, start + heads[table].length, end);
    }
    start = end;
  }
  const tables = allTables.map((table) => parts[table]).filter(({ count }) => count > 0);
  return {
    tables: tables.map(({ table, rows, length, count }) => ({ table, rows: rows.subarray(0, length), count })),
    unknown,
  };
}

/** The key of each line, with the line. A line that is no row of the table has none and is left out. */
export function keyedRows({ table, rows }: TableRows): readonly { readonly key: RowKey; readonly line: Buffer }[] {
  const found: { key: RowKey; line: Buffer }[] = [];
  for (let start = 0; start < rows.length; ) {
    const end = rows.indexOf(lineFeed, start) + 1 || rows.length;
    const line = rows.subarray(start, end);
    const key = keyOf(table, line);
    if (key !== undefined) found.push({ key, line });
    start = end;
  }
  return found;
}

const lineFeed = 0x0a;
const bracket = 0x5b;
const noRows = Buffer.alloc(0);
const heads = {
  exchanges: Buffer.from('["exchange",'),
  attempts: Buffer.from('["attempt",'),
  captures: Buffer.from('["capture",'),
  governance_events: Buffer.from('["governance",'),
} as const;
const typePlace = 2;

interface Part {
  readonly table: EventTable;
  rows: Buffer;
  length: number;
  count: number;
}

/** The row goes before what has not been read of `lines` yet, also when it goes into the same memory. */
function append(part: Part, lines: Buffer, start: number, end: number): void {
  part.rows[part.length] = bracket;
  part.length += 1 + lines.copy(part.rows, part.length + 1, start, end);
  part.count += 1;
}

const allTables = ["exchanges", "attempts", "captures", "governance_events"] as const;

function tableOf(lines: Buffer, start: number): EventTable | undefined {
  const letter = lines[start + typePlace];
  const table = allTables.find((each) => heads[each][typePlace] === letter) ?? "attempts";
  const head = heads[table];
  const isHead = lines.compare(head, 0, head.length, start, Math.min(start + head.length, lines.length)) === 0;
  return isHead ? table : undefined;
}

function keyOf(table: EventTable, line: Buffer): RowKey | undefined {
  let row: unknown;
  try {
    row = parseJson(line.toString("utf8"));
  } catch {
    return undefined;
  }
  if (!Array.isArray(row)) return undefined;
  const value = (column: string): unknown => (row as readonly unknown[])[eventColumns[table].indexOf(column)]; // any array is one
  const ts = value("ts");
  const { id, part: partColumn } = keyColumns[table];
  const exchangeId = value(id);
  if (typeof exchangeId !== "string" || typeof ts !== "number") return undefined;
  const part = value(partColumn);
  const isPart = typeof part === "string" || typeof part === "number";
  return isPart ? { exchangeId, part: String(part), ts } : undefined;
}
