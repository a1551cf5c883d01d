import type { Usage } from "../../pipeline/exchange.ts";

/**
 * The usage in an OpenAI-shaped answer or streamed message, of chat and of embeddings; undefined when there is none or
 * it makes no sense. `prompt_tokens` holds the cached tokens, `completion_tokens` those of reasoning. DeepSeek counts
 * cached tokens under a name of its own, and Groq has the usage of a stream below `x_groq`.
 * @see https://platform.openai.com/docs/api-reference/chat/object
 * @see https://api-docs.deepseek.com/guides/kv_cache
 */
export function openAiUsage(message: unknown): Usage | undefined {
  const usage = member(message, "usage") ?? member(member(message, "x_groq"), "usage");
  const inputTokens = count(usage, "prompt_tokens");
  if (inputTokens === undefined) return undefined;
  const [input, output] = [member(usage, "prompt_tokens_details"), member(usage, "completion_tokens_details")];
  const [audioInputTokens, audioOutputTokens] = [count(input, "audio_tokens"), count(output, "audio_tokens")];
  const serviceTier = member(message, "service_tier");
  return {
    inputTokens,
    outputTokens: count(usage, "completion_tokens") ?? 0,
    cachedInputTokens: count(input, "cached_tokens") ?? count(usage, "prompt_cache_hit_tokens") ?? 0,
    reasoningTokens: count(output, "reasoning_tokens") ?? 0,
    source: "actual",
    ...(audioInputTokens ? { audioInputTokens } : {}),
    ...(audioOutputTokens ? { audioOutputTokens } : {}),
    ...(typeof serviceTier === "string" ? { serviceTier } : {}),
  };
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  // An object whose own member it is; `in` and `hasOwn` do not narrow a computed name.
  return (value as Readonly<Record<string, unknown>>)[name] ?? undefined;
}

function count(value: unknown, name: string): number | undefined {
  const found = member(value, name);
  return typeof found === "number" && Number.isSafeInteger(found) && found >= 0 ? found : undefined;
}
