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
  const provider = { "gen_ai.provider.name": "mistral_ai", "gatehouse.provider.name": "openai-compatible" };
  const model = { ...provider, "gen_ai.request.model": "small" };
  const common = { "gatehouse.api.name": "chat", "gen_ai.operation.name": "chat", ...model };
  expect(countedOf(exchangeRow(1), attemptRow(1, { peer: { plugin: "mistral", transport: "tcp" } }))).toEqual({
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

/** A call of a tool or a prompt, answered well unless `over` says otherwise. */
function callRow(number: number, type: "tool" | "prompt", name: string, over: Record<string, string | boolean> = {}) {
  const method = type === "tool" ? "tools/call" : "prompts/get";
  const fields = { method, primitive_type: type, primitive_name: name, mcp_protocol_version: "2025-11-25", ...over };
  return exchangeRow(number, { api_kind: "McpServer", operation_kind: method, fields });
}

test("a call has the labels of the conventions on both sides, by the names that each side knows", () => {
  const tool = callRow(1, "tool", "files_read", { upstream_primitive_name: "read" });
  const counted = countedOf(tool, attemptRow(1, { peer: { transport: "pipe" } }), callRow(2, "prompt", "greet"));
  const common = { "mcp.method.name": "tools/call", "gen_ai.operation.name": "execute_tool" };
  const version = { "mcp.protocol.version": "2025-11-25" };
  expect(counted["mcp.server.operation.duration"]).toMatchObject([
    { labels: { ...common, ...version, "gen_ai.tool.name": "files_read", "network.transport": "tcp" } },
    { labels: { "gen_ai.prompt.name": "greet", "gen_ai.tool.name": null, "gen_ai.operation.name": null } },
  ]);
  expect(counted["mcp.client.operation.duration"]).toMatchObject([
    { labels: { ...common, ...version, "gen_ai.tool.name": "read", "network.transport": "pipe" } },
  ]);
});

const flood = 5_000;
const floods = [
  { name: "tools that a server takes, whatever they are called", row: (n: number) => callRow(n, "tool", `t${n}`) },
  {
    name: "tools that a server does not know and says so as the tool's own error",
    row: (n: number) => callRow(n, "tool", `t${n}`, { is_error: true, tool_error: true, error_type: "tool_error" }),
  },
  { name: "prompts", row: (n: number) => callRow(n, "prompt", `p${n}`) },
  {
    name: "error codes that a server makes up",
    row: (n: number) => callRow(n, "tool", "echo", { is_error: true, error_type: String(n) }),
  },
];

test.each(floods)("a flood of $name ends in few series, and a tool that was known before keeps its own", ({ row }) => {
  const rows = Array.from({ length: flood }, (_, place) => row(place + 2));
  const failed = { is_error: true, tool_error: true, error_type: "tool_error" };
  const counted = countedOf(callRow(1, "tool", "known"), ...rows, callRow(1, "tool", "known", failed));
  const series = counted["mcp.server.operation.duration"] ?? [];
  expect(series.length).toBeLessThanOrEqual(510);
  expect(series.filter(({ labels }) => labels["gen_ai.tool.name"] === "known")).toMatchObject([
    { labels: { "error.type": null } },
    { labels: { "error.type": "tool_error" } },
  ]);
});

test("a flood of models that an upstream takes ends as one that is called other", () => {
  const rows = Array.from({ length: flood }, (_, place) => [
    exchangeRow(place + 1),
    attemptRow(place + 1, { model: `m${place}` }),
  ]).flat();
  const series = countedOf(...rows)["gen_ai.client.operation.duration"] ?? [];
  expect(series).toHaveLength(501);
  expect(series.at(-1)).toMatchObject({ labels: { "gen_ai.request.model": "other" } });
});
