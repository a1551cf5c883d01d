import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { byRank, chooseBest } from "../../src/embedding/choose-best.ts";
import type { TwoVoiceIndex } from "../../src/embedding/two-voice-index.ts";
import { createTwoVoiceIndex } from "../../src/embedding/two-voice-index.ts";

const stems = fc.dictionary(fc.constantFrom("mail", "fil", "send", "issu"), fc.integer({ min: 1, max: 6 }));
const document = fc.record({
  stems: stems.map((weights) => new Map(Object.entries(weights).map(([word, weight]) => [word, weight / 2]))),
  vector: fc.option(fc.float({ min: 0, max: 6, noNaN: true }).map(direction), { nil: undefined }),
});
const id = fc.constantFrom("a", "b", "c", "d", "e", "f");
const query = fc.record({
  stems: fc.array(fc.constantFrom("mail", "fil", "send", "issu", "nobody")),
  vector: fc.option(fc.float({ min: 0, max: 6, noNaN: true }).map(direction), { nil: undefined }),
});

describe("any sequence of additions, changes and removals", () => {
  const changes = fc.array(fc.record({ id, document: fc.option(document, { nil: undefined }) }), { maxLength: 30 });

  test("leaves an index that ranks as one made afresh, in whatever order", () => {
    fc.assert(
      fc.property(changes, query, fc.boolean(), (made, asked, backwards) => {
        const changed = createTwoVoiceIndex();
        const last = new Map<string, Parameters<TwoVoiceIndex["set"]>[1]>();
        for (const change of made) {
          if (change.document === undefined) {
            expect(changed.delete(change.id)).toBe(last.delete(change.id));
          } else {
            changed.set(change.id, change.document);
            last.set(change.id, change.document);
          }
        }
        const fresh = createTwoVoiceIndex();
        for (const [name, held] of backwards ? [...last].toReversed() : last) fresh.set(name, held);
        expect(changed.size).toBe(last.size);
        expect(ranked(changed, asked)).toEqual(ranked(fresh, asked));
      }),
    );
  });

  test("gives scores from 0 to 1, and never one that is no number", () => {
    fc.assert(
      fc.property(changes, query, (made, asked) => {
        const index = createTwoVoiceIndex();
        for (const change of made) if (change.document !== undefined) index.set(change.id, change.document);
        const { ids, scores } = index.score(asked);
        for (const slot of ids.keys()) {
          expect(scores[slot]).toBeGreaterThanOrEqual(0);
          expect(scores[slot]).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});

test("a vector that is refused leaves the index as it was", () => {
  const index = createTwoVoiceIndex();
  index.set("a", { stems: new Map([["mail", 1]]), vector: direction(0) });
  const before = ranked(index, { stems: ["mail"], vector: direction(0) });
  expect(() => index.set("b", { stems: new Map([["mail", 1]]), vector: new Float32Array(3) })).toThrow();
  expect(() => index.set("a", { stems: new Map(), vector: new Float32Array(3) })).toThrow();
  expect(index.size).toBe(1);
  expect(ranked(index, { stems: ["mail"], vector: direction(0) })).toEqual(before);
});

test("the best are those that sorting everything gives", () => {
  const scored = fc.array(fc.constantFrom(0, 0.2, 0.4, 0.6, 0.8), { maxLength: 100 });
  const choice = fc.record({ limit: fc.nat(80), threshold: fc.constantFrom(0, 0.4, 0.5) });
  fc.assert(
    fc.property(scored, choice, (scores, { limit, threshold }) => {
      const entries = scores.map((score, at) => ({ id: `e${(at * 37) % 101}`, score }));
      const expected = entries
        .filter(({ score }) => score > 0 && score >= threshold)
        .toSorted(byRank)
        .slice(0, limit);
      const ids = entries.map((entry) => entry.id);
      expect(chooseBest(ids, Float64Array.from(scores), { limit, threshold })).toEqual(expected);
    }),
  );
});

function ranked(index: TwoVoiceIndex, asked: Parameters<TwoVoiceIndex["score"]>[0]) {
  const { ids, scores } = index.score(asked);
  return chooseBest(ids, scores, {});
}

function direction(angle: number): Float32Array {
  return new Float32Array([Math.cos(angle), Math.sin(angle)]);
}
