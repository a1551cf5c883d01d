import type { ChatRequest } from "../chat-request.ts";
import type { WireObject } from "../member-reader.ts";

/** The least that Anthropic takes as a budget. */
const leastBudget = 1_024;

const budgets = { minimal: 1_024, low: 2_048, medium: 8_192, high: 16_384, max: 32_768 } as const;

// From 4.6 on the model finds its own budget and is told how hard to try; models before take tokens.
const adaptive = /claude-(?:[a-z]+-)(?:4-(?:[6-9]|\d\d)|[5-9])/;

/**
 * How the model is to think, as this model takes it. Off where a call stands in the last turn that the thought before it
 * is missing of: Anthropic refuses such a history while it thinks, and the answer must not wait for a lost signature.
 */
export function writeThinking(
  { reasoning, turns }: ChatRequest,
  model: string,
  maxTokens: number,
): { readonly thinking?: WireObject; readonly effort?: string } {
  if (reasoning === undefined) return {};
  if (reasoning.effort === "none") return { thinking: { type: "disabled" } };
  if (hasUnsignedCall(turns)) return {};
  const effort = reasoning.effort === "minimal" ? "low" : reasoning.effort;
  if (adaptive.test(model) && reasoning.budgetTokens === undefined) {
    return { thinking: { type: "adaptive" }, ...(effort === undefined ? {} : { effort }) };
  }
  const wanted = reasoning.budgetTokens ?? budgets[reasoning.effort ?? "medium"];
  const budget = Math.min(Math.max(wanted, leastBudget), maxTokens - 1);
  return budget < leastBudget ? {} : { thinking: { type: "enabled", budget_tokens: budget } };
}

function hasUnsignedCall(turns: ChatRequest["turns"]): boolean {
  const last = turns.findLast(({ role }) => role === "assistant" || role === "user");
  if (last?.role !== "assistant" || !last.parts.some(({ type }) => type === "tool-call")) return false;
  return !last.parts.some(
    (part) => part.type === "reasoning" && (part.signature ?? part.redacted)?.of === "anthropic-messages",
  );
}
