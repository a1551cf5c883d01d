import { expect, test } from "vitest";
import { createMetricSet } from "../../../src/analytics/metrics/metric-set.ts";
import { prometheusText } from "../../../src/analytics/metrics/prometheus-text.ts";

test("names have their units, buckets are cumulative, labels without a value are left out", () => {
  const metrics = createMetricSet({ startedAtMs: 0 });
  const labels = ["gatehouse.api.name", "error.type"];
  const measure = metrics.histogram(
    { name: "http.server.request.duration", description: "d", unit: "s", labels },
    [1, 2],
  );
  for (const value of [0.5, 1.5, 9]) measure(value, ["chat", null]);
  const count = metrics.counter({ name: "gatehouse.decisions", description: "d", unit: "{decision}", labels: [] });
  count(2, []);
  expect(prometheusText(metrics)).toBe(
    [
      "# HELP http_server_request_duration_seconds d",
      "# TYPE http_server_request_duration_seconds histogram",
      'http_server_request_duration_seconds_bucket{gatehouse_api_name="chat",le="1"} 1',
      'http_server_request_duration_seconds_bucket{gatehouse_api_name="chat",le="2"} 2',
      'http_server_request_duration_seconds_bucket{gatehouse_api_name="chat",le="+Inf"} 3',
      'http_server_request_duration_seconds_sum{gatehouse_api_name="chat"} 11',
      'http_server_request_duration_seconds_count{gatehouse_api_name="chat"} 3',
      "# HELP gatehouse_decisions_total d",
      "# TYPE gatehouse_decisions_total counter",
      "gatehouse_decisions_total 2",
      "",
    ].join("\n"),
  );
});

test("no label value can end its line or its quotes", () => {
  const metrics = createMetricSet({ startedAtMs: 0 });
  const count = metrics.counter({ name: "m", description: "a\nb\\", unit: "1", labels: ["l"] });
  count(1, ['x"} 9\ny\\']);
  expect(prometheusText(metrics)).toBe(
    '# HELP m_total a\\nb\\\\\n# TYPE m_total counter\nm_total{l="x\\"} 9\\ny\\\\"} 1\n',
  );
});
