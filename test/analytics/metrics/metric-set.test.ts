import fc from "fast-check";
import { expect, test } from "vitest";
import { createMetricSet } from "../../../src/analytics/metrics/metric-set.ts";

const definition = { name: "m", description: "d", unit: "s", labels: ["a"] };

test("a value falls into the first bucket whose bound is not below it", () => {
  const metrics = createMetricSet({ startedAtMs: 0 });
  const measure = metrics.histogram(definition, [1, 2]);
  for (const value of [0.5, 1, 1.5, 2, 9]) measure(value, ["x"]);
  expect(metrics.read()).toMatchObject([{ series: [{ labels: ["x"], counts: [2, 2, 1], sum: 14, count: 5 }] }]);
});

test("whatever values labels take, series are bounded and nothing is lost", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string(), fc.nat({ max: 1_000 }))), (added) => {
      const metrics = createMetricSet({ startedAtMs: 0, mostSeries: 4 });
      const count = metrics.counter(definition);
      for (const [label, value] of added) count(value, [label]);
      const series = metrics.read().flatMap((metric) => (metric.type === "histogram" ? [] : metric.series));
      expect(series.length).toBeLessThanOrEqual(4);
      expect(series.reduce((sum, { total }) => sum + total, 0)).toBe(added.reduce((sum, [, value]) => sum + value, 0));
    }),
  );
});

test("what comes when all series are taken is counted as other, and the known ones go on", () => {
  const metrics = createMetricSet({ startedAtMs: 0, mostSeries: 3 });
  const count = metrics.counter(definition);
  for (const label of ["x", "y", "z", "w", "x"]) count(1, [label]);
  const [metric] = metrics.read();
  expect(metric?.series).toEqual([
    { labels: ["x"], total: 2 },
    { labels: ["y"], total: 1 },
    { labels: ["other"], total: 2 },
  ]);
});

test("a metric that has no series yet is not told", () => {
  const metrics = createMetricSet({ startedAtMs: 0 });
  metrics.counter(definition);
  expect(metrics.read()).toEqual([]);
});
