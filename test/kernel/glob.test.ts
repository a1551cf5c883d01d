import fc from "fast-check";
import { expect, test } from "vitest";
import { globMatcher } from "../../src/kernel/glob.ts";

test.each([
  {
    name: "a plain pattern is the whole name",
    patterns: ["gpt-4o"],
    yes: ["gpt-4o"],
    no: ["gpt-4o-mini", "my-gpt-4o", "GPT-4o", ""],
  },
  { name: "a star is any run, an empty one too", patterns: ["gpt-*"], yes: ["gpt-", "gpt-4o"], no: ["gpt", "x-gpt-4"] },
  {
    name: "several stars",
    patterns: ["*/llama-*-instruct*"],
    yes: ["meta/llama-3-instruct", "a/b/llama--instruct-x"],
    no: ["llama-3-instruct"],
  },
  { name: "a question mark is one character", patterns: ["v?"], yes: ["v1", "v?", "v😀"], no: ["v", "v12"] },
  {
    name: "characters of patterns elsewhere are literal",
    patterns: ["a.b[c]+$"],
    yes: ["a.b[c]+$"],
    no: ["axb[c]+$", "a.bc"],
  },
  { name: "a star and literal punctuation", patterns: ["a.*+"], yes: ["a.+", "a.x+"], no: ["ab+", "a."] },
  { name: "characters beyond the BMP", patterns: ["😀*😀"], yes: ["😀😀", "😀x😀"], no: ["😀"] },
  { name: "one of several patterns is enough", patterns: ["a", "b*"], yes: ["a", "b", "bc"], no: ["c", "ab"] },
  { name: "a lone star is everything", patterns: ["*"], yes: ["", "anything"], no: [] },
  { name: "no pattern is nothing", patterns: [], yes: [], no: ["", "a"] },
  { name: "an empty pattern is the empty name", patterns: [""], yes: [""], no: ["a"] },
])("$name", ({ patterns, yes, no }) => {
  const matches = globMatcher(patterns);
  expect(yes.filter((text) => !matches(text))).toEqual([]);
  expect(no.filter((text) => matches(text))).toEqual([]);
});

test("agrees with the regular expression of the same meaning", () => {
  const pattern = fc.string({ unit: fc.constantFrom("a", "b", "*", "?", ".", "😀"), maxLength: 8 });
  const name = fc.string({ unit: fc.constantFrom("a", "b", ".", "😀", "\n"), maxLength: 8 });
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 3 }), name, (patterns, text) => {
      const expected = patterns.some((one) => {
        const source = one.replace(/[.]/g, "\\.").replaceAll("*", "[^]*").replaceAll("?", "[^]");
        return new RegExp(`^${source}$`, "u").test(text);
      });
      expect(globMatcher(patterns)(text)).toBe(expected);
    }),
    { numRuns: 1_000 },
  );
});

test("many stars over a long name take no longer than their product", () => {
  const matches = globMatcher([`${"a*".repeat(60)}b`]);
  expect(matches("a".repeat(20_000))).toBe(false);
});
