import { afterAll, beforeAll, expect, test } from "vitest";
import type { AnalyticsEvent } from "../../../src/pipeline/event.ts";
import { eventually } from "../../kit/eventually.ts";
import type { TestApi, TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { chatAnswer, chunk, done, events, json, startMockUpstream, usageChunk } from "../../kit/mock-upstream.ts";
import { rawHttp } from "../../kit/raw-http.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let api: TestApi;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  api = await gatehouse.llm("chat", `${upstream.url}/v1`);
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const headers = () => ({ "content-type": "application/json", authorization: `Bearer ${api.key}` });

/** The rows of one request, the exchange's first. */
async function rowsOf(body: string, more: Record<string, string> = {}): Promise<readonly AnalyticsEvent[]> {
  const answer = await rawHttp(`${api.url}/chat/completions`, { headers: { ...headers(), ...more }, body });
  return rowsNamed(String(answer.headers["x-request-id"]));
}

async function rowsNamed(id: string): Promise<readonly AnalyticsEvent[]> {
  return (await gatehouse.events()).filter(({ exchange_id }) => exchange_id === id);
}

const usage = { prompt_tokens: 11, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 3 } };

test("a whole answer has one row and one attempt, with the usage that the upstream told", async () => {
  upstream.respond(json(200, { choices: [], usage }));
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const rows = await rowsOf('{"model":"m"}', { traceparent, "x-stainless-retry-count": "1" });
  expect(rows).toMatchObject([
    {
      type: "exchange",
      outcome: "ok",
      http_status: 200,
      api_name: "chat",
      environment: "production",
      auth_method: "api-key",
      operation_kind: "chat",
      operation_name: "m",
      stream: false,
      trace_id: "0af7651916cd43dd8448eb211c80319c",
      client_retry_count: 1,
      input_tokens: 11,
      output_tokens: 5,
      cached_input_tokens: 3,
      usage_source: "actual",
      request_bytes: 13,
      attempts: 1,
    },
    { type: "attempt", attempt: 1, target: "chat", status: 200, error_code: null, model: "m" },
  ]);
});

test("a stream's usage is recorded although the client never saw it", async () => {
  upstream.respond(events([chunk({ content: "a" }), chunk({}, { finish: "stop" }), usageChunk(usage), done]));
  const [row] = await rowsOf('{"model":"m","stream":true}');
  expect(row).toMatchObject({ stream: true, input_tokens: 11, output_tokens: 5, usage_source: "actual" });
});

test("usage that was told before a stream broke off is only a part: what came is counted, and marked as estimated", async () => {
  const early = usageChunk({ prompt_tokens: 11, completion_tokens: 1 });
  upstream.respond(events([early, chunk({ content: "a" }), chunk({ content: "b" }), chunk({ content: "c" })]));
  const [row] = await rowsOf('{"model":"m","stream":true}');
  expect(row).toMatchObject({ outcome: "upstream_error", input_tokens: 11, usage_source: "estimated" });
  expect(row?.type === "exchange" && Number(row.output_tokens)).toBeGreaterThanOrEqual(3);
});

test("usage that the upstream does not tell is estimated, and marked so", async () => {
  upstream.respond(events([chunk({ content: "a" }), chunk({ content: "b" }), chunk({}, { finish: "stop" }), done]));
  const [row] = await rowsOf('{"model":"m","stream":true}');
  expect(row).toMatchObject({ input_tokens: 7, output_tokens: 3, usage_source: "estimated" });
});

test.each([
  ["without a key", { authorization: "" }, '{"model":"m"}', 401, "auth.missing_credentials", ""],
  ["with a wrong key", { authorization: "Bearer x" }, '{"model":"m"}', 401, "auth.invalid_credentials", ""],
  ["that is no JSON", {}, "{", 400, "request.malformed_json", ""],
])("a request %s has one row and no attempt", async (_name, more, body, http_status, error_code, operation_name) => {
  const rows = await rowsOf(body, more);
  expect(rows).toMatchObject([
    { type: "exchange", outcome: "denied", http_status, error_code, operation_name, attempts: 0 },
  ]);
});

test.each([
  ["in the middle of a stream", true],
  ["while it waits for an answer", false],
])("a client that leaves %s has a row of status 499, and what was used is estimated", async (_name, stream) => {
  const before = (await gatehouse.events()).length;
  const seenBefore = upstream.seen.length;
  upstream.respond((_request, response) => {
    if (!stream) return;
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(chunk({ content: "a" }) + chunk({ content: "b" }));
  });
  const aborter = new AbortController();
  const body = JSON.stringify({ model: "m", stream });
  const call = fetch(`${api.url}/chat/completions`, {
    method: "POST",
    headers: headers(),
    body,
    signal: aborter.signal,
  });
  if (stream) await (await call).body?.getReader().read();
  else await eventually("the upstream has the request", () => upstream.seen.length > seenBefore);
  aborter.abort();
  await call.catch(() => undefined);
  await eventually("the rows are written", async () => (await gatehouse.events()).length === before + 2);
  expect((await gatehouse.events()).slice(before)).toMatchObject([
    {
      type: "exchange",
      outcome: "cancelled",
      http_status: 499,
      error_code: "client.closed",
      input_tokens: Math.ceil(body.length / 4),
      output_tokens: stream ? 2 : 0,
      usage_source: "estimated",
    },
    { type: "attempt", error_code: "client.closed" },
  ]);
});

test("a request for a path that no API has leaves no row", async () => {
  const before = (await gatehouse.events()).length;
  await rawHttp(`${api.url}/unheard-of`, { headers: headers(), body: "{}" });
  upstream.respond(chatAnswer("Hello."));
  await rowsOf('{"model":"m"}');
  expect((await gatehouse.events()).length).toBe(before + 2);
});
