import { LRUCache } from "lru-cache";
import type { Exchange } from "../../../pipeline/exchange.ts";
import { limitSubject } from "../../../pipeline/limit-subject.ts";
import type { LearntUses, PluginTools } from "../../../pipeline/plugin.ts";
import type { CompiledApi } from "../../../pipeline/snapshot.ts";
import { calledTool } from "../narrow-list.ts";

/** Learns from calls of tools that a search has found. */
export interface SearchLearner {
  /** What it has learnt, for the searches to come. */
  readonly memory: LearntUses;
  /** A caller has searched, and was shown these. */
  found(exchange: Exchange, query: string, names: readonly string[]): void;
  /** An exchange was answered to its end. */
  answered(exchange: Exchange): void;
}

interface Search {
  readonly query: string;
  readonly names: ReadonlySet<string>;
  readonly untilMs: number;
}

/** For so long a call is taken for one that its caller's search has led to. */
const searchMs = 600_000;

/** Searches of a caller that are remembered, the last ones. */
const mostSearches = 8;

/** All that is remembered of searches takes no more than this; the callers that have been quiet longest go first. */
const mostBytes = 16 * 1_048_576;

/**
 * A call that worked is learnt under the last search of its caller that has shown the tool. Undefined where nothing can be
 * kept. Only calls of applications count; of several in one request none does. A search is remembered for ten minutes, at most
 * 8 of a caller and 16 MiB of all.
 * @param place the API's id and where in it
 */
export function createSearchLearner(
  { learnt, embed, clock, log }: Pick<PluginTools, "learnt" | "embed" | "clock" | "log">,
  place: string,
): SearchLearner | undefined {
  const memory = learnt?.(place, embed());
  if (memory === undefined) return undefined;
  const searches = new LRUCache<string, readonly Search[]>({ maxSize: mostBytes, sizeCalculation: bytesOf });
  const failed = (err: unknown): void => log.warn({ err, place }, "a call could not be learnt from");
  return {
    memory,
    found(exchange, query, names) {
      const caller = callerOf(exchange);
      if (caller === undefined || names.length === 0) return;
      const nowMs = clock.monotonic();
      const earlier = (searches.get(caller) ?? []).filter(({ untilMs }) => untilMs > nowMs);
      const search = { query, names: new Set(names), untilMs: nowMs + searchMs };
      searches.set(caller, [search, ...earlier].slice(0, mostSearches));
    },
    answered(exchange) {
      const [operation, ...others] = exchange.operations;
      const application = exchange.principal?.applicationId;
      const entry = operation === undefined || others.length > 0 ? undefined : calledTool(operation);
      const caller = entry === undefined ? undefined : callerOf(exchange);
      if (entry === undefined || caller === undefined || application === undefined) return;
      const nowMs = clock.monotonic();
      const led = searches.get(caller)?.find(({ names, untilMs }) => names.has(entry) && untilMs > nowMs);
      if (led === undefined) return;
      try {
        const absorbed = memory.absorb({ entry, application, text: led.query });
        if (absorbed instanceof Promise) absorbed.catch(failed);
      } catch (error) {
        failed(error);
      }
    },
  };
}

/** What an API learns from its searches; undefined where it does not. */
export function searchLearner(api: CompiledApi): SearchLearner | undefined {
  return (api.protocol.own as { searches?: SearchLearner } | undefined)?.searches; // made by `compileMcp`
}

/** About what searches take, two bytes a character and the table of names. */
function bytesOf(searches: readonly Search[], caller: string): number {
  let bytes = 200 + caller.length * 2;
  for (const { query, names } of searches) {
    bytes += 200 + query.length * 2;
    for (const name of names) bytes += 64 + name.length * 2;
  }
  return bytes;
}

function callerOf(exchange: Exchange): string | undefined {
  if (exchange.principal?.applicationId === undefined) return undefined;
  return `${exchange.principal.environment} ${limitSubject(exchange, "key")}`;
}
