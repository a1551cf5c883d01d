import { expect, test } from "vitest";
import { createOperationMemory } from "../../../src/analytics/otlp/operation-memory.ts";
import { createTraceExporter } from "../../../src/analytics/otlp/trace-exporter.ts";
import type { AnalyticsEvent } from "../../../src/pipeline/event.ts";
import { attemptRow, exchangeRow } from "../../kit/event-rows.ts";
import { eventually } from "../../kit/eventually.ts";
import type { Respond } from "../../kit/mock-upstream.ts";
import { otlpWay, placeInTrace, startOtlpCollector } from "../../kit/otlp-collector.ts";

async function startExporting(first?: Respond) {
  const collector = await startOtlpCollector(first);
  const way = otlpWay(collector.url);
  const exporter = createTraceExporter(way);
  const operationOf = createOperationMemory();
  return {
    exporter,
    record: (event: AnalyticsEvent) => exporter.record(event, operationOf(event)),
    collector,
    clock: way.clock,
    async [Symbol.asyncDispose]() {
      await exporter[Symbol.asyncDispose]();
      await way.fetch[Symbol.asyncDispose]();
      await collector[Symbol.asyncDispose]();
    },
  };
}

test("an operation and its try are spans of the kinds and names that the conventions have", async () => {
  await using run = await startExporting();
  run.record(exchangeRow(1, { trace: placeInTrace(), cached_input_tokens: 2 }));
  run.record(
    attemptRow(1, {
      cache_write_tokens: 1,
      trace: placeInTrace({ spanId: "c".repeat(16), parentSpanId: "b".repeat(16) }),
    }),
  );
  run.clock.advance(1_000);
  await eventually("the collector hears", () => run.collector.seen.length === 1);
  expect(run.collector.seen[0]).toMatchObject({ method: "POST", url: "/v1/traces" });
  expect(run.collector.seen[0]?.headers).toMatchObject({
    authorization: "Bearer t",
    "content-type": "application/json",
  });
  const [server, client] = run.collector.spans();
  const startNano = `${BigInt(exchangeRow(1).ts) * 1_000_000n}`;
  expect(server).toMatchObject({
    traceId: "a".repeat(32),
    spanId: "b".repeat(16),
    name: "chat small",
    kind: 2,
    startTimeUnixNano: startNano,
    endTimeUnixNano: `${BigInt(startNano) + 10_000_000n}`,
    status: { code: 0 },
    attributes: {
      "gen_ai.operation.name": "chat",
      "gen_ai.request.model": "small",
      "gen_ai.usage.input_tokens": 3,
      "gen_ai.usage.output_tokens": 5,
      "gen_ai.usage.cache_read.input_tokens": 2,
      "http.response.status_code": 200,
    },
  });
  expect(server).not.toHaveProperty("parentSpanId");
  expect(client).toMatchObject({
    parentSpanId: "b".repeat(16),
    kind: 3,
    name: "chat small",
    attributes: { "gen_ai.usage.cache_creation.input_tokens": 1 },
  });
});

test("a tool call that failed is an error span with the names of MCP", async () => {
  await using run = await startExporting();
  const fields = {
    method: "tools/call",
    primitive_type: "tool",
    primitive_name: "echo",
    session_id_hash: "5e55",
    jsonrpc_id: "7",
    is_error: true,
    error_type: "tool_error",
  };
  const mcp = { api_kind: "McpServer", operation_kind: "tools/call", operation_name: "echo", fields };
  run.record(exchangeRow(1, { ...mcp, trace: placeInTrace() }));
  await run.exporter[Symbol.asyncDispose]();
  expect(run.collector.spans()).toMatchObject([
    {
      name: "tools/call echo",
      status: { code: 2 },
      attributes: {
        "mcp.method.name": "tools/call",
        "mcp.session.id": "5e55",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "echo",
        "jsonrpc.request.id": "7",
        "error.type": "tool_error",
      },
    },
  ]);
});

test("a try at an MCP server is told by the names of MCP, and by none of models", async () => {
  await using run = await startExporting();
  const fields = { method: "tools/call", primitive_type: "tool", primitive_name: "echo" };
  const mcp = { api_kind: "McpServer", operation_kind: "tools/call", operation_name: "echo", fields };
  run.record(exchangeRow(1, { ...mcp, trace: placeInTrace() }));
  run.record(attemptRow(1, { api_id: "mcp_1", target: "tools", model: "echo", status: 500, trace: placeInTrace() }));
  await run.exporter[Symbol.asyncDispose]();
  const [, client] = run.collector.spans();
  expect(client).toMatchObject({
    name: "tools/call echo",
    status: { code: 2 },
    attributes: { "gen_ai.tool.name": "echo", "error.type": "500", "gatehouse.attempt": 1 },
  });
  expect(client?.attributes).not.toHaveProperty("gen_ai.request.model");
});

test("what a server answered in place of a result is the error of the try too, and a resource is told by its hash alone", async () => {
  await using run = await startExporting();
  const fields = {
    method: "resources/read",
    primitive_type: "resource",
    resource_uri_hash: "5e55",
    is_error: true,
    error_type: "-32002",
    jsonrpc_error_code: -32_002,
  };
  const mcp = { api_kind: "McpServer", operation_kind: "resources/read", operation_name: "5e55", fields };
  const link = { traceId: "d".repeat(32), spanId: "e".repeat(16), isSampled: false };
  run.record(exchangeRow(1, { ...mcp, outcome: "upstream_error", trace: placeInTrace({ link }) }));
  run.record(attemptRow(1, { api_id: "mcp_1", target: "files", trace: placeInTrace() }));
  await run.exporter[Symbol.asyncDispose]();
  const spans = run.collector.spans();
  for (const span of spans) {
    expect(span).toMatchObject({
      name: "resources/read",
      status: { code: 2 },
      attributes: { "error.type": "-32002", "rpc.response.status_code": "-32002" },
    });
    expect(span.attributes["gatehouse.mcp.resource.hash"]).toBe("5e55");
    expect(span.attributes).not.toHaveProperty("mcp.resource.uri");
  }
  expect(spans.map(({ links }) => links)).toEqual([[{ traceId: link.traceId, spanId: link.spanId }], undefined]);
});

test.each([
  { plugin: "anthropic", told: "anthropic" },
  { plugin: "azure-openai", told: "azure.ai.openai" },
  { plugin: "bedrock", told: "aws.bedrock" },
  { plugin: "vertex", told: "gcp.vertex_ai" },
  { plugin: "xai", told: "x_ai" },
  { plugin: "ollama", told: "ollama" },
])("the provider $plugin is told as $told", async ({ plugin, told }) => {
  await using run = await startExporting();
  const peer = { plugin, address: "::1", port: 443, transport: "tcp" } as const;
  run.record(exchangeRow(1, { trace: placeInTrace(), peer }));
  run.record(attemptRow(1, { trace: placeInTrace(), peer }));
  await run.exporter[Symbol.asyncDispose]();
  const attributes = run.collector.spans().map((span) => span.attributes);
  expect(attributes.map((each) => each["gen_ai.provider.name"])).toEqual([told, told]);
  expect(attributes[1]).toMatchObject({ "server.address": "::1", "server.port": 443 });
});

test("what is not kept of a trace is not sent", async () => {
  await using run = await startExporting();
  run.record(exchangeRow(1, { trace: placeInTrace({ isSampled: false }) }));
  run.record(exchangeRow(2));
  await run.exporter[Symbol.asyncDispose]();
  expect([run.collector.seen.length, run.exporter.dropped]).toEqual([0, 0]);
});
