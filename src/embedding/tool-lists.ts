import { hash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { LRUCache } from "lru-cache";
import type { HybridIndex } from "../../embedding/hybrid-index.ts";
import { createHybridIndex } from "../../embedding/hybrid-index.ts";
import { toolText } from "../../embedding/tool-text.ts";
import type { UseMemory } from "../../embedding/use-memory.ts";
import { GatewayError } from "../../kernel/errors.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { OfferedTool, ToolFacts, ToolPlace } from "../../pipeline/offered-tools.ts";
import type { TextEmbedder } from "../../pipeline/plugin.ts";

/** A list of tools that was read and indexed once. */
export interface IndexedList {
  readonly entries: readonly IndexedTool[];
  readonly index: HybridIndex;
  /** Tools that have no text to be found by. */
  readonly withoutText: number;
}

export interface IndexedTool extends ToolPlace {
  readonly name: string | undefined;
  readonly type: string | undefined;
  /** As the index knows it: its name, so that what was learnt of one list holds for the next. */
  readonly id: string | undefined;
}

export interface ToolListParts {
  readonly embedder: TextEmbedder;
  readonly memory?: UseMemory | undefined;
}

export interface ToolLists {
  /**
   * The list of these bytes, indexed: at once where it was before, or where the embedder is at hand and the list is short.
   * Rejects as the embedder does, and for more than 10,000 tools; what was begun goes on, for the next who asks.
   */
  find(listing: Uint8Array, read: () => readonly OfferedTool[]): MaybePromise<IndexedList>;
}

/** More are not ranked: the work of one request is bounded. */
export const mostTools = 10_000;

/** Tools that are indexed before others have their turn. */
const sliceSize = 256;

const mostLists = 1_000;
const mostBytes = 128 * 1024 * 1024;

/** Bytes of a tool in an index beside its text and vector, about. */
const toolBytes = 500;

/** Lists of tools by the hash of their bytes; the least recently used go first. */
export function createToolLists(parts: ToolListParts): ToolLists {
  const { embedder } = parts;
  const known = new LRUCache<string, IndexedList>({ max: mostLists, maxSize: mostBytes });
  const running = new Map<string, Promise<IndexedList>>();
  return {
    find(listing, read) {
      const key = hash("sha256", listing, "base64");
      const found = known.get(key) ?? running.get(key);
      if (found !== undefined) return found;
      const keep = (made: IndexedList): IndexedList => {
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

function indexList(tools: readonly OfferedTool[], { embedder, memory }: ToolListParts): MaybePromise<IndexedList> {
  if (tools.length > mostTools) {
    const detail = `${tools.length} tools, of which ${mostTools} may be ranked`;
    throw new GatewayError("policy.failed", "The request has too many tools.", { detail });
  }
  const index = createHybridIndex({ embedder, ...(memory && { memory }) });
  const found = new Map<string, ToolFacts>(); // of tools of one name the first, and the others go with it
  const entries = tools.map(({ name, type, index: at, at: range, facts }): IndexedTool => {
    const id = facts && (name ?? `${unnamed}${at}`);
    if (id !== undefined && !found.has(id)) found.set(id, facts ?? { name: id });
    return { name, type, id, index: at, at: range };
  });
  const withoutText = entries.filter(({ id }) => id === undefined).length;
  const made: IndexedList = { entries, index, withoutText };
  const added = addSlices(index, [...found]);
  return added instanceof Promise ? added.then(() => made) : made;
}

/** What no tool's name begins with. */
const unnamed = "\u0000";

function addSlices(index: HybridIndex, found: readonly (readonly [string, ToolFacts])[]): MaybePromise<void> {
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
