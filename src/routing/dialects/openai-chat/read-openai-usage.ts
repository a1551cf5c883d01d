import type { ChatUsage } from "../chat-answer.ts";
import { isWireObject } from "../member-reader.ts";

/** The member `usage` of an answer or a chunk; undefined where it is absent or makes no sense. */
export function readOpenAiUsage(usage: unknown): ChatUsage | undefined {
  if (!isWireObject(usage)) return undefined;
  const inputTokens = count(usage, "prompt_tokens");
  if (inputTokens === undefined) return undefined;
  const audioInputTokens = count(usage["prompt_tokens_details"], "audio_tokens");
  const audioOutputTokens = count(usage["completion_tokens_details"], "audio_tokens");
  return {
    inputTokens,
    outputTokens: count(usage, "completion_tokens") ?? 0,
    cachedInputTokens:
      count(usage["prompt_tokens_details"], "cached_tokens") ?? count(usage, "prompt_cache_hit_tokens") ?? 0,
    reasoningTokens: count(usage["completion_tokens_details"], "reasoning_tokens") ?? 0,
    source: "actual",
    ...(audioInputTokens === undefined ? {} : { audioInputTokens }),
    ...(audioOutputTokens === undefined ? {} : { audioOutputTokens }),
  };
}

function count(value: unknown, name: string): number | undefined {
  const found = isWireObject(value) ? value[name] : undefined;
  return typeof found === "number" && Number.isSafeInteger(found) && found >= 0 ? found : undefined;
}
