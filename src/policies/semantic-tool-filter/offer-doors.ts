import type { ProtocolAdapter } from "../../pipeline/adapter.ts";
import type { SpanEdit, TextSpan } from "../../pipeline/define-guardrail.ts";
import type { Operation } from "../../pipeline/exchange.ts";
import type { ToolDoor } from "./compile-filter.ts";
import type { FilterConfig } from "./filter-config.ts";
import type { QueryReader } from "./query-text.ts";
import { findTaggedQuery, findTaggedTools } from "./tagged-tools.ts";

/** The tools that a request offers to a model, in the members of its protocol or in its texts; undefined without any. */
export function findOffer(
  adapter: ProtocolAdapter,
  operation: Operation,
  { format }: Pick<FilterConfig, "format">,
  queryOf: QueryReader,
): ToolDoor | undefined {
  if (format.tools === "tags") return taggedOffer(adapter, operation, format, queryOf);
  const offered = adapter.offeredTools?.(operation);
  if (offered === undefined) return undefined;
  const needed = offered.needed();
  const spans = format.query === "tags" ? adapter.requestSpans(operation) : [];
  const tagged = findTaggedQuery(spans);
  return {
    ...offered,
    query: format.query === "json" ? queryOf(offered) : (tagged?.text ?? ""),
    isNeeded: ({ name, type }) => needed.has(name ?? type ?? ""),
    mayBeEmpty: offered.isOptional,
    isTagged: tagged !== undefined,
    keep(kept) {
      offered.keep(kept);
      if (tagged !== undefined) adapter.editRequest(operation, spans, tagged.edits);
    },
  };
}

function taggedOffer(
  adapter: ProtocolAdapter,
  operation: Operation,
  { query }: FilterConfig["format"],
  queryOf: QueryReader,
): ToolDoor | undefined {
  const spans = adapter.requestSpans(operation);
  const tools = findTaggedTools(spans);
  if (tools === undefined) return undefined;
  const tagged = query === "tags" ? findTaggedQuery(spans) : undefined;
  const turns = (): readonly string[] => userTexts(spans, tools.edits(new Set()));
  return {
    ...tools,
    query: query === "tags" ? (tagged?.text ?? "") : queryOf({ userTurns: turns, message: undefined }),
    isNeeded: () => false,
    mayBeEmpty: true,
    isTagged: true,
    keep(kept) {
      const edits = tools.edits(new Set(kept.map(({ index }) => index)));
      // A query that itself holds tools keeps its tags.
      const isApart = tagged?.edits.every((edit) => !edits.some((other) => overlaps(edit, other))) ?? false;
      adapter.editRequest(operation, spans, isApart ? [...edits, ...(tagged?.edits ?? [])] : edits);
    },
  };
}

function overlaps(one: SpanEdit, other: SpanEdit): boolean {
  return one.span === other.span && one.start < other.end && other.start < one.end;
}

/** What the user has said beside the tools, a text for each turn. */
function userTexts(spans: readonly TextSpan[], tools: readonly SpanEdit[]): readonly string[] {
  const turns = new Map<string, string>();
  for (const [index, { author, place, text }] of spans.entries()) {
    if (author !== "user") continue;
    const turn = /^[^\].]*\]?/.exec(place)?.[0] ?? place;
    const own = tools.filter(({ span }) => span === index).toReversed();
    const rest = own.reduce((left, { start, end }) => left.slice(0, start) + left.slice(end), text);
    turns.set(turn, [...(turns.has(turn) ? [turns.get(turn)] : []), rest].join("\n"));
  }
  return [...turns.values()].filter((said) => said.trim() !== "");
}
