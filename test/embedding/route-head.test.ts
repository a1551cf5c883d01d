import { expect, test } from "vitest";
import { fitRouteHead } from "../../src/embedding/route-head.ts";

const towards = (angle: number): Float32Array => Float32Array.of(Math.cos(angle), Math.sin(angle));
const examples = [0, 0.2, 0.4].map((angle) => ({ route: 0, vector: towards(angle) }));
const others = [2, 2.2, 2.4].map((angle) => ({ route: 1, vector: towards(angle) }));

test("texts near one route's examples are most probably of that route", async () => {
  const head = await fitRouteHead([...examples, ...others], 2);
  expect(head.probabilities(towards(0.1))[0]).toBeGreaterThan(0.8);
  expect(head.probabilities(towards(2.3))[1]).toBeGreaterThan(0.8);
});

test("probabilities add up to one, also far from every example", async () => {
  const head = await fitRouteHead([...examples, ...others], 2);
  const sum = head.probabilities(towards(-2)).reduce((total, each) => total + each, 0);
  expect(sum).toBeCloseTo(1, 9);
});

test("the same examples make the same head", async () => {
  const [one, two] = await Promise.all([
    fitRouteHead([...examples, ...others], 2),
    fitRouteHead([...examples, ...others], 2),
  ]);
  expect(one.probabilities(towards(1))).toEqual(two.probabilities(towards(1)));
});

test("a fit that nobody waits for any more ends", async () => {
  const many = Array.from({ length: 2_000 }, (_, index) => ({ route: index % 50, vector: towards(index) }));
  await expect(fitRouteHead(many, 50, AbortSignal.abort())).rejects.toThrow();
});

test("no examples make a head that knows nothing", async () => {
  const head = await fitRouteHead([], 2);
  expect([...head.probabilities(towards(1))]).toEqual([0.5, 0.5]);
});
