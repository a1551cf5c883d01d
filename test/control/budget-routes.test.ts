import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { generateApiKey } from "../../src/core/api-keys.ts";
import { createUser } from "../../src/core/users.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../kit/gatehouse.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { startMockUpstream } from "../kit/mock-upstream.ts";
import { rawHttp } from "../kit/raw-http.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  const prices = { m: { input: "1000", output: "1000" } }; // 0.001 a token
  await gatehouse.put("LlmProvider", "p", {
    use: "openai-compatible",
    with: { baseUrl: `${upstream.url}/v1` },
    prices,
  });
  const to = { production: { targets: [{ provider: "p" }] }, sandbox: { sameAs: "production" } };
  await gatehouse.put("LlmApi", "chat", { context: "/chat", upstream: to });
  await gatehouse.put("Application", "bot", {
    policies: [
      { use: "token-limit", with: { tokens: 1_000, window: "month" } },
      { use: "quota", with: { windows: [{ requests: 7, window: "month" }], per: "key" } },
    ],
  });
  await gatehouse.put("Team", "default", {
    policies: [{ use: "quota", with: { windows: [{ requests: 99, window: "month" }] } }],
  });
  const budgets = [
    { measure: "cost", amount: "2.50", window: "month" },
    { measure: "requests", amount: 9, window: "month" },
  ];
  const spec = { api: { kind: "LlmApi", name: "chat" }, environment: "production", application: "bot", budgets };
  const { key } = await generateApiKey(gatehouse.running.context, testActor, { metadata: { name: "k" }, spec });
  const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
  const url = `${gatehouse.running.gatewayUrl}/chat/v1/chat/completions`;
  await rawHttp(url, { headers, body: '{"model":"m","max_tokens":5}' }); // ten tokens
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

async function budgets(query: string) {
  const { controlUrl, adminToken } = gatehouse.running;
  const headers = { authorization: `Bearer ${adminToken}` };
  const answer = await rawHttp(`${controlUrl}/api/v1/budgets${query}`, { method: "GET", headers });
  return { status: answer.status, body: answer.json() as { items: object[]; next?: string } }; // looked at by the tests
}

const aMoment = expect.stringMatching(/^\d{4}-\d\d-01T00:00:00/) as unknown;

/** What is projected depends on how far the month is. */
function withoutPace(item: object): object {
  return Object.fromEntries(Object.entries(item).filter(([name]) => name !== "projected"));
}

describe("200", () => {
  test("a key's budgets say what is spent, money as people write it", async () => {
    const { body } = await budgets("");
    const holder = { kind: "ApiKey", name: "k" };
    const spent = { used: "0.01", reserved: "0.00", remaining: "2.49", limit: "2.50" };
    expect(body.items.map(withoutPace)).toEqual([
      {
        holder,
        title: "2.50 USD a month for this key",
        measure: "cost",
        ...spent,
        resetsAt: expect.any(String) as unknown,
      },
      {
        holder,
        title: "9 requests a month for this key",
        measure: "requests",
        limit: 9,
        used: 1,
        reserved: 0,
        remaining: 8,
        resetsAt: expect.any(String) as unknown,
      },
    ]);
  });

  test("an application's and a team's are those that count by it alone", async () => {
    const { body } = await budgets("?kind=Application&name=bot");
    expect(body.items).toMatchObject([
      { holder: { kind: "Application", name: "bot" }, measure: "totalTokens", used: 10, limit: 1_000 },
    ]);
    expect((await budgets("?kind=Team")).body.items).toMatchObject([
      { holder: { name: "default" }, used: 1, limit: 99 },
    ]);
  });

  test("a window ends with its month", async () => {
    const { body } = await budgets("?name=k");
    expect(Reflect.get(body.items[0] ?? {}, "resetsAt")).toEqual(aMoment);
  });

  test("pages go over holders", async () => {
    await gatehouse.key("chat");
    const { body } = await budgets("?limit=1");
    expect(body.items).toHaveLength(2);
    expect((await budgets(`?limit=1&cursor=${body.next}`)).body.items).toEqual([]);
  });
});

