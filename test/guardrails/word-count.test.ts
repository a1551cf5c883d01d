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
    { name: "with no words passes where none may be", config: { max: 0 }, texts: [" "], denied: false },
    { name: "with a word is refused where none may be", config: { max: 0 }, texts: ["one"], denied: true },
    { name: "with no words passes where none must be", config: { min: 0 }, texts: [""], denied: false },
    {
      name: "within inverted bounds is refused",
      config: { min: 2, max: 3, invert: true },
      texts: ["one two"],
      denied: true,
    },
    {
      name: "outside of inverted bounds passes",
      config: { min: 2, max: 3, invert: true },
      texts: ["one"],
      denied: false,
    },
    {
      name: "is divided by the language's rules where it has no spaces",
      config: { max: 1, words: "segments", locale: "th" },
      texts: ["สวัสดีครับ"],
      denied: true,
    },
    { name: "without spaces is one word otherwise", config: { max: 1 }, texts: ["สวัสดีครับ"], denied: false },
    {
      name: "has no words in its marks and dashes",
      config: { max: 2, words: "segments" },
      texts: ["one - two!"],
      denied: false,
    },
    {
      name: "is counted in scripts from right to left",
      config: { max: 2, words: "segments", locale: "he" },
      texts: ["שלום עולם טוב"],
      denied: true,
    },
    {
      name: "is counted with half a surrogate pair in it",
      config: { max: 1, words: "segments" },
      texts: ["one \ud800 two"],
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

test("the refusal tells the count and the bounds", () => {
  expect(compile({ max: 1 }).inspect([span("one two")], "request", guardedCall())).toEqual({
    type: "deny",
    reason: "The request has more than 1 words.",
    detail: "2 words",
    assessment: { count: 2, max: 1, invert: false },
  });
});

test.each([
  ["a", 1_000_000],
  ["a\u0301", 500_000],
  ["\u200b", 1_000_000],
  ["👩‍👩‍👧", 100_000],
])(
  "a million characters of %j are counted in time",
  (unit, times) => {
    const guardrail = compile({ max: 1_000_000, maxCharacters: 1_000_000, words: "segments" });
    const startMs = performance.now();
    void guardrail.inspect([span(unit.repeat(times))], "request", guardedCall());
    expect(performance.now() - startMs).toBeLessThan(20_000);
  },
  30_000,
);

describe("an answer", () => {
  test("is judged text by text, as a stream shows them", () => {
    const guardrail = compile({ min: 2, phases: ["response"] });
    const inspect = (...texts: string[]) =>
      guardrail.inspect(
        texts.map((text) => span(text, "assistant")),
        "response",
        guardedCall(),
      );
    expect(inspect("one two", "three four")).toEqual({ type: "pass" });
    expect(inspect("one two", "three")).toMatchObject({ type: "deny" });
  });
});

describe("a streamed answer", () => {
  test("with too few words is refused at its end, however it is cut", async () => {
    const text = "one two three four five";
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 8 }), fc.boolean(), cutsOf(text), async (min, invert, frames) => {
        const { passed, error } = await collect(frames, [attach(compile({ min, invert, phases: ["response"] }))]);
        expect(error === undefined && passed.length === frames.length).toBe(min <= 5 !== invert);
      }),
    );
  });

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

test.each([{}, { min: 3, max: 2 }, { min: -1 }, { max: 1.5 }, { max: 1, locale: "no such language" }])(
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
