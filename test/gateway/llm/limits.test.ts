import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { generateApiKey, updateApiKey } from "../../../src/core/api-keys.ts";
import { eventually } from "../../kit/eventually.ts";
import type { TestApi, TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { chatAnswer, chunk, done, events, startMockUpstream, usageChunk } from "../../kit/mock-upstream.ts";
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

beforeEach(() => upstream.respond(chatAnswer("Hello."))); // 7 tokens of prompt, 3 of answer

function ask({ url, key }: TestApi, body: object = {}, headers: Record<string, string> = {}) {
  const all = { "content-type": "application/json", authorization: `Bearer ${key}`, ...headers };
  return rawHttp(`${url}/chat/completions`, {
    headers: all,
    body: JSON.stringify({ model: "m", max_tokens: 5, ...body }),
  });
}

const statuses = async (...answers: ReturnType<typeof ask>[]) =>
  (await Promise.all(answers)).map(({ status }) => status);

describe("token limits", () => {
  test("count what the upstream says, and tell it in OpenAI's headers", async () => {
    const api = await gatehouse.llm("tokens", `${upstream.url}/v1`, {
      policies: [{ use: "token-limit", with: { tokens: 100, window: "month" } }],
    });
    expect((await ask(api)).headers["x-ratelimit-limit-tokens"]).toBe("100");
    const left = Number((await ask(api)).headers["x-ratelimit-remaining-tokens"]);
    expect(left).toBeLessThan(100 - 10 - 5); // ten are spent, and this call's own are reserved
    expect(left).toBeGreaterThan(50);
  });

  test("of a month refuse as OpenAI refuses a quota: no SDK tries again", async () => {
    const api = await gatehouse.llm("spent", `${upstream.url}/v1`, {
      policies: [{ use: "token-limit", with: { tokens: 24, window: "month" } }],
    });
    await ask(api);
    const refused = await ask(api);
    expect(refused.status).toBe(429);
    expect(refused.json()).toMatchObject({ error: { type: "insufficient_quota", code: "insufficient_quota" } });
    expect(refused.headers["x-should-retry"]).toBe("false");
    const bodies = await ask(api, { messages: [{ role: "user", content: "x".repeat(1_000) }] });
    expect(bodies.json()).toMatchObject({ error: { message: expect.stringContaining("more than the whole limit") } });
    expect(bodies.headers["retry-after"]).toBeUndefined();
  });

  test("cut a stream that grows beyond its reservation with the dialect's error, and bill what was sent", async () => {
    const api = await gatehouse.llm("cut", `${upstream.url}/v1`, {
      policies: [
        { use: "token-limit", with: { tokens: 1_000, window: "month", reserveOutput: 20, longAnswer: "cut" } },
      ],
    });
    upstream.respond(events([...Array.from({ length: 40 }, (_, at) => chunk({ content: `w${at} ` })), done]));
    const answer = await ask(api, { max_tokens: undefined, stream: true });
    expect(answer.text).toContain("w19 ");
    expect(answer.text).not.toContain("w20 ");
    expect(answer.text).toContain("longer than what the caller's limits had room for");
    expect(answer.text).not.toContain("[DONE]");
    const row = (await gatehouse.events()).find(({ exchange_id }) => exchange_id === answer.headers["x-request-id"]);
    expect(row).toMatchObject({ error_code: "limit.budget", usage_source: "estimated" });
  });

  test("let a stream that stays within run as it is, usage unseen", async () => {
    const api = await gatehouse.llm("uncut", `${upstream.url}/v1`, {
      policies: [{ use: "token-limit", with: { tokens: 1_000, window: "month", longAnswer: "cut" } }],
    });
    upstream.respond(
      events([
        chunk({ content: "a" }),
        chunk({}, { finish: "stop" }),
        usageChunk({ prompt_tokens: 7, completion_tokens: 1 }),
        done,
      ]),
    );
    const answer = await ask(api, { stream: true });
    expect(answer.text).toContain("[DONE]");
    expect(answer.text).not.toContain("usage");
  });

  test("know the API's own bound on answers, which goes into every request that asks for more", async () => {
    const api = await gatehouse.llm("bounded", `${upstream.url}/v1`, {
      maxOutputTokens: 50,
      policies: [{ use: "token-limit", with: { tokens: 1_000, window: "month" } }],
    });
    const sent = async (body: object) => {
      const answer = await ask(api, body);
      expect(answer.status).toBe(200);
      return JSON.parse(upstream.seen.at(-1)?.body.toString() ?? "") as unknown; // compared whole below
    };
    expect(await sent({ max_tokens: undefined })).toEqual({ model: "m", max_tokens: 50 });
    expect(await sent({ max_tokens: 51 })).toEqual({ model: "m", max_tokens: 50 });
    expect(await sent({ max_tokens: 7 })).toEqual({ model: "m", max_tokens: 7 });
    expect(await sent({ max_tokens: undefined, max_completion_tokens: 900 })).toEqual({
      model: "m",
      max_completion_tokens: 50,
    });
    expect(await sent({ max_tokens: null })).toEqual({ model: "m", max_tokens: 50 });
    expect(await sent({ max_tokens: undefined, stream: true })).toMatchObject({
      max_tokens: 50,
      stream_options: { include_usage: true },
    });
  });
});

describe("money budgets", () => {
  test("are spent at the operator's prices, and refuse a model that has none", async () => {
    const prices = { m: { input: "1000.00", output: "1000.00" } }; // 1,000,000 billionths a token
    await gatehouse.put("LlmProvider", "priced", {
      use: "openai-compatible",
      with: { baseUrl: `${upstream.url}/v1` },
      prices,
    });
    const targets = { production: { targets: [{ provider: "priced" }] }, sandbox: { sameAs: "production" } } as const;
    await gatehouse.put("LlmApi", "priced", {
      context: "/priced",
      upstream: targets,
      policies: [{ use: "cost-budget", with: { amount: "0.05", window: "month", per: "key" } }],
    });
    const api = { url: `${gatehouse.running.gatewayUrl}/priced/v1`, key: await gatehouse.key("priced") };
    const first = await ask(api);
    expect(first.status).toBe(200); // 0.01 is spent
    const answers = [];
    for (let count = 0; count < 6; count += 1) answers.push((await ask(api)).status);
    expect(answers.filter((status) => status === 200).length).toBeLessThanOrEqual(4);
    expect(answers.at(-1)).toBe(429);
    const unpriced = await ask({ ...api, key: await gatehouse.key("priced") }, { model: "new" });
    expect([unpriced.status, unpriced.headers["x-should-retry"]]).toEqual([400, "false"]);
    expect(unpriced.json()).toMatchObject({
      error: { param: "model", code: "model_not_priced", message: expect.stringContaining('"new"') },
    });
  });
});

describe("a key's own budgets", () => {
  test("hold beside all others, change and go within the product, and survive a regeneration by their id", async () => {
    const { context } = gatehouse.running;
    const api = await gatehouse.llm("own", `${upstream.url}/v1`);
    const spec = { api: { kind: "LlmApi", name: "own" }, environment: "production" };
    const budgets = [
      { measure: "requests", amount: 2, window: "month" },
      { measure: "totalTokens", amount: 1_000_000, window: "day", timeZone: "Europe/Vienna" },
    ];
    const { key } = await generateApiKey(context, testActor, {
      metadata: { name: "own-key" },
      spec: { ...spec, budgets },
    });
    const holder = { url: api.url, key };
    expect(await statuses(ask(holder), ask(holder), ask(holder))).toEqual(expect.arrayContaining([200, 200, 429]));
    expect((await ask(holder)).json()).toMatchObject({
      error: { message: expect.stringContaining("2 requests a month for this key") },
    });
    expect((await ask(api)).status).toBe(200);
    await updateApiKey(context, testActor, "own-key", { spec: { budgets: [{ ...budgets[0], amount: 4 }] } }, 1);
    expect([(await ask(holder)).status, (await ask(holder)).status, (await ask(holder)).status]).toEqual([
      200, 200, 429,
    ]);
    await updateApiKey(context, testActor, "own-key", { spec: { budgets: [] } }, 2);
    expect((await ask(holder)).status).toBe(200);
  });

  test.each([
    ["a negative amount", [{ measure: "requests", amount: -1, window: "month" }]],
    ["more than can be counted", [{ measure: "requests", amount: 1e18, window: "month" }]],
    ["money as a number", [{ measure: "cost", amount: 5, window: "month" }]],
    ["an unknown measure", [{ measure: "hugs", amount: 5, window: "month" }]],
    ["an unknown window", [{ measure: "requests", amount: 5, window: "decade" }]],
    ["an unknown time zone", [{ measure: "requests", amount: 5, window: "month", timeZone: "Mars/Olympus" }]],
    ["six of them", Array.from({ length: 6 }, () => ({ measure: "requests", amount: 5, window: "month" }))],
  ])("are refused with %s", async (_name, budgets) => {
    const spec = { api: { kind: "LlmApi", name: "own" }, environment: "production", budgets };
    await expect(generateApiKey(gatehouse.running.context, testActor, { spec })).rejects.toMatchObject({
      code: "resource.invalid",
    });
  });

  test("of nought let nothing through, and two over the same window both hold", async () => {
    await gatehouse.llm("nought", `${upstream.url}/v1`);
    const url = `${gatehouse.running.gatewayUrl}/nought/v1`;
    const nought = await gatehouse.key("nought", { budgets: [{ measure: "requests", amount: 0, window: "month" }] });
    const refused = await ask({ url, key: nought });
    expect([refused.status, refused.headers["x-should-retry"], refused.headers["retry-after"]]).toEqual([
      429,
      "false",
      undefined,
    ]);
    const twice = [
      { measure: "requests", amount: 5, window: "hour" },
      { measure: "requests", amount: 1, window: "hour" },
    ];
    const key = await gatehouse.key("nought", { budgets: twice });
    expect([(await ask({ url, key })).status, (await ask({ url, key })).status]).toEqual([200, 429]);
  });
});

describe("limits on teams and applications", () => {
  test("hold over all their APIs and keys, without publishing anything, and nest", async () => {
    const first = await gatehouse.llm("nest-a", `${upstream.url}/v1`);
    await gatehouse.llm("nest-b", `${upstream.url}/v1`);
    await gatehouse.put("Application", "nested", {
      policies: [{ use: "quota", with: { windows: [{ requests: 3, window: "month" }] } }],
    });
    const keys = [
      { url: first.url, key: await gatehouse.key("nest-a", { application: "nested" }) },
      { url: first.url.replace("nest-a", "nest-b"), key: await gatehouse.key("nest-b", { application: "nested" }) },
    ] as const;
    expect([(await ask(keys[0])).status, (await ask(keys[1])).status, (await ask(keys[0])).status]).toEqual([
      200, 200, 200,
    ]);
    expect((await ask(keys[1])).status).toBe(429);
    expect((await ask(first)).status).toBe(200); // a key of nobody's application
    await gatehouse.put("Application", "nested", {
      policies: [{ use: "quota", with: { windows: [{ requests: 4, window: "month" }] } }],
    });
    expect([(await ask(keys[1])).status, (await ask(keys[1])).status]).toEqual([200, 429]); // what was taken stays taken
    await gatehouse.put("Team", "default", {
      policies: [{ use: "quota", with: { windows: [{ requests: 1, window: "month" }] } }],
    });
    expect([(await ask(first)).status, (await ask(first)).status]).toEqual([200, 429]); // the team's, not each application's
    await gatehouse.put("Team", "default", {});
    expect((await ask(first)).status).toBe(200);
  });

  test.each(["api-key", "regex", "ip-filter"])("refuse %s when they are saved", async (use) => {
    const refused = gatehouse.put("Application", "odd", { policies: [{ use, with: {} }] });
    await expect(refused).rejects.toMatchObject({
      code: "resource.invalid",
      message: expect.stringContaining("is no limit"),
    });
  });
});

describe("labels", () => {
  test("of keys and allowed headers stand on rows, and are counted by", async () => {
    const api = await gatehouse.llm("labelled", `${upstream.url}/v1`, {
      policies: [{ use: "quota", with: { windows: [{ requests: 1, window: "month" }], per: { label: "department" } } }],
    });
    await gatehouse.put("Gateway", "default", {
      labels: { fromHeaders: { project: "x-project", department: "x-department" } },
    });
    const { context } = gatehouse.running;
    const made = (department: string) =>
      generateApiKey(context, testActor, {
        metadata: { labels: { department } },
        spec: { api: { kind: "LlmApi", name: "labelled" }, environment: "production" },
      });
    const [sales, more, law] = [await made("sales"), await made("sales"), await made("law")];
    const asked = (key: string, headers = {}) => ask({ url: api.url, key }, {}, headers);
    const first = await asked(sales.key, { "x-project": "apollo", "x-department": "law" });
    expect(first.status).toBe(200);
    expect([(await asked(more.key)).status, (await asked(law.key)).status]).toEqual([429, 200]);
    const row = (await gatehouse.events()).find(({ exchange_id }) => exchange_id === first.headers["x-request-id"]);
    expect(row).toMatchObject({ labels: { department: "sales", project: "apollo" } });
    expect([(await ask(api)).status, (await ask(api)).status]).toEqual([200, 429]); // those without are counted together
    await gatehouse.put("Gateway", "default", {});
  });
});

test("a client that leaves a stream pays for what was sent", async () => {
  const api = await gatehouse.llm("leaving", `${upstream.url}/v1`, {
    policies: [{ use: "token-limit", with: { tokens: 10_000, window: "month", reserveOutput: 5_000 } }],
  });
  upstream.respond((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (let count = 0; count < 9; count += 1) response.write(chunk({ content: "word" }));
  });
  const aborter = new AbortController();
  const headers = { "content-type": "application/json", authorization: `Bearer ${api.key}` };
  const body = '{"model":"m","stream":true}';
  const answer = await fetch(`${api.url}/chat/completions`, { method: "POST", headers, body, signal: aborter.signal });
  await answer.body?.getReader().read();
  aborter.abort();
  upstream.respond(chatAnswer("Hello."));
  await eventually("the reservation was settled", async () => {
    const left = Number((await ask(api, { max_tokens: 1 })).headers["x-ratelimit-remaining-tokens"]);
    return left > 9_000 && left < 9_990;
  });
});
