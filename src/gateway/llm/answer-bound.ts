import type { LlmRequest } from "./llm-request.ts";

/** Members that bound an answer of a chat, by the names that the dialects have for it. */
export const answerBounds = ["max_completion_tokens", "max_tokens", "max_output_tokens"] as const;

/** The tokens that the request itself lets one answer have; undefined where it says nothing that bounds it. */
export function boundOf(json: LlmRequest["json"]): number | undefined {
  const said = answerBounds.map((name) => json[name]).filter((value) => isCount(value));
  return said.length === 0 ? undefined : Math.max(...said); // which of them a provider heeds is its own affair
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 && value <= 100_000_000;
}
