import type { Ranked } from "../../embedding/choose-best.ts";
import type { IndexedList, ToolLists } from "../../embedding/tool-lists.ts";
import { createToolLists } from "../../embedding/tool-lists.ts";
import { toGatewayError } from "../../kernel/errors.ts";
import { globMatcher } from "../../kernel/glob.ts";
import { inTime } from "../../kernel/in-time.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { PolicyPlace } from "../../pipeline/define-policy.ts";
import type { Exchange } from "../../pipeline/exchange.ts";
import type { OfferedTool, ToolDecision, ToolPlace } from "../../pipeline/offered-tools.ts";
import type { PluginTools } from "../../pipeline/plugin.ts";
import type { ChoiceRules } from "./choose-tools.ts";
import { chooseTools, mostRanked, mostTold } from "./choose-tools.ts";
import type { FilterConfig } from "./filter-config.ts";

/** What is remembered of a tool. */
export interface IndexedTool extends ToolPlace {
  readonly name: string | undefined;
  readonly type: string | undefined;
  /** As the index knows it; undefined of one that has no text to be found by. */
  readonly id: string | undefined;
}

/** A list of tools on its way, whatever protocol it is of. */
export interface ToolDoor {
  readonly listing: Uint8Array;
  read(): readonly OfferedTool[];
  /** What the caller wants; empty where that is not known. */
  readonly query: string;
  /** Whether a tool may not be taken away. Asked of those that the configuration does not always keep. */
  isNeeded(tool: IndexedTool): boolean;
  /** Nothing at all may be left. */
  readonly mayBeEmpty: boolean;
  /** There are tags to be taken away, also where all tools stay. */
  readonly isTagged: boolean;
  /** Leaves these, of those that `read` gave; not called where nothing is to be changed. */
  keep(kept: readonly IndexedTool[]): void;
}

/**
 * Filters a list and notes in the exchange what it did. Rejects, with the list as it was, where that cannot be told.
 */
export type ToolFilter = (door: ToolDoor, exchange: Exchange) => MaybePromise<void>;

/** Throws `config.invalid` for an embedder that cannot be used. */
export function compileFilter(
  config: FilterConfig,
  { clock, embed, learnt }: Pick<PluginTools, "clock" | "embed" | "learnt">,
  { place, mode = "enforce" }: PolicyPlace,
): ToolFilter {
  const embedder = embed(config.embedder);
  const rules = { ...config, threshold: config.threshold ?? embedder.thresholds.tool };
  const memory = config.learn ? learnt?.(place, embedder) : undefined;
  const parts: FinderParts = {
    lists: createToolLists({ embedder, memory, keep: remembered }),
    rules,
    alwaysKeeps: globMatcher(config.alwaysKeep),
  };
  const isMonitor = mode === "monitor";
  return (door, exchange) => {
    const startedMs = clock.monotonic();
    const note = (found: Found): void => {
      const tookMs = clock.monotonic() - startedMs;
      exchange.tools = decisionOf(found, door, { selection: config.selection, isMonitor, tookMs });
      exchange.responseHeaders["x-gatehouse-tools"] = toolHeader(exchange.tools);
      const { kept, total } = exchange.tools;
      if (kept === total) {
        if (door.isTagged && !isMonitor && isDecided(found)) door.keep(found.kept);
        return;
      }
      const decided = { policy: "semantic-tool-filter", place, step: "request", action: "rewrite", mode } as const;
      exchange.decisions.push({ ...decided, detail: `kept ${kept} of ${total} tools` });
      if (!isMonitor) door.keep(found.kept);
    };
    const failed = (error: unknown): never => {
      note(allOf(door, toGatewayError(error).code === "upstream.timeout" ? "deadline" : "failed"));
      throw error;
    };
    try {
      const found = inTime(find(door, exchange.principal?.applicationId, parts), config.deadlineMs, clock);
      return found instanceof Promise ? found.then(note, failed) : note(found);
    } catch (error) {
      return failed(error);
    }
  };
}

