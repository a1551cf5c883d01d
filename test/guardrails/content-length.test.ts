import fc from "fast-check";
import { expect, test } from "vitest";
import { contentLength } from "../../src/guardrails/content-length.ts";
import { attach, buildTools } from "../kit/exchange.ts";
import { guardedCall } from "../kit/guarded-call.ts";
import { collect, cutsOf } from "../kit/stream-guards.ts";

test.each([
  { name: "plain letters", text: "hello", characters: 5, bytes: 5 },
  { name: "nothing", text: "", characters: 0, bytes: 0 },
  { name: "an accent with its letter", text: "e\u0301", characters: 1, bytes: 3 },
  { name: "a family as one character", text: "👩‍👩‍👧‍👦", characters: 1, bytes: 25 },
  { name: "a flag as one character", text: "🇩🇪", characters: 1, bytes: 8 },
  { name: "a line's end as one character", text: "a\r\nb", characters: 3, bytes: 4 },
  { name: "half a surrogate pair as what is sent in its place", text: "\ud800", characters: 1, bytes: 3 },
  { name: "letters from right to left", text: "שלום", characters: 4, bytes: 8 },
])("counts $name", ({ text, characters, bytes }) => {
  expect([counted(text, "characters"), counted(text, "bytes")]).toEqual([characters, bytes]);
});

test("bytes are those that UTF-8 has, whatever the text", () => {
  const guardrail = compile({ min: 0, invert: true, unit: "bytes" }); // refuses everything, and says what it has counted
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const verdict = guardrail.inspect([{ place: "text", text, author: "user" }], "request", guardedCall());
      expect(verdict).toMatchObject({ detail: `${new TextEncoder().encode(text).length} bytes` });
    }),
  );
});

test("marks piled on one letter count as one character, and are bounded by the characters that are read", () => {
  const pile = `a${"\u0301".repeat(100_000)}`;
  expect(counted(pile, "characters")).toBe(1);
  expect(inspect(pile, { max: 10, maxCharacters: 50_000 })).toMatchObject({ reason: "The request is too long." });
});

test("zero is a bound like any other", () => {
  expect(inspect("", { max: 0 })).toEqual({ type: "pass" });
  expect(inspect("a", { max: 0 })).toMatchObject({ type: "deny" });
  expect(contentLength.config.safeParse({ min: 1, max: 0 }).success).toBe(false);
});

test("a streamed answer gets the verdict of the whole one, however it is cut", async () => {
  const text = "Grüße 👩‍👩‍👧‍👦!";
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 12 }), cutsOf(text), async (max, frames) => {
      const { passed, error } = await collect(frames, [attach(compile({ max, phases: ["response"] }))]);
      expect(error === undefined && passed.length === frames.length).toBe(max >= 8);
    }),
  );
});

function compile(config: object) {
  return contentLength.compile(contentLength.config.parse(config), buildTools());
}

function inspect(text: string, config: object) {
  return compile(config).inspect([{ place: "text", text, author: "user" }], "request", guardedCall());
}

function counted(text: string, unit: string): number {
  const verdict = inspect(text, { min: 0, invert: true, unit }); // refuses everything, and says what it has counted
  return Number("assessment" in verdict ? verdict.assessment?.["count"] : Number.NaN);
}
