import { GatewayError } from "../kernel/errors.ts";
import type { BlockBuffers } from "./block-buffers.ts";
import type { EventStore } from "./event-store.ts";
import { rowKeyText } from "./event-store.ts";
import type { SpoolBlock } from "./read-block.ts";
import type { TableRows } from "./split-rows.ts";
import { keyedRows, splitRows } from "./split-rows.ts";

export interface InsertBlockOptions {
  readonly store: EventStore;
  readonly block: SpoolBlock;
  /** Names the spool; part of every token. */
  readonly spool: string;
  /** Whether no line of the block was ever sent. Otherwise the store is asked first which of them it has. */
  readonly isNew: boolean;
  readonly buffers: BlockBuffers;
  readonly signal: AbortSignal;
}

/**
 * Puts the lines of a block into the store so that each is there once, whatever happened to the block before. Answers
 * how many lines are not there because they cannot be read. Throws as the store does.
 */
export async function insertBlock(options: InsertBlockOptions): Promise<number> {
  const { store, block, spool, isNew, buffers, signal } = options;
  const { tables, unknown } = splitRows(block.lines, buffers);
  const token = `${spool}/${block.segment.slice(0, 15)}/${block.from}-${block.to}`;
  let rejected = unknown;
  for (const rows of tables) {
    const isIn = isNew && (await insertNew(store, rows, token, signal));
    if (!isIn) rejected += await settle(store, rows, token, signal);
  }
  return rejected;
}

/** False when a line cannot be read: then the store has none of them. */
async function insertNew(store: EventStore, rows: TableRows, token: string, signal: AbortSignal): Promise<boolean> {
  try {
    await store.insert({ ...rows, token, skipUnreadable: false }, signal);
    return true;
  } catch (error) {
    if (error instanceof GatewayError && error.code === "request.invalid") return false;
    throw error;
  }
}

/** More than crashes can spoil tokens in a row. */
const maxRounds = 5;

/**
 * Looks for the lines, and inserts those that are missing until none is. A token alone would not do: after a crash
 * between the note of a token and the rows themselves, another try with it would look like a repetition and be passed
 * over. Nor would looking alone: a try that seemed to fail may still be running, and the token holds against that.
 */
async function settle(store: EventStore, part: TableRows, token: string, signal: AbortSignal): Promise<number> {
  const keyed = keyedRows(part);
  const keys = keyed.map(({ key }) => key);
  for (let round = 0; ; round += 1) {
    const there = await store.present(part.table, keys, signal);
    const missing = keyed.filter(({ key }) => !there.has(rowKeyText(key)));
    if (missing.length === 0 || round === maxRounds) return part.count - keyed.length + missing.length;
    const isWhole = round === 0 && missing.length === part.count;
    const batch = {
      table: part.table,
      rows: Buffer.concat(missing.map(({ line }) => line)),
      count: missing.length,
      token: isWhole ? token : `${token}/${round}-${missing.length}`,
      skipUnreadable: true,
    };
    await store.insert(batch, signal);
  }
}
