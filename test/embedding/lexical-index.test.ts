import { expect, test } from "vitest";
import { createLexicalIndex } from "../../src/embedding/lexical-index.ts";

test("a score is BM25 with k1 0.9 and b 0.4", () => {
  const index = createLexicalIndex();
  index.set(
    0,
    new Map([
      ["mail", 2],
      ["send", 1],
    ]),
  );
  index.set(1, new Map([["fil", 1]]));
  const rarity = Math.log(1 + (2 - 1 + 0.5) / (1 + 0.5));
  const expected = (rarity * 2 * 1.9) / (2 + 0.9 * (1 - 0.4 + (0.4 * 3) / 2));
  expect(scores(index, ["mail"])[0]).toBeCloseTo(expected, 12);
  expect(scores(index, ["mail"])[1]).toBe(0);
});

test("a word counts once, however often it is asked for", () => {
  const index = createLexicalIndex();
  index.set(0, new Map([["mail", 1]]));
  index.set(1, new Map([["fil", 1]]));
  expect(scores(index, ["mail", "mail"])).toEqual(scores(index, ["mail"]));
});

test("what nobody holds, and an empty index, score 0", () => {
  const index = createLexicalIndex();
  expect([...scores(index, ["mail"])]).toEqual([0, 0]);
  index.set(0, new Map());
  expect([...scores(index, ["mail"])]).toEqual([0, 0]);
});

test("a slot that is emptied counts for nothing any more", () => {
  const [changed, fresh] = [createLexicalIndex(), createLexicalIndex()];
  for (const index of [changed, fresh]) index.set(0, new Map([["mail", 1]]));
  changed.set(
    1,
    new Map([
      ["mail", 4],
      ["fil", 1],
    ]),
  );
  changed.set(1, undefined);
  changed.set(1, undefined);
  expect(scores(changed, ["mail", "fil"])).toEqual(scores(fresh, ["mail", "fil"]));
});

function scores(index: ReturnType<typeof createLexicalIndex>, stems: readonly string[]): Float64Array {
  const into = new Float64Array(2).fill(Number.NaN);
  index.score(stems, 2, into);
  return into;
}
