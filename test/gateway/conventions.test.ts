import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../kit/eventually.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { chatAnswer, startMockUpstream } from "../kit/mock-upstream.ts";
import type { OtlpCollector, ReceivedSpan } from "../kit/otlp-collector.ts";
import { startOtlpCollector } from "../kit/otlp-collector.ts";
import { rawHttp } from "../kit/raw-http.ts";
import { messageOf, publishServer, textResult, toolCall } from "./mcp/published-server.ts";

// What the conventions ask of whoever calls on: https://github.com/open-telemetry/semantic-conventions-genai
let collector: OtlpCollector;
let gatehouse: TestGatehouse;
let upstream: MockUpstream;

beforeAll(async () => {
  collector = await startOtlpCollector();
  upstream = await startMockUpstream();
  const fixture = {
    command: process.execPath,
    args: [join(import.meta.dirname, "mcp/channel/stdio-fixture.ts")],
    env: {},
    inherit: [],
  };
  gatehouse = await startTestGatehouse({
    "telemetry.endpoint": collector.url,
    "telemetry.prometheus.port": "0",
    "mcp.stdio": JSON.stringify({ fixture }),
  });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
  await collector[Symbol.asyncDispose]();
});

/** The SERVER and the CLIENT span of an exchange, when they have been sent. */
async function spansOf(id: unknown): Promise<readonly ReceivedSpan[]> {
  const own = () => {
    const spans = collector.spans();
    const server = spans.find(({ attributes }) => attributes["gatehouse.exchange.id"] === id);
    const client = spans.find(({ parentSpanId }) => server !== undefined && parentSpanId === server.spanId);
    return server === undefined || client === undefined ? [] : [server, client];
  };
  await eventually("the spans are sent", () => own().length === 2, 10_000);
  return own();
}

const page = async () =>
  (await rawHttp(gatehouse.running.prometheusUrl ?? "", { method: "GET", headers: {} })).body.toString();

test("a try at a model says where it went and which provider it asked, and the operation says the latter too", async () => {
  const api = await gatehouse.llm("chat", `${upstream.url}/v1`);
  upstream.respond(chatAnswer("Hi."));
  const headers = { "content-type": "application/json", authorization: `Bearer ${api.key}` };
  const answer = await rawHttp(`${api.url}/chat/completions`, { headers, body: '{"model":"m"}' });
  const [server, client] = await spansOf(answer.headers["x-request-id"]);
  const { hostname, port } = new URL(upstream.url);
  expect(client?.attributes).toMatchObject({
    "server.address": hostname,
    "server.port": Number(port),
    "gen_ai.provider.name": "openai-compatible",
    "gatehouse.provider.name": "chat",
  });
  expect(server?.attributes).toMatchObject({ "gen_ai.provider.name": "openai-compatible" });
  expect(server?.attributes).not.toHaveProperty("server.address");
  const rows = (await gatehouse.events()).filter(({ exchange_id: of }) => of === answer.headers["x-request-id"]);
  for (const row of rows) expect(row).not.toHaveProperty("peer");
});

test("a server on its standard streams is reached by a pipe, and its callers come by TCP", async () => {
  const server = await publishServer(gatehouse, "files", "http://unused.example", {
    upstream: { url: undefined, stdio: "fixture" },
  });
  const answer = await server.post(toolCall("modern", 1, "echo", { words: "x" }), { era: "modern" });
  const [outer, inner] = await spansOf(answer.headers["x-request-id"]);
  expect(outer?.attributes).toMatchObject({ "network.transport": "tcp", "network.protocol.name": "http" });
  expect(inner).toMatchObject({ name: "tools/call echo", attributes: { "network.transport": "pipe" } });
  for (const name of ["network.protocol.name", "server.address", "server.port"])
    expect(inner?.attributes).not.toHaveProperty(name);
  expect(await page()).toMatch(/mcp_client_operation_duration_seconds_count\{.*network_transport="pipe".*\} 1\n/);
});

test("how long a session was is measured when its client ends it, and not when somebody else tries", async () => {
  upstream.respond((request, response) => {
    response.writeHead(200, { "content-type": "application/json", "mcp-session-id": "s1" });
    response.end(request.method === "DELETE" ? "" : JSON.stringify(textResult(messageOf(request).id, "ok")));
  });
  const server = await publishServer(gatehouse, "tools", `${upstream.url}/mcp`);
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } };
  const begun = await server.post({ jsonrpc: "2.0", id: 0, method: "initialize", params });
  const session = String(begun.headers["mcp-session-id"]);
  const end = (id: string) =>
    rawHttp(server.url, {
      method: "DELETE",
      headers: { authorization: `Bearer ${server.key}`, "mcp-session-id": id, "mcp-protocol-version": "2025-11-25" },
    });
  expect((await end(`${session}x`)).status).toBe(404);
  expect((await end(session)).status).toBe(200);
  expect((await end(session)).status).toBe(404);
  const counted = /mcp_server_session_duration_seconds_count\{.*gatehouse_api_name="tools".*\} (\d+)\n/;
  const own = { gatehouse_api_name: "tools", mcp_protocol_version: "2025-11-25", network_transport: "tcp" };
  await eventually("all three are counted", async () =>
    /http_server_request_duration_seconds_count\{gatehouse_api_name="tools",http_request_method="DELETE",http_response_status_code="404".*\} 2\n/.test(
      await page(),
    ),
  );
  const found = counted.exec(await page());
  expect(found?.[1]).toBe("1");
  for (const [name, value] of Object.entries(own)) expect(found?.[0]).toContain(`${name}="${value}"`);
});
