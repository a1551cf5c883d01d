import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { wordCount } from "../../src/guardrails/word-count.ts";
import type { TextSpan } from "../../src/pipeline/define-guardrail.ts";
import { attach, buildTools } from "../kit/exchange.ts";
import { guardedCall } from "../kit/guarded-call.ts";
import { collect, cutsOf } from "../kit/stream-guards.ts";
import { textFrame } from "../kit/text-adapter.ts";

describe("a request", () => {
  const cases = [
    { name: "passes with as many words as may be", config: { max: 3 }, texts: ["one  two\nthree"], denied: false },
    { name: "is refused with one more", config: { max: 3 }, texts: ["one two three four"], denied: true },
    { name: "is counted over all its texts", config: { max: 3 }, texts: ["one two", "three four"], denied: true },
    { name: "passes with as few words as must be", config: { min: 2 }, texts: ["one two"], denied: false },
    { name: "is refused with one fewer", config: { min: 2 }, texts: ["  one "], denied: true },
    { name: "is refused when nothing but space is said", config: { min: 1 }, texts: [" \n\t"], denied: true },
    {
      name: "is refused uncounted when it is too long",
      config: { max: 9, maxCharacters: 5 },
      texts: ["toolong"],
      denied: true,
    },
  ];
  test.each(cases)("$name", ({ config, texts, denied }) => {
    const verdict = compile(config).inspect(
      texts.map((text) => span(text)),
      "request",
      guardedCall(),
    );
    expect(verdict).toMatchObject({ type: denied ? "deny" : "pass" });
  });

  test("is counted over the named authors only", () => {
    const guardrail = compile({ min: 2, max: 3, authors: ["user"] });
    const spans = [span("a long system prompt here", "system"), span("hello there", "user")];
    expect(guardrail.inspect(spans, "request", guardedCall())).toEqual({ type: "pass" });
  });

  test("is never quoted in the refusal", () => {
    expect(
      JSON.stringify(compile({ max: 1 }).inspect([span("my secret words")], "request", guardedCall())),
    ).not.toContain("secret");
  });
});

describe("a streamed answer", () => {
  test("is judged whole before a character of it is out, however it is cut", async () => {
    const text = "one two three four five";
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 8 }), cutsOf(text), async (max, frames) => {
        const guardrail = compile({ max, phases: ["response"] });
        const { passed, error } = await collect(frames, [attach(guardrail)]);
        expect(passed.length === frames.length && error === undefined).toBe(max >= 5);
        expect(passed.some((frame) => frame.message() !== undefined && String(frame.message()).length > 5)).toBe(
          max >= 5,
        );
      }),
    );
  });

  test("is refused when it grows longer than may be held back, and nothing of it is out", async () => {
    const frames = Array.from({ length: 30 }, () => textFrame(["text", "a word "]));
    const guardrail = compile({ max: 1_000, maxCharacters: 100, phases: ["response"] });
    const { passed, error } = await collect(frames, [attach(guardrail)]);
    expect(passed).toEqual([]);
    expect(error).toMatchObject({ code: "guardrail.denied", message: "The response is too long." });
  });

  test("of exactly as many characters as may be is let out", async () => {
    const frames = [textFrame(["text", "a word "]), textFrame(["text", "end"])];
    const guardrail = compile({ max: 3, maxCharacters: 10, phases: ["response"] });
    expect((await collect(frames, [attach(guardrail)])).passed).toEqual(frames);
  });
});

test.each([{}, { min: 3, max: 2 }, { min: 1, phases: ["response"] }, { min: 1, phases: ["request", "response"] }])(
  "the configuration %j is refused",
  (config) => {
    expect(wordCount.config.safeParse(config).success).toBe(false);
  },
);

function compile(config: object) {
  return wordCount.compile(wordCount.config.parse(config), buildTools());
}

function span(text: string, author: TextSpan["author"] = "user"): TextSpan {
  return { place: "messages[0].content", text, author };
}
