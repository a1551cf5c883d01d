import type { EventValue } from "../pipeline/event.ts";
import type { ToolDecision } from "../pipeline/offered-tools.ts";

/** The columns of what a filter of tools did. */
export function toolFields(decision: ToolDecision): Readonly<Record<string, EventValue>> {
  const { selection, reason, isMonitor, scores } = decision;
  return {
    tools_total: decision.total,
    tools_after_filter: decision.kept,
    tools_without_text: decision.withoutText,
    filter_mode: isMonitor ? `${selection} (monitor)` : selection,
    filter_reason: reason,
    ...(scores[0] === undefined ? {} : { filter_top_score: scores[0].score }),
    filter_candidates: scores.map(({ tool, score }) => `${tool}=${score}`),
    filter_ms: Math.round(decision.tookMs * 1_000) / 1_000,
    list_tokens_before: decision.tokensBefore,
    list_tokens_after: decision.tokensAfter,
  };
}
