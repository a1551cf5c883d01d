import fc from "fast-check";
import { expect, test } from "vitest";
import { createRouteIndex } from "../../src/embedding/route-index.ts";

const east = direction(0);

test("a route's score is half its nearest example, half the middle of all", () => {
  const routes = createRouteIndex();
  routes.set("east", [direction(0), direction(Math.PI / 2), undefined]);
  const [found] = routes.rank(east, {});
  expect(found?.score).toBeCloseTo(0.5 + 0.5 * Math.SQRT1_2, 3);
});

test("a text without a vector, and a route without examples, match nothing", () => {
  const routes = createRouteIndex();
  routes.set("none", [undefined]);
  expect(routes.rank(east, {})).toEqual([]);
  routes.set("east", [east]);
  expect(routes.rank(undefined, {})).toEqual([]);
  expect(routes.rank(east, {}).map(({ id }) => id)).toEqual(["east"]);
});

test("after any sequence of changes the routes rank as made afresh", () => {
  const change = fc.record({
    route: fc.constantFrom("a", "b", "c", "d"),
    angles: fc.option(fc.array(fc.double({ min: 0, max: 6, noNaN: true }), { maxLength: 4 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
      const changed = createRouteIndex();
      const last = new Map<string, readonly number[]>();
      for (const { route, angles } of changes) {
        if (angles === undefined) {
          expect(changed.delete(route)).toBe(last.delete(route));
        } else {
          changed.set(route, angles.map(direction));
          last.set(route, angles);
        }
      }
      const fresh = createRouteIndex();
      for (const [route, angles] of [...last].toReversed()) fresh.set(route, angles.map(direction));
      expect(changed.size).toBe(last.size);
      expect(changed.rank(east, {})).toEqual(fresh.rank(east, {}));
    }),
  );
});

function direction(angle: number): Float32Array {
  return new Float32Array([Math.cos(angle), Math.sin(angle)]);
}