test.each([
  ["404", "?name=nobody", 404],
  ["404 of an application", "?kind=Application&name=nobody", 404],
  ["a kind that has no limits of its own", "?kind=Secret", 400],
])("%s", async (_name, query, status) => {
  expect((await budgets(query)).status).toBe(status);
});

describe("a reset", () => {
  async function reset(body: object, token = gatehouse.running.adminToken) {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const url = `${gatehouse.running.controlUrl}/api/v1/budgets:reset`;
    const answer = await rawHttp(url, { method: "POST", headers, body: JSON.stringify(body) });
    return { status: answer.status, body: answer.json() as { items: object[] } }; // looked at by the tests
  }

  test("begins the limits of a key anew, tells how they stood and leaves a row; those of others stay", async () => {
    expect(await reset({ name: "k" })).toMatchObject({
      status: 200,
      body: {
        items: [
          { measure: "cost", used: "0.01" },
          { measure: "requests", used: 1 },
        ],
      },
    });
    expect((await budgets("?name=k")).body.items).toMatchObject([
      { used: "0.00", remaining: "2.50" },
      { used: 0, remaining: 9 },
    ]);
    expect((await budgets("?kind=Application&name=bot")).body.items).toMatchObject([{ used: 10 }]);
    const { catalog } = gatehouse.running.context;
    const { rows } = await catalog.read.audit.list({ action: "limit.reset" }, { limit: 10 });
    expect(rows).toMatchObject([
      { kind: "ApiKey", resourceName: "k", detail: { used: [{ measure: "cost", used: 10_000_000 }, { used: 1 }] } },
    ]);
  });

  test("of an application and a team too", async () => {
    expect(await reset({ kind: "Application", name: "bot" })).toMatchObject({ status: 200 });
    expect((await budgets("?kind=Application&name=bot")).body.items).toMatchObject([{ used: 0, remaining: 1_000 }]);
    expect(await reset({ kind: "Team", name: "default" })).toMatchObject({ status: 200 });
    expect((await budgets("?kind=Team")).body.items).toMatchObject([{ used: 0, remaining: 99 }]);
  });

  test.each([
    ["400", { kind: "Secret", name: "k" }],
    ["400", {}],
    ["400", { name: "k", amount: -5 }],
    ["404", { name: "nobody" }],
  ])("%s of %j", async (status, body) => {
    expect((await reset(body)).status).toBe(Number(status));
  });

  test("403 for who may not change limits, of the right team, or those of teams", async () => {
    const { context, controlUrl, adminToken } = gatehouse.running;
    await gatehouse.put("Team", "blue", {});
    const tokenOf = async (name: string, spec: object): Promise<string> => {
      await createUser(context, testActor, { metadata: { name }, spec });
      const headers = { authorization: `Bearer ${adminToken}`, "content-type": "application/json" };
      const body = JSON.stringify({ name, user: name, expiresInDays: 1 });
      const answer = await rawHttp(`${controlUrl}/api/v1/access-tokens`, { method: "POST", headers, body });
      return (answer.json() as { token: string }).token; // calls with none are 401
    };
    const subscriber = await tokenOf("sue", { teams: [{ team: "default", roles: ["subscriber"] }] });
    const publisher = await tokenOf("pia", { teams: [{ team: "default", roles: ["api-publisher"] }] });
    const other = await tokenOf("otto", { teams: [{ team: "blue", roles: ["api-publisher"] }] });
    expect((await reset({ name: "k" }, subscriber)).status).toBe(403);
    expect((await reset({ name: "k" }, publisher)).status).toBe(200);
    expect((await reset({ name: "k" }, other)).status).toBe(404);
    expect((await reset({ kind: "Team", name: "default" }, publisher)).status).toBe(403);
  });
});
