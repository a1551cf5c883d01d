import { hash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { LRUCache } from "lru-cache";
import { GatewayError } from "../kernel/errors.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { CompiledEmbedder } from "./define-embedder.ts";
import type { HybridIndex, LearntLifts } from "./hybrid-index.ts";
import { createHybridIndex } from "./hybrid-index.ts";
import type { ToolDescription } from "./tool-text.ts";
import { toolText } from "./tool-text.ts";

/** A tool of a list, as it is to be found. */
export interface ToolToFind {
  readonly name: string | undefined;
  /** Undefined of one that has no text to be found by. */
  readonly facts: ToolDescription | undefined;
}

/** A list of tools that was read and indexed once. */
export interface IndexedList<Kept> {
  /** What is kept of each tool; its id in the index is its name, so that what was learnt of one list holds for the next. */
  readonly entries: readonly (Kept & { readonly id: string | undefined })[];
  readonly index: HybridIndex;
  /** Tools that have no text to be found by. */
  readonly withoutText: number;
}

export interface ToolListParts<Tool, Kept> {
  readonly embedder: CompiledEmbedder;
  readonly memory?: LearntLifts | undefined;
  /** What is kept of a tool as long as its list is. */
  keep(tool: Tool): Kept;
}

/** Lists of tools that have been seen. */
export interface ToolLists<Tool, Kept> {
  /**
   * The list of these bytes, indexed: at once where it was before, or where the embedder is at hand and the list is short.
   * Throws or rejects as the embedder does, and with `policy.failed` for more than 10,000 tools; what was begun goes on, for
   * the next who asks.
   */
  find(listing: Uint8Array, read: () => readonly Tool[]): MaybePromise<IndexedList<Kept>>;
}

/** More are not ranked: the work of one request is bounded. */
const mostTools = 10_000;

/** Tools that are indexed before others have their turn. */
const sliceSize = 256;

const mostLists = 1_000;
const mostBytes = 128 * 1024 * 1024;

/** Bytes of a tool in an index beside its text and vector, about. */
const toolBytes = 500;

/** Lists by the hash of their bytes; the least recently used go first. */
export function createToolLists<Tool extends ToolToFind, Kept extends object>(
  parts: ToolListParts<Tool, Kept>,
): ToolLists<Tool, Kept> {
  const { embedder } = parts;
  const known = new LRUCache<string, IndexedList<Kept>>({ max: mostLists, maxSize: mostBytes });
  const running = new Map<string, Promise<IndexedList<Kept>>>();
  const last = createLastLists<IndexedList<Kept>>();
  return {
    find(listing, read) {
      const again = last.find(listing);
      if (again !== undefined) return again;
      const key = hash("sha256", listing, "base64");
      const before = known.get(key);
      if (before !== undefined) last.keep(listing, before);
      const found = before ?? running.get(key);
      if (found !== undefined) return found;
      const keep = (made: IndexedList<Kept>): IndexedList<Kept> => {
        const perTool = toolBytes + 4 * (embedder.dimensions ?? 0);
        known.set(key, made, { size: 1 + listing.byteLength * 2 + made.entries.length * perTool });
        return made;
      };
      const made = indexList(read(), parts);
      if (!(made instanceof Promise)) return keep(made);
      const kept = made.then(keep).finally(() => running.delete(key));
      running.set(key, kept);
      return kept;
    },
  };
}

interface LastLists<List> {
  find(listing: Uint8Array): List | undefined;
  keep(listing: Uint8Array, list: List): void;
}

/** What came last and came again is known by its bytes: comparing those takes a tenth of the time of their hash. */
function createLastLists<List>(): LastLists<List> {
  const kept: { readonly bytes: Buffer; readonly list: List }[] = [];
  return {
    find: (listing) => kept.find(({ bytes }) => bytes.length === listing.byteLength && bytes.equals(listing))?.list,
    keep(listing, list) {
      if (listing.byteLength > mostLastBytes) return;
      kept.unshift({ bytes: Buffer.from(listing), list });
      if (kept.length > mostLast) kept.pop();
    },
  };
}

const mostLast = 4;
const mostLastBytes = 1024 * 1024;

function indexList<Tool extends ToolToFind, Kept extends object>(
  tools: readonly Tool[],
  { embedder, memory, keep }: ToolListParts<Tool, Kept>,
): MaybePromise<IndexedList<Kept>> {
  if (tools.length > mostTools) {
    const detail = `${tools.length} tools, of which ${mostTools} may be ranked`;
    throw new GatewayError("policy.failed", "There are too many tools.", { detail });
  }
  const index = createHybridIndex({ embedder, ...(memory && { memory }) });
  const found = new Map<string, ToolDescription>(); // of tools of one name the first, and the others go with it
  const entries = tools.map((tool, at) => {
    const { name, facts } = tool;
    const id = facts && (name ?? `${unnamed}${at}`);
    if (id !== undefined && facts !== undefined && !found.has(id)) found.set(id, facts);
    return { ...keep(tool), id };
  });
  const withoutText = entries.filter(({ id }) => id === undefined).length;
  const made = { entries, index, withoutText };
  const added = addSlices(index, [...found]);
  return added instanceof Promise ? added.then(() => made) : made;
}

/** What no tool's name begins with. */
const unnamed = "\u0000";

function addSlices(index: HybridIndex, found: readonly (readonly [string, ToolDescription])[]): MaybePromise<void> {
  const add = (from: number): MaybePromise<void> => {
    const slice = found.slice(from, from + sliceSize);
    return index.update({ set: slice.map(([id, facts]) => ({ id, ...toolText(facts) })) });
  };
  const first = add(0);
  return found.length <= sliceSize ? first : addRest(add, found.length, first);
}

async function addRest(add: (from: number) => MaybePromise<void>, count: number, first: MaybePromise<void>) {
  await first;
  for (let from = sliceSize; from < count; from += sliceSize) {
    await nextTurn();
    await add(from);
  }
}
