import { afterAll, beforeAll, expect, test } from "vitest";
import { generateApiKey } from "../../../src/core/api-keys.ts";
import type { AnalyticsEvent } from "../../../src/pipeline/event.ts";
import { eventually } from "../../kit/eventually.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { chunk, done, events, json, startMockUpstream, usageChunk } from "../../kit/mock-upstream.ts";
import { rawHttp } from "../../kit/raw-http.ts";

let gatehouse: TestGatehouse;
let first: MockUpstream;
let second: MockUpstream;
let url: string;
let key: string;

/** 10 millionths a token in, 1 for a kept one, 40 out; the second asks for twice as much. */
const prices = { m: { input: "10.00", cachedInput: "1.00", output: "40.00" } };
const dear = { m: { input: "20.00", output: "80.00" } };

beforeAll(async () => {
  first = await startMockUpstream();
  second = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  const provider = (name: string, baseUrl: string, own: object) =>
    gatehouse.put("LlmProvider", name, { use: "openai-compatible", with: { baseUrl: `${baseUrl}/v1` }, prices: own });
  await provider("first", first.url, prices);
  await provider("second", second.url, dear);
  await gatehouse.put("LlmApi", "paid", {
    context: "/paid",
    upstream: {
      production: {
        targets: [{ provider: "first" }, { provider: "second" }],
        strategy: { use: "failover" },
        timeouts: { firstByteMs: 3_000 },
        breaker: { failures: 0 },
      },
      sandbox: { sameAs: "production" },
    },
  });
  url = `${gatehouse.running.gatewayUrl}/paid/v1/chat/completions`;
  const spec = { api: { kind: "LlmApi", name: "paid" }, environment: "production" };
  const metadata = { labels: { project: "apollo" } };
  key = (await generateApiKey(gatehouse.running.context, testActor, { metadata, spec })).key;
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();
});

const headers = () => ({ "content-type": "application/json", authorization: `Bearer ${key}` });

async function rowsOf(body: object): Promise<readonly AnalyticsEvent[]> {
  const answer = await rawHttp(url, { headers: headers(), body: JSON.stringify({ model: "m", ...body }) });
  return (await gatehouse.events()).filter(({ exchange_id: id }) => id === answer.headers["x-request-id"]);
}

const usage = { prompt_tokens: 100, completion_tokens: 10, prompt_tokens_details: { cached_tokens: 60 } };
// 40 × 10 + 60 × 1 + 10 × 40
const cost = { cost: "0.00086", cost_currency: "USD", cost_source: "actual" };

test("a whole answer's cost stands in its row and in its try's, with who paid", async () => {
  first.respond(json(200, { choices: [], usage }));
  expect(await rowsOf({})).toMatchObject([
    { type: "exchange", ...cost },
    {
      type: "attempt",
      ...cost,
      api_name: "paid",
      environment: "production",
      labels: { project: "apollo" },
      input_tokens: 100,
      cached_input_tokens: 60,
      output_tokens: 10,
      price_as_of: null,
    },
  ]);
});

test("a stream costs what its usage says, which the client has not asked for", async () => {
  first.respond(events([chunk({ content: "a" }), chunk({}, { finish: "stop" }), usageChunk(usage), done]));
  expect(await rowsOf({ stream: true })).toMatchObject([cost, cost]);
});

test("a try that timed out is charged for the prompt beside the one that answered, at each one's own price", async () => {
  first.respond(() => undefined);
  second.respond(json(200, { choices: [], usage: { prompt_tokens: 100, completion_tokens: 10 } }));
  const body = { messages: [{ role: "user", content: "x".repeat(400) }] };
  const promptTokens = Math.ceil(JSON.stringify({ model: "m", ...body }).length / 4);
  const [exchange, ...tries] = await rowsOf(body);
  const [before, after] = [promptTokens * 10, 100 * 20 + 10 * 80].map((millionths) => millionths / 1e6);
  expect(tries.map((row) => Number(row.cost))).toEqual([before, after]);
  expect(tries).toMatchObject([
    { error_code: "upstream.timeout", cost_source: "estimated", usage_source: "estimated" },
    { error_code: null, cost_source: "actual" },
  ]);
  expect(exchange).toMatchObject({ cost_source: "estimated", input_tokens: 100, attempts: 2 });
  expect(Number(exchange?.cost)).toBeCloseTo((before ?? 0) + (after ?? 0), 9);
}, 30_000);

test("a try that was refused costs nothing", async () => {
  first.respond(json(503, { error: { message: "busy" } }));
  second.respond(json(200, { choices: [], usage: { prompt_tokens: 100, completion_tokens: 10 } }));
  expect(await rowsOf({})).toMatchObject([{ cost: "0.0028" }, { cost: "0.00" }, { cost: "0.0028" }]);
});

test("a model without a price has no cost, rather than none to pay", async () => {
  first.respond(json(200, { choices: [], usage }));
  const unknown = { cost: null, cost_currency: null, cost_source: "unknown" };
  expect(await rowsOf({ model: "new" })).toMatchObject([unknown, { ...unknown, input_tokens: 100 }]);
});

test("a stream that its client leaves has an estimated cost", async () => {
  first.respond((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(chunk({ content: "a" }) + chunk({ content: "b" }));
  });
  const before = (await gatehouse.events()).length;
  const aborter = new AbortController();
  const body = JSON.stringify({ model: "m", stream: true });
  const call = await fetch(url, { method: "POST", headers: headers(), body, signal: aborter.signal });
  await call.body?.getReader().read();
  aborter.abort();
  await eventually("the rows are written", async () => (await gatehouse.events()).length === before + 2);
  // a quarter of a token a byte of the request, and two pieces
  const millionths = Math.ceil(body.length / 4) * 10 + 2 * 40;
  const rows = (await gatehouse.events()).slice(before);
  expect(rows.map((row) => [Number(row.cost), row.cost_source])).toEqual([
    [millionths / 1e6, "estimated"],
    [millionths / 1e6, "estimated"],
  ]);
});

test("a request that is refused before any try has no cost", async () => {
  const answer = await rawHttp(url, { headers: { "content-type": "application/json" }, body: "{}" });
  const rows = (await gatehouse.events()).filter(({ exchange_id: id }) => id === answer.headers["x-request-id"]);
  expect(rows).toMatchObject([{ cost: null, cost_source: null }]);
});
