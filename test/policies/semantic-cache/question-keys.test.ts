import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { longestCompared, questionKeys } from "../../../src/policies/semantic-cache/question-keys.ts";
import { splitTurn } from "../../../src/policies/semantic-cache/split-turn.ts";

const rules = { domain: ["api"], mostTurns: 20, isBagOfWords: true };
const keysOf = (turns: readonly (readonly string[])[], more: Partial<typeof rules> = {}, frame = "f") =>
  questionKeys({ frame, turns, isCallersOwn: false }, { ...rules, ...more });

test("equal questions have equal keys, and no others have", () => {
  const turns = fc.array(fc.array(fc.string({ maxLength: 3 }), { maxLength: 3 }), { maxLength: 3 });
  fc.assert(
    fc.property(turns, turns, (left, right) => {
      const isEqual = JSON.stringify(left) === JSON.stringify(right);
      expect(keysOf(left).exact === keysOf(right).exact).toBe(isEqual);
    }),
  );
  expect(keysOf([["a"]]).exact).not.toBe(keysOf([["a"]], {}, "g").exact);
  expect(keysOf([["a"]]).exact).not.toBe(keysOf([["a"]], { domain: ["other"] }).exact);
});

describe("the group of a question", () => {
  test.each([
    ["other words", "Where do I live?", "Where am I living?", true],
    ["another case", "WHERE?", "where?", true],
    ["another number", "the year 2023", "the year 2024", false],
    ["a number at another place", "from 1 to 2", "from 2 to 1", false],
    ["a version", "node v24.1", "node v24.2", false],
    ["a negation", "Is it safe?", "Is it not safe?", false],
    ["a contracted negation", "It works.", "It doesn't work.", false],
    ["a negation in another language", "Ist es sicher?", "Ist es nicht sicher?", false],
    ["a sign", "a > b", "a < b", false],
    ["words of another script", "Explain Москва", "Explain Париж", false],
    ["another picture", "What is 🙂?", "What is 🙁?", false],
    ["another sentence", "Say it.", "Say it. Shortly.", false],
  ])("with %s is equal: %s | %s | %s", (_name, left, right, isEqual) => {
    expect(keysOf([[left]]).group === keysOf([[right]]).group).toBe(isEqual);
  });

  test("holds the words that are not compared", () => {
    const last = { mostTurns: 1 };
    expect(keysOf([["a"], ["x"]], last).group).toBe(keysOf([["a"], ["y"]], last).group);
    expect(keysOf([["a"], ["x"]], last).group).not.toBe(keysOf([["b"], ["x"]], last).group);
    expect(keysOf([["a"], ["x"]], last).compared).toEqual(["x"]);
    expect(keysOf([["a"], ["x"]]).compared).toEqual(["a", "x"]);
  });

  test.each([
    ["nothing was said", []],
    ["what was said is space", [["  "]]],
    ["it is a long text", [["word ".repeat(longestCompared / 5 + 1)]]],
  ])("is none where %s", (_name, turns) => {
    expect(keysOf(turns)).toMatchObject({ group: undefined, compared: [] });
  });

  test("a model that sees other scripts judges them itself", () => {
    const keys = (text: string) => keysOf([[text]], { isBagOfWords: false }).group;
    expect(keys("Где Москва")).toBe(keys("Где Париж"));
  });
});

describe("the pieces of a turn", () => {
  test("are its words in order, at most twenty in each, and none is empty", () => {
    const texts = fc.array(fc.constantFrom("a", "bc", "d.", "e!", "f?", "\n", " ", "ü", "。"), { maxLength: 80 });
    fc.assert(
      fc.property(texts, (parts) => {
        const text = parts.join(" ");
        const pieces = splitTurn(text);
        expect(pieces.join(" ").split(/\s+/u)).toEqual(text.trim().split(/\s+/u));
        for (const piece of pieces) expect(piece.split(" ").length).toBeLessThanOrEqual(20);
        expect(pieces).not.toContain("");
      }),
    );
  });

  test("take time in proportion to the text", () => {
    const hostile = [
      "-".repeat(longestCompared),
      ".".repeat(longestCompared),
      "a".repeat(longestCompared),
      "1.".repeat(longestCompared / 2),
    ];
    const startedMs = performance.now();
    for (const text of hostile) keysOf([[text]]);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });
});
