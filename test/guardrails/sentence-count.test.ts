import fc from "fast-check";
import { expect, test } from "vitest";
import { sentenceCount } from "../../src/guardrails/sentence-count.ts";
import { attach, buildTools } from "../kit/exchange.ts";
import { guardedCall } from "../kit/guarded-call.ts";
import { collect, cutsOf } from "../kit/stream-guards.ts";

test.each([
  { name: "one sentence", text: "How are you today", sentences: 1 },
  { name: "sentences by their marks", text: "Hello there! How are you? Fine.", sentences: 3 },
  { name: "an abbreviation as part of its sentence", text: "The U.S.A. won the race.", sentences: 1 },
  { name: "no sentence in nothing", text: "", sentences: 0 },
  { name: "no sentence in marks and blanks", text: " ... ?! \n\u200b", sentences: 0 },
  { name: "Chinese sentences", text: "你好。你好吗？很好！", sentences: 3 },
  { name: "Arabic sentences", text: "كيف حالك؟ أنا بخير.", sentences: 2 },
  { name: "a picture as something said", text: "👍", sentences: 1 },
  { name: "half a surrogate pair", text: "One.\ud800 Two.", sentences: 2 },
])("counts $name", ({ text, sentences }) => {
  expect(counted(text, {})).toBe(sentences);
});

test.each([
  { name: "small letters after a mark too", text: "hello. how are you. fine", sentences: 3 },
  { name: "nothing between marks as nothing", text: "what?!! really...", sentences: 2 },
  { name: "the danda", text: "नमस्ते। कैसे हैं।", sentences: 2 },
])("counts $name by marks", ({ text, sentences }) => {
  expect(counted(text, { sentences: "marks" })).toBe(sentences);
});

test("takes bounds as all counts do", () => {
  expect(sentenceCount.config.safeParse({ min: 2, max: 1 }).success).toBe(false);
  expect(sentenceCount.config.safeParse({ min: 0, max: 0 }).success).toBe(true);
});

test.each([". ", "a", "!", "\u200b", "\u202e"])(
  "a million characters of %j are counted in time",
  (unit) => {
    const startMs = performance.now();
    counted(unit.repeat(1_000_000 / unit.length), { sentences: "marks" });
    counted(unit.repeat(1_000_000 / unit.length), {});
    expect(performance.now() - startMs).toBeLessThan(20_000);
  },
  30_000,
);

test("a streamed answer gets the verdict of the whole one, however it is cut", async () => {
  const text = "One is here. Two is there! Is three? Yes.";
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 6 }), cutsOf(text), async (max, frames) => {
      const { passed, error } = await collect(frames, [attach(compile({ max, phases: ["response"] }))]);
      expect(error === undefined && passed.length === frames.length).toBe(max >= 4);
    }),
    { numRuns: 50 },
  );
});

function compile(config: object) {
  return sentenceCount.compile(sentenceCount.config.parse({ maxCharacters: 1_000_000, ...config }), buildTools());
}

function counted(text: string, config: object): number {
  const inverted = compile({ min: 0, invert: true, ...config }); // refuses everything, and says what it has counted
  const verdict = inverted.inspect([{ place: "text", text, author: "user" }], "request", guardedCall());
  return Number("assessment" in verdict ? verdict.assessment?.["count"] : Number.NaN);
}
