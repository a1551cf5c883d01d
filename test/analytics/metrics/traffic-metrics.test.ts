import { expect, test } from "vitest";
import { createMetricSet } from "../../../src/analytics/metrics/metric-set.ts";
import { trafficMetrics } from "../../../src/analytics/metrics/traffic-metrics.ts";
import { createOperationMemory } from "../../../src/analytics/otlp/operation-memory.ts";
import type { AnalyticsEvent } from "../../../src/pipeline/event.ts";
import { attemptRow, exchangeRow, uuidOf } from "../../kit/event-rows.ts";

/** What is counted of events: the labels of each metric's series, those that there are, by name. */
function countedOf(...events: readonly AnalyticsEvent[]) {
  const metrics = createMetricSet({ startedAtMs: 0 });
  const record = trafficMetrics(metrics);
  const operationOf = createOperationMemory();
  for (const event of events) record(event, operationOf(event));
  return Object.fromEntries(
    metrics.read().map((metric) => [
      metric.name,
      metric.series.map(({ labels, ...measured }) => ({
        labels: Object.fromEntries(metric.labels.map((name, place) => [name, labels[place]])),
        value: "sum" in measured ? measured.sum : measured.total,
      })),
    ]),
  );
}

test("a chat has its request, its try, its tokens and its cost", () => {
  const model = { "gen_ai.provider.name": "openai-compatible", "gen_ai.request.model": "small" };
  const common = { "gatehouse.api.name": "chat", "gen_ai.operation.name": "chat", ...model };
  expect(countedOf(exchangeRow(1), attemptRow(1))).toEqual({
    "http.server.request.duration": [
      {
        labels: {
          "gatehouse.api.name": "chat",
          "http.request.method": "POST",
          "http.response.status_code": "200",
          "gatehouse.outcome": "ok",
          "error.type": null,
        },
        value: 0.01,
      },
    ],
    "gen_ai.client.operation.duration": [{ labels: { ...common, "error.type": null }, value: 0.008 }],
    "gen_ai.client.token.usage": [
      { labels: { ...common, "gen_ai.token.type": "input" }, value: 3 },
      { labels: { ...common, "gen_ai.token.type": "output" }, value: 5 },
    ],
    "gatehouse.cost": [
      { labels: { ...model, "gatehouse.api.name": "chat", "gatehouse.cost.currency": "USD" }, value: 0.000125 },
    ],
  });
});

test("a model that no provider has answered for is no label", () => {
  const refused = attemptRow(1, { model: "made-up", status: 404, input_tokens: null, output_tokens: null, cost: null });
  const counted = countedOf(exchangeRow(1), refused);
  expect(counted["gen_ai.client.operation.duration"]).toMatchObject([
    { labels: { "gen_ai.request.model": null, "error.type": "404" } },
  ]);
});

test("of a batch the request and its decisions are counted once, and each message by itself", () => {
  const decision = { policy: "pii", place: "p", step: "request", action: "rewrite", mode: "enforce" } as const;
  const fields = { method: "tools/call", primitive_type: "tool", primitive_name: "echo" };
  const mcp = { api_kind: "McpServer", operation_kind: "tools/call", fields, decisions: [decision] };
  const second = { ...mcp, exchange_id: uuidOf(1), operation_id: uuidOf(2) };
  const counted = countedOf(exchangeRow(1, mcp), exchangeRow(2, second));
  expect(counted["http.server.request.duration"]).toMatchObject([{ value: 0.01 }]);
  expect(counted["gatehouse.policy.decisions"]).toMatchObject([
    { labels: { "gatehouse.policy": "pii", "gatehouse.policy.action": "rewrite" }, value: 1 },
  ]);
  expect(counted["mcp.server.operation.duration"]).toMatchObject([
    { labels: { "mcp.method.name": "tools/call", "gen_ai.tool.name": "echo", "error.type": null }, value: 0.02 },
  ]);
});

test("a tool that fails is told by its name, and one that a server does not know is not", () => {
  const tool = { method: "tools/call", primitive_type: "tool", primitive_name: "echo", is_error: true };
  const mcp = { api_kind: "McpServer", operation_kind: "tools/call" };
  const failed = exchangeRow(1, { ...mcp, fields: { ...tool, tool_error: true, error_type: "tool_error" } });
  const unknown = exchangeRow(2, { ...mcp, fields: { ...tool, tool_error: false, error_type: "-32602" } });
  expect(countedOf(failed, unknown)["mcp.server.operation.duration"]).toMatchObject([
    { labels: { "gen_ai.tool.name": "echo", "error.type": "tool_error" } },
    { labels: { "gen_ai.tool.name": null, "error.type": "-32602" } },
  ]);
});
