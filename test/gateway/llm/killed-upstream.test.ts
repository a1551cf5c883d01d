import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../kit/eventually.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { Respond } from "../../kit/mock-upstream.ts";
import { chatAnswer, chunk, done, events, json, startMockUpstream } from "../../kit/mock-upstream.ts";
import { rawHttp } from "../../kit/raw-http.ts";

let gatehouse: TestGatehouse;

beforeAll(async () => {
  gatehouse = await startTestGatehouse();
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
});

/** An API over two providers, the first one before the second. */
async function pair(name: string, first: Respond, second: Respond, more: object = {}) {
  const [a, b] = [await startMockUpstream(first), await startMockUpstream(second)];
  for (const [which, { url }] of [["a", a] as const, ["b", b] as const]) {
    const spec = { use: "openai-compatible", with: { baseUrl: `${url}/v1` } };
    await gatehouse.put("LlmProvider", `${name}-${which}`, spec);
  }
  const targets = [{ provider: `${name}-a` }, { provider: `${name}-b` }];
  const production = { targets, strategy: { use: "failover" }, ...more };
  const api = await gatehouse.llm(name, `${a.url}/v1`, {
    upstream: { production, sandbox: { sameAs: "production" } },
  });
  const dispose = async () => Promise.all([a, b].map((upstream) => upstream[Symbol.asyncDispose]()));
  return { a, b, api, [Symbol.asyncDispose]: async () => void (await dispose()) };
}

const silent: Respond = () => undefined;

function ask({ url, key }: { url: string; key: string }, body: object = {}, headers: Record<string, string> = {}) {
  const all = { "content-type": "application/json", authorization: `Bearer ${key}`, ...headers };
  return rawHttp(`${url}/chat/completions`, { headers: all, body: JSON.stringify({ model: "m", ...body }) });
}

test("of 1,000 requests in flight none is lost when their upstream is killed", async () => {
  await using scene = await pair("killed", silent, chatAnswer("from the other one"));
  const all = Array.from({ length: 1_000 }, () => ask(scene.api));
  await eventually("all have reached the first", () => scene.a.seen.length === 1_000, 45_000);
  await scene.a[Symbol.asyncDispose]();
  const answers = await Promise.all(all);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1_000);
  expect(answers.every(({ text }) => text.includes("from the other one"))).toBe(true);
  expect(scene.b.seen).toHaveLength(1_000);
}, 90_000);

test("streams that had their first byte end with an error, and are not begun again elsewhere", async () => {
  const begun = chunk({ role: "assistant", content: "He" });
  const hold: Respond = (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(begun);
  };
  await using scene = await pair("begun", hold, events([chunk({ content: "other" }), done]));
  const { url, key } = scene.api;
  const text = await new Promise<string>((resolve, reject) => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
    const call = request(`${url}/chat/completions`, { method: "POST", headers, agent: false }, (response) => {
      let all = "";
      response.setEncoding("utf8");
      response.once("data", () => void scene.a[Symbol.asyncDispose]());
      response.on("data", (piece: string) => {
        all += piece;
      });
      response.on("end", () => resolve(all));
      response.on("error", reject);
    });
    call.on("error", reject);
    call.end('{"model":"m","stream":true}');
  });
  expect(text).toContain(begun);
  expect(text).toContain('"code":"upstream_reset"');
  expect(text).not.toContain("[DONE]");
  expect(scene.b.seen).toHaveLength(0);
});

describe("a storm of refusals", () => {
  const refused = (retryAfter: string) =>
    json(429, { error: { message: "slow down", type: "rate_limit_error" } }, { "retry-after": retryAfter });

  test("reaches each provider once for the time that it asks for, and callers are told when to come back", async () => {
    await using scene = await pair("storm", refused("30"), refused(new Date(Date.now() + 40_000).toUTCString()));
    expect((await ask(scene.api)).status).toBe(429);
    const answers = await Promise.all(Array.from({ length: 200 }, () => ask(scene.api)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
    expect(answers.every(({ headers }) => Number(headers["retry-after"]) <= 30)).toBe(true);
    expect([scene.a.seen.length, scene.b.seen.length]).toEqual([1, 1]);
  });

  test("at one provider is answered by the other, which alone is asked from then on", async () => {
    await using scene = await pair("one-storm", refused("3600"), chatAnswer("calm"));
    const answers = [await ask(scene.api), await ask(scene.api), await ask(scene.api)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect([scene.a.seen.length, scene.b.seen.length]).toEqual([1, 3]);
  });

  test("cannot make more requests of it than the retry budget allows", async () => {
    const breaker = { failures: 0 };
    const retryBudget = { share: 0, burst: 10 };
    await using scene = await pair("budget", json(503, {}), json(503, {}), { breaker, retryBudget, maxAttempts: 5 });
    const retried = { "x-stainless-retry-count": "1" };
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask(scene.api, {}, retried)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
    expect([scene.a.seen.length, scene.b.seen.length]).toEqual([100, 10]);
  });
});

test("a provider whose limit is used up is left alone until it is whole again, though it has answered", async () => {
  const last = { "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "1h0m0s" };
  await using scene = await pair("used-up", json(200, { choices: [] }, last), chatAnswer("fresh"));
  expect([(await ask(scene.api)).status, (await ask(scene.api)).status]).toEqual([200, 200]);
  expect([scene.a.seen.length, scene.b.seen.length]).toEqual([1, 1]);
});

describe("what becomes of an answer of the first provider", () => {
  const error = (code: string) => ({ error: { message: code, type: "invalid_request_error", code } });
  const rows: readonly { readonly name: string; readonly first: Respond; readonly next: boolean }[] = [
    { name: "400", first: json(400, error("invalid_value")), next: false },
    { name: "405", first: json(405, {}), next: false },
    { name: "422", first: json(422, {}), next: false },
    { name: "401", first: json(401, {}), next: true },
    { name: "403", first: json(403, {}), next: true },
    { name: "404", first: json(404, error("model_not_found")), next: true },
    { name: "409", first: json(409, {}), next: true },
    { name: "413", first: json(413, {}), next: true },
    { name: "429", first: json(429, {}), next: true },
    { name: "500", first: json(500, {}), next: true },
    { name: "503", first: json(503, {}), next: true },
    { name: "a prompt that is too long for it", first: json(400, error("context_length_exceeded")), next: true },
    { name: "a refusal by its filter", first: json(400, error("content_filter")), next: false },
    { name: "HTML", first: (_request, response) => void response.writeHead(200).end("<html>"), next: true },
    { name: "nothing at all", first: (_request, response) => void response.destroy(), next: true },
  ];
  test.each(rows)("$name: the next is asked: $next", async ({ name, first, next }) => {
    await using scene = await pair(`row-${name.replaceAll(" ", "-").toLowerCase()}`, first, chatAnswer("next"));
    const { text } = await ask(scene.api);
    expect([text.includes("next"), scene.b.seen.length]).toEqual(next ? [true, 1] : [false, 0]);
  });

  test("a model that only the first one serves has no other to go to", async () => {
    await using scene = await pair("alone", json(500, {}), chatAnswer("next"));
    const targets = [{ provider: "alone-a" }, { provider: "alone-b", models: ["other"] }];
    const upstream = { production: { targets, strategy: { use: "failover" } }, sandbox: { sameAs: "production" } };
    await gatehouse.put("LlmApi", "alone", { context: "/alone", upstream });
    expect((await ask(scene.api)).status).toBe(500);
    expect(scene.b.seen).toHaveLength(0);
  });
});
