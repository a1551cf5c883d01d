import type { Usage } from "../../../pipeline/exchange.ts";

/**
 * The tokens that an answer to an image, a recording or a ranking tells; undefined where it tells none. Images and
 * recordings name them as OpenAI's Responses do, rankings as chats do; seconds and searches are no tokens.
 * @see https://platform.openai.com/docs/api-reference/images/object
 * @see https://platform.openai.com/docs/api-reference/audio/json-object
 */
export function passThroughUsage(message: unknown): Usage | undefined {
  const usage = member(message, "usage");
  const inputTokens = count(usage, "input_tokens") ?? count(usage, "prompt_tokens") ?? count(usage, "total_tokens");
  if (inputTokens === undefined) return undefined;
  const details = member(usage, "input_tokens_details") ?? member(usage, "input_token_details");
  const audioInputTokens = count(details, "audio_tokens");
  return {
    inputTokens,
    outputTokens: count(usage, "output_tokens") ?? count(usage, "completion_tokens") ?? 0,
    cachedInputTokens: count(details, "cached_tokens") ?? 0,
    reasoningTokens: 0,
    source: "actual",
    ...(audioInputTokens === undefined ? {} : { audioInputTokens }),
  };
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name] ?? undefined; // its own member, as just seen
}

function count(value: unknown, name: string): number | undefined {
  const found = member(value, name);
  return typeof found === "number" && Number.isSafeInteger(found) && found >= 0 ? found : undefined;
}
