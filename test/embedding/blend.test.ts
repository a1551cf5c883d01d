import fc from "fast-check";
import { expect, test } from "vitest";
import { blend } from "../../src/embedding/blend.ts";

test("nothing in common is 0; the most that meaning can say is 0.4, the most of words 0.6", () => {
  expect(blend(0, 0)).toBe(0);
  expect(blend(-0.5, 0)).toBe(0);
  expect(blend(1, 0)).toBe(0.4);
  expect(blend(0, 8)).toBe(0.3);
  expect(blend(0, 1e12)).toBeCloseTo(0.6, 6);
});

test("more of either never means less", () => {
  const cosine = fc.double({ min: -1, max: 1, noNaN: true });
  const bm25 = fc.double({ min: 0, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(cosine, cosine, bm25, bm25, (c1, c2, b1, b2) => {
      const [low, high] = [blend(Math.min(c1, c2), Math.min(b1, b2)), blend(Math.max(c1, c2), Math.max(b1, b2))];
      expect(high).toBeGreaterThanOrEqual(low);
      expect(high).toBeLessThanOrEqual(1);
    }),
  );
});
