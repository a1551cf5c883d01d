import { expect, test } from "vitest";
import { createMetricSet } from "../../../src/analytics/metrics/metric-set.ts";
import { startMetricExporter } from "../../../src/analytics/otlp/metric-exporter.ts";
import { eventually } from "../../kit/eventually.ts";
import { otlpWay, startOtlpCollector } from "../../kit/otlp-collector.ts";

test("metrics go out at each interval and at the end, counted from the start", async () => {
  await using collector = await startOtlpCollector();
  const way = otlpWay(collector.url);
  await using _fetch = way.fetch;
  const startedAtMs = way.clock.now();
  const metrics = createMetricSet({ startedAtMs });
  const count = metrics.counter({ name: "c", description: "d", unit: "1", labels: ["l"] });
  const measure = metrics.histogram({ name: "h", description: "d", unit: "s", labels: [] }, [1, 2]);
  const exporter = startMetricExporter({ ...way, metrics, everyMs: 60_000 });
  count(2, ["x"]);
  measure(1.5, []);
  way.clock.advance(59_999);
  expect(collector.seen).toHaveLength(0);
  way.clock.advance(2);
  await eventually("the collector hears", () => exporter.sent === 1);
  count(3, ["x"]);
  await exporter[Symbol.asyncDispose]();
  const times = { startTimeUnixNano: `${startedAtMs}000000`, timeUnixNano: `${startedAtMs + 60_001}000000` };
  const attributes = [{ key: "l", value: { stringValue: "x" } }];
  const body = (total: number) => ({
    resourceMetrics: [
      {
        resource: {
          attributes: expect.arrayContaining([{ key: "service.name", value: { stringValue: "gatehouse" } }]),
        },
        scopeMetrics: [
          {
            scope: { name: "gatehouse", version: "1.2.3" },
            metrics: [
              {
                name: "c",
                description: "d",
                unit: "1",
                sum: {
                  aggregationTemporality: 2,
                  isMonotonic: true,
                  dataPoints: [{ attributes, ...times, asDouble: total }],
                },
              },
              {
                name: "h",
                description: "d",
                unit: "s",
                histogram: {
                  aggregationTemporality: 2,
                  dataPoints: [
                    {
                      attributes: [],
                      ...times,
                      count: "1",
                      sum: 1.5,
                      bucketCounts: ["0", "1", "0"],
                      explicitBounds: [1, 2],
                    },
                  ],
                },
              },
            ],
          },
        ],
      },
    ],
  });
  expect(collector.bodies("metrics")).toEqual([body(2), body(5)]);
});
