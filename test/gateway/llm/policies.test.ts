import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../kit/eventually.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { chatAnswer, chunk, startMockUpstream } from "../../kit/mock-upstream.ts";
import { rawHttp } from "../../kit/raw-http.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

function ask({ url, key }: { url: string; key: string }) {
  const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
  return rawHttp(`${url}/chat/completions`, { headers, body: '{"model":"m"}' });
}

test("a rate limit tells where the caller stands, and when to come back", async () => {
  const api = await gatehouse.llm("limited", `${upstream.url}/v1`, {
    policies: [{ use: "rate-limit", with: { requests: 2, windowMs: 60_000 } }],
  });
  const [first, second, third] = [await ask(api), await ask(api), await ask(api)];
  expect([first.status, second.status, third.status]).toEqual([200, 200, 429]);
  expect(first.headers).toMatchObject({ "x-ratelimit-limit-requests": "2", "x-ratelimit-remaining-requests": "1" });
  expect(third.json()).toMatchObject({ error: { type: "rate_limit_error", code: "rate_limit_exceeded", param: null } });
  const waitMs = Number(third.headers["retry-after-ms"]);
  expect(waitMs).toBeGreaterThan(25_000);
  expect(waitMs).toBeLessThanOrEqual(30_000);
  expect(third.headers["retry-after"]).toBe(String(Math.ceil(waitMs / 1_000)));
  expect(third.headers["x-should-retry"]).toBeUndefined(); // a limit frees itself
});

test("a limit in monitor mode lets pass and says in the row what it would have done", async () => {
  const api = await gatehouse.llm("watched", `${upstream.url}/v1`, {
    policies: [{ use: "rate-limit", with: { requests: 1, windowMs: 60_000 }, mode: "monitor" }],
  });
  await ask(api);
  const answer = await ask(api);
  expect(answer.status).toBe(200);
  const row = (await gatehouse.events()).find(({ exchange_id }) => exchange_id === answer.headers["x-request-id"]);
  expect(row).toMatchObject({
    outcome: "ok",
    decisions: [{ policy: "rate-limit", step: "admit", action: "deny", mode: "monitor", code: "limit.exceeded" }],
  });
});

test("a plan's policies hold for the application that subscribes to it, and for no other key", async () => {
  const api = await gatehouse.llm("planned", `${upstream.url}/v1`);
  await gatehouse.put("Plan", "small", { policies: [{ use: "rate-limit", with: { requests: 1, windowMs: 60_000 } }] });
  await gatehouse.put("Application", "bot", {});
  const reference = { kind: "LlmApi", name: "planned" };
  await gatehouse.put("Subscription", "bot-planned", { application: "bot", api: reference, plan: "small" });
  const key = await gatehouse.key("planned", { application: "bot" });
  const subscribed = { url: api.url, key };
  expect([(await ask(subscribed)).status, (await ask(subscribed)).status]).toEqual([200, 429]);
  expect([(await ask(api)).status, (await ask(api)).status]).toEqual([200, 200]);
});

test("a plan may not hold a policy that finds out who calls", async () => {
  const plan = gatehouse.put("Plan", "knowing", { policies: [{ use: "api-key", with: { header: "x-other" } }] });
  await expect(plan).rejects.toMatchObject({
    code: "resource.invalid",
    message: expect.stringContaining("a plan holds") as string,
  });
});

test("an API that asks for a subscription refuses a key without one, until it has one", async () => {
  const api = await gatehouse.llm("subscribers", `${upstream.url}/v1`, { security: { subscription: "required" } });
  expect((await ask(api)).status).toBe(403);
  await gatehouse.put("Plan", "free", {});
  await gatehouse.put("Application", "app", {});
  const key = await gatehouse.key("subscribers", { application: "app" });
  expect((await ask({ url: api.url, key })).status).toBe(403);
  const reference = { kind: "LlmApi", name: "subscribers" };
  await gatehouse.put("Subscription", "app-subscribers", { application: "app", api: reference, plan: "free" });
  expect((await ask({ url: api.url, key })).status).toBe(200);
});

test("a concurrency limit is free again when a stream has ended and when its client has left", async () => {
  const api = await gatehouse.llm("single", `${upstream.url}/v1`, {
    policies: [{ use: "concurrency-limit", with: { requests: 1 } }],
  });
  for (let round = 0; round < 3; round += 1) expect((await ask(api)).status).toBe(200);

  upstream.respond(
    (_request, response) => void response.writeHead(200, { "content-type": "text/event-stream" }).write(chunk({})),
  );
  const aborter = new AbortController();
  const headers = { "content-type": "application/json", authorization: `Bearer ${api.key}` };
  const body = '{"model":"m","stream":true}';
  await fetch(`${api.url}/chat/completions`, { method: "POST", headers, body, signal: aborter.signal });
  expect((await ask(api)).status).toBe(429);
  aborter.abort();
  upstream.respond(chatAnswer("Hello."));
  await eventually("the place is free", async () => (await ask(api)).status === 200);
});
