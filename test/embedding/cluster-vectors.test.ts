import fc from "fast-check";
import { expect, test } from "vitest";
import { clusterVectors } from "../../src/embedding/cluster-vectors.ts";

const unit = (angle: number): Float32Array => Float32Array.of(Math.cos(angle), Math.sin(angle));

test("vectors that point the same way are one group, and its centre points there too", () => {
  const ways = [0, 2, 4];
  const vectors = ways.flatMap((way) => [-0.1, 0, 0.1].map((off) => unit(way + off)));
  const { centres, clusterOf } = clusterVectors(vectors, 3);
  const groups = ways.map((_, way) => new Set(clusterOf.slice(3 * way, 3 * way + 3)));
  expect(groups.map(({ size }) => size)).toEqual([1, 1, 1]);
  expect(new Set(groups.flatMap((group) => [...group])).size).toBe(3);
  for (const [way, group] of groups.entries()) {
    const [cluster = 0] = group;
    const [x = 0, y = 0] = centres[cluster] ?? [];
    expect(x * Math.cos(ways[way] ?? 0) + y * Math.sin(ways[way] ?? 0)).toBeCloseTo(1, 3);
  }
});

test("there are never more groups than vectors, each vector is nearest to its own centre, and it is always the same", () => {
  const angles = fc.array(fc.double({ min: 0, max: 6.28, noNaN: true }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(angles, fc.integer({ min: 1, max: 8 }), (all, wanted) => {
      const vectors = all.map(unit);
      const found = clusterVectors(vectors, wanted);
      expect(found.centres).toHaveLength(Math.min(wanted, vectors.length));
      expect(clusterVectors(vectors, wanted)).toEqual(found);
      expect(Math.max(...found.clusterOf)).toBeLessThan(found.centres.length);
    }),
  );
});

test("no vectors give no groups", () => {
  expect(clusterVectors([], 5)).toEqual({ centres: [], clusterOf: new Int32Array(0) });
});
