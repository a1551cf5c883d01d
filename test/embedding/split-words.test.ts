import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { splitWords } from "../../src/embedding/split-words.ts";

const cases = [
  { name: "splits identifiers where the case changes", text: "getUserToken", words: ["get", "user", "token"] },
  { name: "keeps an abbreviation whole", text: "parseHTTPResponse", words: ["parse", "http", "response"] },
  { name: "splits before a capital that follows a digit", text: "v2Users", words: ["v2", "users"] },
  { name: "splits at underscores, dashes and dots", text: "a_b-c.d", words: ["a", "b", "c", "d"] },
  { name: "drops accents", text: "Café résumé", words: ["cafe", "resume"] },
  { name: "drops accents that stand by themselves", text: "cafe\u0301s", words: ["cafes"] },
  { name: "takes ligatures apart", text: "ﬁle", words: ["file"] },
  { name: "keeps words of other scripts", text: "привет, мир", words: ["привет", "мир"] },
  { name: "parts scripts that touch", text: "helloмир", words: ["hello", "мир"] },
  { name: "parts scripts that touch the other way round", text: "мирhello", words: ["мир", "hello"] },
  { name: "finds nothing in symbols", text: "!?… 🙂 — \u0301", words: [] },
  { name: "finds nothing in nothing", text: "", words: [] },
];

test.each(cases)("$name", ({ text, words }) => {
  expect(splitWords(text)).toEqual(words);
});

describe("any text", () => {
  test("gives the Latin words that its definition by patterns gives", () => {
    const text = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: fc.constantFrom("a", "B", "C", "d", "7", "_", " ", "é", "ß", "я", "字", "\u0301", "İ", "K") }),
    );
    fc.assert(
      fc.property(text, (value) => {
        expect(splitWords(value).filter((word) => word.charCodeAt(0) < 128)).toEqual(latinWordsByPatterns(value));
      }),
    );
  });

  test("is read to a bound only", () => {
    const words = splitWords(`${"word ".repeat(200_000)}end`);
    expect(words.length).toBeLessThan(14_000);
    expect(words).not.toContain("end");
  });
});

/** The steps that the model's description names, one after the other. */
function latinWordsByPatterns(text: string): string[] {
  const spaced = text.replace(/([a-z0-9])([A-Z])/g, "$1 $2").replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2");
  const folded = spaced.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  return folded.match(/[a-z0-9]+/g) ?? [];
}
