import type { ChatUsage } from "../chat-answer.ts";
import { isWireObject } from "../member-reader.ts";
import { countOf } from "../wire-values.ts";

/** The member `usage` of an answer or a chunk; undefined where it is absent or makes no sense. */
export function readOpenAiUsage(usage: unknown): ChatUsage | undefined {
  if (!isWireObject(usage)) return undefined;
  const inputTokens = countOf(usage, "prompt_tokens");
  if (inputTokens === undefined) return undefined;
  const audioInputTokens = countOf(usage["prompt_tokens_details"], "audio_tokens");
  const audioOutputTokens = countOf(usage["completion_tokens_details"], "audio_tokens");
  return {
    inputTokens,
    outputTokens: countOf(usage, "completion_tokens") ?? 0,
    cachedInputTokens:
      countOf(usage["prompt_tokens_details"], "cached_tokens") ?? countOf(usage, "prompt_cache_hit_tokens") ?? 0,
    reasoningTokens: countOf(usage["completion_tokens_details"], "reasoning_tokens") ?? 0,
    source: "actual",
    ...(audioInputTokens === undefined ? {} : { audioInputTokens }),
    ...(audioOutputTokens === undefined ? {} : { audioOutputTokens }),
  };
}
