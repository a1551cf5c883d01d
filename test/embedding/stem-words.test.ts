import fc from "fast-check";
import { expect, test } from "vitest";
import { stem, stemWords } from "../../src/embedding/stem-words.ts";

test.each([
  [["search", "searches", "searching", "searched"], "search"],
  [["file", "files", "filed", "filing"], "fil"],
  [["city", "cities"], "citi"],
  [["stop", "stops", "stopped", "stopping"], "stop"],
  [["match", "matches", "matching"], "match"],
])("%j have one stem", (words, root) => {
  expect(words.map(stem)).toEqual(words.map(() => root));
});

test.each(["address", "status", "analysis", "gas", "sing", "red", "v2", "1234", "города"])(
  "%s keeps its end",
  (word) => {
    expect(stem(word)).toBe(word);
  },
);

test("function words and the phrases of asking are left out", () => {
  expect(stemWords("Could you please show me all of the issues?")).toEqual(["show", "issu"]);
});

test("only the words that are asked for are kept, told by the word and not by its stem", () => {
  expect(stemWords("files of Zyx", (word) => word === "files")).toEqual(["fil"]);
});

test("a stem is never empty", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("a", "e", "i", "s", "y", "d", "n", "g", "b", "z"), minLength: 1 }),
      (word) => stem(word) !== "",
    ),
  );
});
