import { expect, test } from "vitest";
import { createStaticTokenizer } from "../../src/embedding/static-tokenizer.ts";

const tokenizer = createStaticTokenizer("get\nuser\nxy\n##z\n##zy\nx\n##y\n");

test("a known word is one token", () => {
  expect(tokenizer.tokenize("getUser")).toEqual([0, 1]);
});

test("an unknown word is cut greedily, the later pieces by their own rows", () => {
  expect(tokenizer.tokenize("xyzy")).toEqual([2, 4]);
});

test("a character that no piece begins with is skipped", () => {
  expect(tokenizer.tokenize("x0y")).toEqual([5, 6]);
});

test("text without a Latin letter or digit has no tokens", () => {
  expect(tokenizer.tokenize("привет 字 …")).toEqual([]);
});

test("tokens after the 512th are not read", () => {
  expect(tokenizer.tokenize("get ".repeat(600))).toHaveLength(512);
});

test("a long word is cut at 48 characters", () => {
  expect(tokenizer.tokenize(`xy${"z".repeat(100)}`)).toHaveLength(1 + 46);
});

test("a word is known by itself, not as a continuation", () => {
  expect([tokenizer.knows("user"), tokenizer.knows("zy")]).toEqual([true, false]);
});
