import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import { keyManagerRecord } from "../kit/key-manager-tools.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { startMockUpstream } from "../kit/mock-upstream.ts";
import type { TokenIssuer } from "../kit/token-issuer.ts";
import { clientRecord, createTokenIssuer, residentRecord } from "../kit/token-issuer.ts";

/** What stands in the body of an error of an LLM API, in OpenAI's form. */
interface Problem {
  readonly error?: { readonly code?: string; readonly message?: string };
}

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let issuer: TokenIssuer;
let chat: string;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse({ "oauth.secretCount": "2" });
  const account = { baseUrl: `${upstream.url}/v1`, apiKey: "sk-of-the-upstream" };
  await gatehouse.put("LlmProvider", "priced", { use: "openai", with: account });
  await gatehouse.put("LlmApi", "chat", {
    context: "/chat",
    upstream: { production: { targets: [{ provider: "priced" }] }, sandbox: { sameAs: "production" } },
    security: { apiKey: {}, oauth: { registeredClients: true } },
  });
  await gatehouse.put("Application", "bot", {});
  chat = `${gatehouse.running.gatewayUrl}/chat`;
  issuer = await createTokenIssuer({ alg: "RS256", claims: { client_id: "client-1" } });
  const keys = { issuer: "https://old.example.com", publicKey: issuer.pem, algorithms: ["RS256"] };
  gatehouse.running.gateway.dataPlane.apply({
    type: "identity",
    keyManagers: [residentRecord(issuer), keyManagerRecord("jwt-keys", keys)],
    clients: [clientRecord()],
    revocations: [],
  });
}, 60_000);

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

async function ask(credential: string, headers: Record<string, string> = {}) {
  const answer = await fetch(`${chat}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${credential}`, "content-type": "application/json", ...headers },
    body: JSON.stringify({ model: "gpt-4o", messages: [{ role: "user", content: "hi" }] }),
  });
  const body = (await answer.json()) as Problem; // its members are looked at below
  return { status: answer.status, code: body.error?.code };
}

const taken = { status: 200, code: undefined };
const forbidden = { status: 403, code: "permission_denied" };

describe("bounds in a JWT key", () => {
  const jwtKey = (claims: object) => {
    const usual = {
      iss: "https://old.example.com",
      subscribedAPIs: [{ name: "chat", context: "/chat" }],
      client_id: null,
    };
    return issuer.sign({ ...usual, ...claims }, { typ: "JWT", kid: null });
  };
  const rows = [
    { name: "that are absent", claims: {}, expected: taken },
    { name: "that are null or empty", claims: { permittedIP: null, permittedReferer: "" }, expected: taken },
    { name: "that are empty lists", claims: { permittedIP: [], permittedReferer: [] }, expected: taken },
    { name: "of overlapping networks", claims: { permittedIP: "127.0.0.0/8,127.0.0.1/32,::1" }, expected: taken },
    {
      name: "of overlapping networks elsewhere",
      claims: { permittedIP: ["10.0.0.0/8", "10.1.0.0/16"] },
      expected: forbidden,
    },
    { name: "whose network is no network", claims: { permittedIP: "127.0.0.1/99" }, expected: forbidden },
    { name: "whose network is a number", claims: { permittedIP: 2_130_706_433 }, expected: forbidden },
    { name: "whose network is an object", claims: { permittedIP: { cidr: "127.0.0.1/32" } }, expected: forbidden },
    { name: "whose networks are lists in a list", claims: { permittedIP: [["127.0.0.1"]] }, expected: forbidden },
    { name: "of which one network can be read", claims: { permittedIP: ["x", "127.0.0.1", "::1"] }, expected: taken },
    { name: "whose referrer is true", claims: { permittedReferer: true }, expected: forbidden },
    { name: "whose referrer is no pattern", claims: { permittedReferer: "??" }, expected: forbidden },
  ];
  test.each(rows)("$name", async ({ claims, expected }) => {
    const headers = { referer: "https://portal.example.com/" };
    expect(await ask(await jwtKey(claims), headers)).toEqual(expected);
  });
});

describe("bounds of an API key", () => {
  const rows = [
    {
      name: "networks that overlap",
      bounds: { permittedIps: ["127.0.0.0/8", "127.0.0.1", "0.0.0.0/0"] },
      expected: taken,
    },
    {
      name: "overlapping networks elsewhere",
      bounds: { permittedIps: ["10.0.0.0/8", "10.0.0.0/9"] },
      expected: forbidden,
    },
    {
      name: "a budget of no requests",
      bounds: { budgets: [{ measure: "requests", amount: 0, window: "day" }] },
      expected: { status: 429, code: "insufficient_quota" },
    },
    {
      name: "a budget of no money",
      bounds: { budgets: [{ measure: "cost", amount: "0", currency: "USD", window: "month" }] },
      expected: { status: 429, code: "insufficient_quota" },
    },
    {
      name: "a budget of no tokens",
      bounds: { budgets: [{ measure: "totalTokens", amount: 0, window: "hour" }] },
      expected: { status: 429, code: "insufficient_quota" },
    },
  ];
  test.each(rows)("$name", async ({ bounds, expected }) => {
    expect(await ask(await gatehouse.key("chat", bounds))).toEqual(expected);
  });
});

test("a secret past the limit is 409, and says what to do", async () => {
  const { controlUrl, adminToken } = gatehouse.running;
  const send = (path: string, body: object) =>
    fetch(`${controlUrl}/api/v1/applications/bot/oauth-clients${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const made = await send("", { spec: { environment: "production" } });
  const { spec } = (await made.json()) as { spec: { clientId: string } }; // as the OpenAPI document has it
  expect((await send(`/${spec.clientId}/secrets`, {})).status).toBe(201);
  const third = await send(`/${spec.clientId}/secrets`, {});
  expect(third.headers.get("content-type")).toBe("application/problem+json");
  expect([third.status, await third.json()]).toMatchObject([
    409,
    { code: "resource.conflict", detail: expect.stringContaining("Delete one first, or rotate") },
  ]);
});

describe("a clock that jumps", () => {
  const hourMs = 3_600_000;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const rows = [
    { name: "ahead", byMs: 2 * hourMs },
    { name: "back", byMs: -2 * hourMs },
    { name: "ahead by ten years", byMs: 87_600 * hourMs },
  ];
  test.each(rows)("$name makes a token 401, and the same token good again when it is right", async ({ byMs }) => {
    const nowMs = Date.now();
    const token = await issuer.sign({ aud: chat });
    expect(await ask(token)).toEqual(taken);
    vi.setSystemTime(nowMs + byMs);
    expect(await ask(token)).toEqual({ status: 401, code: "invalid_api_key" });
    vi.setSystemTime(nowMs);
    expect(await ask(token)).toEqual(taken);
  });

  test("ahead ends a key of an hour with 401, and takes nothing from one without an end", async () => {
    const nowMs = Date.now();
    const ending = await gatehouse.key("chat", { expiresAt: new Date(nowMs + hourMs).toISOString() });
    const lasting = await gatehouse.key("chat");
    for (const key of [ending, lasting]) expect(await ask(key)).toEqual(taken);
    vi.setSystemTime(nowMs + 2 * hourMs);
    expect([await ask(ending), await ask(lasting)]).toEqual([{ status: 401, code: "invalid_api_key" }, taken]);
    vi.setSystemTime(nowMs - 2 * hourMs);
    expect([await ask(ending), await ask(lasting)]).toEqual([taken, taken]);
  });
});