function isDecided({ reason }: Found): boolean {
  return reason !== "failed" && reason !== "deadline";
}

interface FinderParts {
  readonly lists: ToolLists<OfferedTool, Omit<IndexedTool, "id">>;
  readonly rules: ChoiceRules;
  readonly alwaysKeeps: (name: string) => boolean;
}

function remembered({ name, type, index, at }: OfferedTool): Omit<IndexedTool, "id"> {
  return { name, type, index, at };
}

function find(door: ToolDoor, application: string | undefined, parts: FinderParts): MaybePromise<Found> {
  const { lists, rules } = parts;
  return after(lists.find(door.listing, door.read), (list) => {
    const { entries, index } = list;
    if (door.query.trim() === "") return { reason: "no-text", list, kept: entries, ranked: [] };
    if (rules.selection === "rank" && entries.length <= rules.limit) {
      return { reason: "few", list, kept: entries, ranked: [] };
    }
    const options = { limit: mostRanked(rules, entries.length), ...(application !== undefined && { application }) };
    return after(index.rank(door.query, options), (ranked) => {
      const kept = choose(entries, ranked, door, parts);
      return { reason: "filtered", list, kept, ranked: ranked.slice(0, mostTold) };
    });
  });
}

function choose(
  entries: readonly IndexedTool[],
  ranked: readonly Ranked[],
  door: ToolDoor,
  { rules, alwaysKeeps }: FinderParts,
): readonly IndexedTool[] {
  const candidates = entries.map((tool) => ({
    id: tool.id,
    isNeeded: (tool.name !== undefined && alwaysKeeps(tool.name)) || door.isNeeded(tool),
  }));
  const stays = chooseTools(candidates, ranked, rules);
  const left = entries.filter((_, at) => stays[at]);
  if (left.length > 0 || door.mayBeEmpty) return left;
  const least = chooseTools(candidates, ranked, { ...rules, minKeep: 1, withoutText: "keep" });
  return entries.filter((_, at) => least[at]);
}

/** Everything stays, for that reason. */
function allOf(door: ToolDoor, reason: string): Found {
  const tools = door.read();
  const withoutText = tools.filter(({ facts }) => facts === undefined).length;
  const entries = tools.map((tool) => ({ ...tool, id: undefined }));
  return { reason, list: { entries, withoutText }, kept: entries, ranked: [] };
}

interface Found {
  readonly reason: string;
  readonly list: Pick<IndexedList<Omit<IndexedTool, "id">>, "entries" | "withoutText">;
  readonly kept: readonly IndexedTool[];
  readonly ranked: readonly Ranked[];
}

const mostNames = 1_000;

function decisionOf(
  { reason, list, kept, ranked }: Found,
  { listing }: ToolDoor,
  own: Pick<ToolDecision, "selection" | "isMonitor" | "tookMs">,
): ToolDecision {
  const bytes = kept.reduce((sum, { at: [from, to] }) => sum + to - from + 1, kept.length === 0 ? 0 : 1);
  const isWhole = kept.length === list.entries.length;
  const tokensBefore = Math.ceil(listing.byteLength / 4);
  return {
    ...own,
    reason,
    total: list.entries.length,
    kept: kept.length,
    withoutText: list.withoutText,
    tokensBefore,
    tokensAfter: isWhole ? tokensBefore : Math.ceil(bytes / 4),
    scores: ranked.map(({ id, score }) => ({ tool: id, score: Math.round(score * 1_000) / 1_000 })),
    keptNames: kept.slice(0, mostNames).flatMap(({ name }) => name ?? []),
  };
}

function toolHeader({ total, kept, isMonitor, reason }: ToolDecision): string {
  const why = reason === "filtered" ? [] : [`reason=${reason}`];
  return [String(total), `kept=${kept}`, ...(isMonitor ? ["mode=monitor"] : []), ...why].join(";");
}

function after<From, To>(value: MaybePromise<From>, then: (value: From) => MaybePromise<To>): MaybePromise<To> {
  return value instanceof Promise ? value.then(then) : then(value);
}
