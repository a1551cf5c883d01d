import { expect, test } from "vitest";
import { openAiUsage } from "../../../src/routing/providers/openai-usage.ts";

const cases = [
  {
    name: "a chat completion with all details",
    message: {
      usage: {
        prompt_tokens: 100,
        completion_tokens: 20,
        total_tokens: 120,
        prompt_tokens_details: { cached_tokens: 64, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 12 },
      },
    },
    counts: [100, 20, 64, 12],
  },
  { name: "one without details", message: { usage: { prompt_tokens: 7, completion_tokens: 3 } }, counts: [7, 3, 0, 0] },
  {
    name: "one whose details are null",
    message: { usage: { prompt_tokens: 7, completion_tokens: 3, prompt_tokens_details: null } },
    counts: [7, 3, 0, 0],
  },
  { name: "embeddings", message: { usage: { prompt_tokens: 8, total_tokens: 8 } }, counts: [8, 0, 0, 0] },
  {
    name: "DeepSeek's cache",
    message: { usage: { prompt_tokens: 9, completion_tokens: 1, prompt_cache_hit_tokens: 4 } },
    counts: [9, 1, 4, 0],
  },
  {
    name: "the end of Groq's stream",
    message: { choices: [], x_groq: { id: "r", usage: { prompt_tokens: 5, completion_tokens: 6 } } },
    counts: [5, 6, 0, 0],
  },
];

test.each(cases)("is read from $name", ({ message, counts }) => {
  const [inputTokens, outputTokens, cachedInputTokens, reasoningTokens] = counts;
  expect(openAiUsage(message)).toEqual({
    inputTokens,
    outputTokens,
    cachedInputTokens,
    reasoningTokens,
    source: "actual",
  });
});

test.each([
  undefined,
  null,
  "usage",
  [],
  {},
  { usage: null },
  { usage: {} },
  { usage: { prompt_tokens: "7" } },
  { usage: { prompt_tokens: -1 } },
  { usage: { prompt_tokens: 1.5 } },
  { usage: { prompt_tokens: Number.NaN } },
  Object.create({ usage: { prompt_tokens: 7 } }),
])("is not read from %j", (message) => {
  expect(openAiUsage(message)).toBeUndefined();
});
