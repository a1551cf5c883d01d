import { afterAll, beforeAll, expect, test } from "vitest";
import { loadConfig } from "../src/config.ts";
import { openTelemetry } from "../src/open-telemetry.ts";
import { eventually } from "./kit/eventually.ts";
import type { TestGatehouse } from "./kit/gatehouse.ts";
import { memoryLog, startTestGatehouse } from "./kit/gatehouse.ts";
import { manualClock } from "./kit/manual-clock.ts";
import type { MockUpstream } from "./kit/mock-upstream.ts";
import { json, startMockUpstream } from "./kit/mock-upstream.ts";
import { startOtlpCollector } from "./kit/otlp-collector.ts";
import { rawHttp } from "./kit/raw-http.ts";

const token = "a-token-of-enough-length";
const counted = { spooled: 5, written: 4, dropped: 0, rejected: 0, backlogBytes: 7 };
const analytics = { reader: { status: () => counted } };
let upstream: MockUpstream;

beforeAll(async () => {
  const usage = { prompt_tokens: 11, completion_tokens: 5 };
  upstream = await startMockUpstream(json(200, { choices: [], usage }));
});

afterAll(() => upstream[Symbol.asyncDispose]());

async function chat(gatehouse: TestGatehouse): Promise<void> {
  const api = await gatehouse.llm("chat", `${upstream.url}/v1`);
  const headers = { "content-type": "application/json", authorization: `Bearer ${api.key}` };
  await rawHttp(`${api.url}/chat/completions`, { headers, body: '{"model":"m"}' });
}

function read(url: string, headers: Record<string, string> = {}) {
  return rawHttp(url, { method: "GET", headers });
}

test("Prometheus reads what has passed, on a port of its own", async () => {
  await using gatehouse = await startTestGatehouse({ "telemetry.prometheus.port": "0" });
  await chat(gatehouse);
  const url = gatehouse.running.prometheusUrl ?? "";
  const text = async () => (await read(url)).body.toString();
  await eventually("the request is counted", async () => (await text()).includes("http_server_request_duration"));
  const answer = await read(url);
  expect(answer.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(await text()).toContain(
    'gen_ai_client_token_usage_sum{gen_ai_operation_name="chat",gen_ai_provider_name="openai-compatible",gatehouse_provider_name="chat",gen_ai_request_model="m",gatehouse_api_name="chat",gen_ai_token_type="input"} 11',
  );
  expect((await read(url.replace("/metrics", "/"))).status).toBe(404);
  expect((await read(url, { host: "evil.example.com" })).status).toBe(403);
  expect((await read(`${gatehouse.running.gatewayUrl}/metrics`)).status).toBe(404);
});

test("where a token is configured, nothing is told without it", async () => {
  const settings = { "telemetry.prometheus.port": "0", "telemetry.prometheus.token": token };
  await using gatehouse = await startTestGatehouse(settings);
  const url = gatehouse.running.prometheusUrl ?? "";
  expect((await read(url)).status).toBe(401);
  expect((await read(url, { authorization: `Bearer ${token}x` })).status).toBe(401);
  expect((await read(url, { authorization: `Bearer ${token}`, host: "10.0.0.7:9464" })).status).toBe(200);
});

test("a port beyond loopback is refused without a token", () => {
  const flags = { "telemetry.prometheus.port": "0", "telemetry.prometheus.host": "0.0.0.0" };
  expect(() => loadConfig({ flags, env: {} })).toThrow(/telemetry\.prometheus\.token/);
  expect(() => loadConfig({ flags: { ...flags, "telemetry.prometheus.token": token }, env: {} })).not.toThrow();
});

test("a process that stops gives the collector what it has, of all signals", async () => {
  await using collector = await startOtlpCollector();
  const gatehouse = await startTestGatehouse({ "telemetry.endpoint": collector.url, "telemetry.logs": "all" });
  await chat(gatehouse);
  await gatehouse[Symbol.asyncDispose]();
  expect(collector.spans().map(({ kind }) => kind)).toEqual([2, 3]);
  expect(collector.bodies("logs")).toHaveLength(1);
  const metrics = JSON.stringify(collector.bodies("metrics"));
  const counters = ["spooled", "written", "dropped", "rejected", "backlog"].map((name) => `gatehouse.events.${name}`);
  for (const name of ["http.server.request.duration", ...counters]) expect(metrics).toContain(`"${name}"`);
});

test("a process that stops waits two seconds for a collector that never answers, and no longer", async () => {
  await using collector = await startOtlpCollector(() => undefined);
  const config = loadConfig({ flags: { "telemetry.endpoint": collector.url }, env: {} });
  const clock = manualClock();
  const parts = { clock, log: memoryLog(), node: "n", analytics };
  const telemetry = await openTelemetry(config, parts);
  let hasEnded = false;
  void telemetry[Symbol.asyncDispose]().then(() => (hasEnded = true));
  await eventually("the collector is asked", () => collector.seen.length > 0);
  clock.advance(2_000);
  await eventually("it has ended", () => hasEnded, 5_000); // its calls alone would go on for ten
});

test("nothing is traced, sent or listened to where nothing is configured", async () => {
  const config = loadConfig({ flags: {}, env: {} });
  const spool = { isOpen: true, record: () => undefined, dropped: 0 };
  await using telemetry = await openTelemetry(config, { clock: manualClock(), log: memoryLog(), node: "n", analytics });
  expect(telemetry.sinkWith(spool)).toBe(spool);
  expect(telemetry.prometheusUrl).toBeUndefined();
});
