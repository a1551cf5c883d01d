import type { BlockBuffers } from "./block-buffers.ts";
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
 * Sorts whole lines of a spool by table without parsing them: the spool writes the type first. The bytes of a line stay
 * as they are, and so does the order within a table. The rows hold until the next use of `buffers`.
 */
export function splitRows(lines: Buffer, buffers: BlockBuffers): SplitRows {
  const newPart = (table: EventTable): Part => ({
    table,
    rows: buffers.take(table, lines.length),
    length: 0,
    count: 0,
  });
  const parts = { exchanges: newPart("exchanges"), attempts: newPart("attempts") };
  let unknown = 0;
  for (let start = 0; start < lines.length; ) {
    const feed = lines.indexOf(lineFeed, start);
    const end = feed < 0 ? lines.length : feed + 1;
    const table = tableOf(lines, start);
    if (table === undefined) unknown += 1;
    else append(parts[table], lines, start, end);
    start = end;
  }
  const tables = [parts.exchanges, parts.attempts].filter(({ count }) => count > 0);
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
const exchangeHead = Buffer.from('{"type":"exchange",');
const attemptHead = Buffer.from('{"type":"attempt",');
const typePlace = exchangeHead.indexOf("exchange");

interface Part {
  readonly table: EventTable;
  readonly rows: Buffer;
  length: number;
  count: number;
}

function append(part: Part, lines: Buffer, start: number, end: number): void {
  part.length += lines.copy(part.rows, part.length, start, end);
  part.count += 1;
}

function tableOf(lines: Buffer, start: number): EventTable | undefined {
  const head = lines[start + typePlace] === exchangeHead[typePlace] ? exchangeHead : attemptHead;
  const isHead = lines.compare(head, 0, head.length, start, Math.min(start + head.length, lines.length)) === 0;
  if (!isHead) return undefined;
  return head === exchangeHead ? "exchanges" : "attempts";
}

function keyOf(table: EventTable, line: Buffer): RowKey | undefined {
  try {
    const row: unknown = JSON.parse(line.toString("utf8"));
    if (typeof row !== "object" || row === null) return undefined;
    const { exchange_id, operation_id, attempt, ts } = row as Readonly<Record<string, unknown>>; // any object is one
    if (typeof exchange_id !== "string" || typeof ts !== "number") return undefined;
    const part = table === "exchanges" ? operation_id : attempt;
    return typeof part === "string" || typeof part === "number"
      ? { exchangeId: exchange_id, part: String(part), ts }
      : undefined;
  } catch {
    return undefined;
  }
}
