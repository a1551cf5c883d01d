import { describe, expect, test } from "vitest";
import { refusalClass } from "../../../src/gateway/llm/refusal-class.ts";
import { limitRestMs } from "../../../src/gateway/llm/upstream-limits.ts";

const nowMs = Date.UTC(2026, 0, 1);

const cases = [
  { name: "something left", headers: { "x-ratelimit-remaining-tokens": "1" }, ms: undefined },
  { name: "no tokens left", headers: { "x-ratelimit-remaining-tokens": "0" }, ms: 10_000 },
  { name: "less than none left", headers: { "x-ratelimit-remaining-tokens": "-17" }, ms: 10_000 },
  {
    name: "no tokens left until a duration is over",
    headers: { "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s" },
    ms: 360_000,
  },
  {
    name: "a duration in milliseconds",
    headers: { "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "12ms" },
    ms: 12,
  },
  {
    name: "the longer of two",
    headers: {
      "x-ratelimit-remaining-requests": "0",
      "x-ratelimit-reset-requests": "1s",
      "x-ratelimit-remaining-tokens": "0",
      "x-ratelimit-reset-tokens": "1m0.5s",
    },
    ms: 60_500,
  },
  {
    name: "Anthropic's moment",
    headers: {
      "anthropic-ratelimit-input-tokens-remaining": "0",
      "anthropic-ratelimit-input-tokens-reset": "2026-01-01T00:00:20Z",
    },
    ms: 20_000,
  },
  {
    name: "a reset that nobody can read",
    headers: { "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "soon" },
    ms: 10_000,
  },
  { name: "a number that is none", headers: { "x-ratelimit-remaining-tokens": "none" }, ms: undefined },
  { name: "an empty header", headers: { "x-ratelimit-remaining-tokens": "" }, ms: undefined },
  { name: "a header of the provider's own", headers: { "x-left": "0" }, ms: 10_000 },
];

test.each(cases)("an answer with $name", ({ headers, ms }) => {
  expect(limitRestMs(headers, { remainingTokensHeader: "x-left" }, nowMs)).toBe(ms);
});

describe("an error of a provider", () => {
  const openAi = (code: string, message = "no") => Buffer.from(JSON.stringify({ error: { code, message } }));

  test.each([
    ["too long by its code", 400, openAi("context_length_exceeded"), "context-window"],
    [
      "too long in words",
      400,
      openAi("BadRequestError", "This model's maximum context length is 8192 tokens."),
      "context-window",
    ],
    ["too large", 413, Buffer.from("<html>413</html>"), "context-window"],
    ["refused by its filter", 400, openAi("content_filter"), "content-policy"],
    ["of an unknown model", 404, openAi("model_not_found"), "model-not-found"],
    ["of an unknown deployment in HTML", 404, Buffer.from("<html>"), "model-not-found"],
    ["of a wrong parameter", 400, openAi("invalid_value"), undefined],
    ["with nothing in it", 422, Buffer.alloc(0), undefined],
    ["of a status that says all", 429, openAi("context_length_exceeded"), undefined],
  ] as const)("is known: %s", (_name, status, bytes, wanted) => {
    expect(refusalClass("openai-chat", status, bytes)).toBe(wanted);
  });

  test("is known in Anthropic's dialect", () => {
    const body = {
      type: "error",
      error: { type: "invalid_request_error", message: "prompt is too long: 210000 tokens" },
    };
    expect(refusalClass("anthropic-messages", 400, Buffer.from(JSON.stringify(body)))).toBe("context-window");
  });
});
