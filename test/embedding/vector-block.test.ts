import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../scripts/eval/random.ts";
import { createVectorBlock } from "../../src/embedding/vector-block.ts";

const random = seededRandom(7);

test("scores are those of plain floats, to less than 0.001", () => {
  for (const dimensions of [1, 3, 256, 1536]) {
    const vectors = Array.from({ length: 301 }, () => unit(dimensions));
    const block = createVectorBlock();
    for (const [slot, vector] of vectors.entries()) block.set(slot, vector);
    const query = unit(dimensions);
    const scores = scored(block, query, vectors.length);
    const furthest = vectors.map((vector, slot) => Math.abs((scores[slot] ?? Number.NaN) - dot(vector, query)));
    expect(Math.max(...furthest)).toBeLessThan(0.001);
  }
});

test("the nearest ten of a thousand are those of plain floats, to 99 in 100", () => {
  const vectors = Array.from({ length: 1000 }, () => unit(256));
  const block = createVectorBlock();
  for (const [slot, vector] of vectors.entries()) block.set(slot, vector);
  let same = 0;
  for (let round = 0; round < 100; round += 1) {
    const query = unit(256);
    const plain = nearestTen(Float64Array.from(vectors, (vector) => dot(vector, query)));
    const found = nearestTen(scored(block, query, vectors.length));
    same += found.filter((slot) => plain.includes(slot)).length;
  }
  expect(same).toBeGreaterThanOrEqual(990);
});

test("after any sequence of changes a block scores as one made afresh, to the last bit", () => {
  const change = fc.record({ slot: fc.nat(200), vector: fc.option(fc.nat(4), { nil: undefined }) });
  const vectors = Array.from({ length: 5 }, () => unit(6));
  const query = unit(6);
  fc.assert(
    fc.property(fc.array(change), (changes) => {
      const changed = createVectorBlock();
      changed.set(0, vectors[0]);
      const last = new Map<number, number | undefined>([[0, 0]]);
      for (const { slot, vector } of changes) {
        changed.set(slot, vector === undefined ? undefined : vectors[vector]);
        last.set(slot, vector);
      }
      const fresh = createVectorBlock();
      for (const [slot, vector] of [...last].toReversed()) {
        if (vector !== undefined) fresh.set(slot, vectors[vector]);
      }
      expect(scored(changed, query, 201)).toEqual(scored(fresh, query, 201));
    }),
  );
});

describe("a block", () => {
  test("gives 0 for a slot without a vector", () => {
    const block = createVectorBlock();
    expect([...scored(block, unit(4), 2)]).toEqual([0, 0]);
    block.set(1, unit(4));
    expect(scored(block, unit(4), 500)[0]).toBe(0);
    expect(scored(block, unit(4), 500)[499]).toBe(0);
  });

  test.each([
    ["of other dimensions", new Float32Array([1, 0, 0])],
    ["with NaN", new Float32Array([Number.NaN, 0])],
    ["that is infinite", new Float32Array([Number.POSITIVE_INFINITY, 0])],
    ["that is longer than one", new Float32Array([1, 1])],
  ])("refuses a vector %s, and a query likewise", (_, vector) => {
    const block = createVectorBlock();
    block.set(0, new Float32Array([1, 0]));
    expect(() => block.set(0, vector)).toThrow(expect.objectContaining({ code: "internal" }));
    expect(() => scored(block, vector, 1)).toThrow(expect.objectContaining({ code: "internal" }));
    expect([...scored(block, new Float32Array([1, 0]), 1)]).toEqual([1]);
  });
});

function scored(block: ReturnType<typeof createVectorBlock>, query: Float32Array, count: number): Float64Array {
  const into = new Float64Array(count).fill(Number.NaN);
  block.score(query, count, into);
  return into;
}

function nearestTen(scores: Float64Array): number[] {
  return [...scores.keys()].toSorted((left, right) => (scores[right] ?? 0) - (scores[left] ?? 0)).slice(0, 10);
}

function unit(dimensions: number): Float32Array {
  const values = Array.from({ length: dimensions }, () => random() - 0.5);
  const length = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / length);
}

function dot(left: Float32Array, right: Float32Array): number {
  return left.reduce((sum, value, at) => sum + value * (right[at] ?? Number.NaN), 0);
}
