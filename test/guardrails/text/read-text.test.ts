import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readText } from "../../../src/guardrails/text/read-text.ts";

const strange = fc.constantFrom(
  "a",
  "1",
  " ",
  "１",
  "٣",
  "\u200b",
  "\u2011",
  "\u00a0",
  "\\n",
  "\\\\u0041",
  '\\"',
  "\\",
  "é",
  "\ud835\udfd9",
  "\ud800",
  "😀",
);
const texts = fc.array(strange, { maxLength: 60 }).map((parts) => parts.join(""));

describe("a text as a reader takes it", () => {
  test.each([
    ["１２３", "123"],
    ["٤٢ ४२ ๔๒", "42 42 42"],
    ["4\u200b2\ufeff\u00ad0", "420"],
    ["a\u2011b\u2013c\u00a0d", "a-b-c d"],
    [String.raw`x\ny\tz\"\/\u0041\\n!`, 'x\ny\tz"/A\n!'],
    ["\ud835\udfd9\ud835\udfda", "12"],
    ["ｊｏｅ＠ｘ．ｏｒｇ", "joe@x.org"],
    ["Grüße, 世界 😀 \ud800", "Grüße, 世界 😀 \ud800"],
    [String.raw`C:\Users\x`, String.raw`C:\Users\x`],
  ])("%j reads %j", (original, read) => {
    expect(readText(original).text).toBe(read);
  });

  test("tells of each of its characters where it stood, in order, and of its end", () => {
    fc.assert(
      fc.property(texts, (original) => {
        const { text, origin } = readText(original);
        const places = Array.from({ length: text.length + 1 }, (_, index) => origin(index));
        expect(places.toSorted((left, right) => left - right)).toEqual(places);
        expect(places.at(-1)).toBe(original.length);
        for (const [index, character] of Array.from(text).entries()) {
          if (/^[aé]$/.test(character) && text.length === Array.from(text).length) {
            expect(original[places[index] ?? -1]).toBe(character);
          }
        }
      }),
    );
  });

  test("is the same object of text where there is nothing to undo", () => {
    const text = "plain text, with é and 世界";
    expect(readText(text).text).toBe(text);
    expect(readText(text).origin(5)).toBe(5);
  });
});
