import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parameterAccess } from "../../src/policies/parameter-access.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { startMockUpstream } from "../kit/mock-upstream.ts";

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

let apis = 0;

async function ask(rules: readonly object[], body: object, path = "/chat/completions") {
  const policies = [
    { use: "parameter-access", with: { rules } },
    { use: "model-access", with: { deny: ["secret-*"] } },
  ];
  apis += 1;
  const api = await gatehouse.llm(`bounded-${apis}`, `${upstream.url}/v1`, { policies });
  const answer = await fetch(`${api.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${api.key}` },
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "hello" }], ...body }),
  });
  return {
    status: answer.status,
    body: (await answer.json()) as { error?: { param?: string; message: string; type: string } },
  }; // all dialects have it
}

const tools = [{ type: "function", function: { name: "f" } }, { type: "web_search" }];

describe("a rule", () => {
  test.each([
    { name: "of a number passes what is within", rule: { path: "$.max_tokens", max: 100 }, body: { max_tokens: 100 } },
    { name: "refuses more", rule: { path: "$.max_tokens", max: 100 }, body: { max_tokens: 101 }, param: "max_tokens" },
    { name: "refuses less", rule: { path: "$.temperature", min: 0 }, body: { temperature: -1 }, param: "temperature" },
    { name: "refuses what is no number", rule: { path: "$.n", max: 1 }, body: { n: "9" }, param: "n" },
    { name: "passes what is not there", rule: { path: "$.n", max: 1 }, body: {} },
    { name: "passes null as if it were not there", rule: { path: "$.tools", forbidden: true }, body: { tools: null } },
    { name: "forbids", rule: { path: "$.tools", forbidden: true }, body: { tools }, param: "tools" },
    { name: "asks for", rule: { path: "$.user", required: true }, body: {}, param: "user" },
    { name: "finds what it asks for", rule: { path: "$.user", required: true }, body: { user: "u" } },
    {
      name: "sees each of many",
      rule: { path: "$.tools[*].type", oneOf: ["function"] },
      body: { tools },
      param: "tools[1].type",
    },
    { name: "bounds lists", rule: { path: "$.tools", maxLength: 1 }, body: { tools }, param: "tools" },
    { name: "bounds texts", rule: { path: "$.user", maxLength: 2 }, body: { user: "abc" }, param: "user" },
    {
      name: "of a text refuses what is none",
      rule: { path: "$.user", maxLength: 2 },
      body: { user: { length: 0 } },
      param: "user",
    },
    {
      name: "looks anywhere",
      rule: { path: "$..image_url", forbidden: true },
      body: { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "https://a.example" } }] }] },
      param: "messages[0].content[0].image_url",
    },
  ])("$name", async ({ rule, body, param }) => {
    const answer = await ask([rule], body);
    expect([answer.status, answer.body.error?.param]).toEqual(param === undefined ? [200, undefined] : [400, param]);
  });
});

test("the refusal is in the caller's dialect and names the member", async () => {
  const { status, body } = await ask([{ path: "$.max_tokens", max: 100 }], { max_tokens: 200 }, "/messages");
  expect(status).toBe(400);
  expect(body).toMatchObject({
    type: "error",
    error: { type: "invalid_request_error", message: "`max_tokens` must be at most 100 here." },
  });
});

test("a member that stands twice is no way round", async () => {
  apis += 1;
  const policies = [{ use: "parameter-access", with: { rules: [{ path: "$.a.b", max: 1 }] } }];
  const api = await gatehouse.llm(`bounded-${apis}`, `${upstream.url}/v1`, { policies });
  const answer = await fetch(`${api.url}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${api.key}` },
    body: '{"model":"m","messages":[],"a":{"b":9,"b":1}}',
  });
  expect(answer.status).toBe(400);
});

test("models are refused in the caller's dialect", async () => {
  const { status, body } = await ask([{ path: "$.n", max: 1 }], { model: "secret-1" });
  expect([status, body.error?.param]).toEqual([403, "model"]);
});

test.each([
  { path: "max_tokens", max: 1 },
  { path: "$.a" },
  { path: "$.a", min: 2, max: 1 },
  { path: "$.a", forbidden: true, required: true },
])("the rule %j is refused", (rule) => {
  expect(parameterAccess.config.safeParse({ rules: [rule] }).success).toBe(false);
});

test("a path that is none is refused at publish", async () => {
  await expect(ask([{ path: "$.a[", forbidden: true }], {})).rejects.toMatchObject({ code: "publish.refused" });
});
