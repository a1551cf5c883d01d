import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { generateApiKey, revokeApiKey } from "../../src/core/api-keys.ts";
import { putSecret } from "../../src/core/secrets.ts";
import { eventually } from "../kit/eventually.ts";
import type { TestApi, TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../kit/gatehouse.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { chatAnswer, chunk, done, events, json, startMockUpstream } from "../kit/mock-upstream.ts";
import { rawHttp } from "../kit/raw-http.ts";

const canary = "sk-provider-canary-0123456789";

let gatehouse: TestGatehouse;
let production: MockUpstream;
let sandbox: MockUpstream;
let api: TestApi;

beforeAll(async () => {
  production = await startMockUpstream();
  sandbox = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  await putSecret(gatehouse.running.context, testActor, { name: "far", value: canary });
  await gatehouse.put("LlmProvider", "sandbox", { use: "openai-compatible", with: { baseUrl: `${sandbox.url}/v1` } });
  await gatehouse.put("LlmProvider", "production", {
    use: "openai-compatible",
    with: { baseUrl: `${production.url}/v1`, apiKey: "${secret:far}" },
  });
  await gatehouse.llm("other", `${production.url}/v1`);
  api = await gatehouse.llm("chat", `${production.url}/v1`, {
    security: { apiKey: { header: "X-Team-Pass" } },
    upstream: {
      production: { targets: [{ provider: "production" }], breaker: { failures: 0 } },
      sandbox: { targets: [{ provider: "sandbox" }] },
    },
  });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await production[Symbol.asyncDispose]();
  await sandbox[Symbol.asyncDispose]();
});

beforeEach(() => production.respond(chatAnswer("Hello.")));

function ask(headers: Record<string, string>, query = "", body: object = { model: "m" }) {
  const all = { "content-type": "application/json", ...headers };
  return rawHttp(`${api.url}/chat/completions${query}`, { headers: all, body: JSON.stringify(body) });
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

describe("a key", () => {
  test("goes no further from the header of a policy that the API attaches itself", async () => {
    const own = await gatehouse.llm("own-header", `${production.url}/v1`, {
      policies: [{ use: "api-key", with: { header: "x-team-pass" } }],
    });
    const headers = { "content-type": "application/json", "x-team-pass": own.key, "x-second": own.key };
    expect((await rawHttp(`${own.url}/chat/completions`, { headers, body: '{"model":"m"}' })).status).toBe(200);
    expect(JSON.stringify(production.seen.at(-1)?.headers)).not.toContain(own.key);
  });

  test.each([
    ["as a bearer token", () => bearer(api.key)],
    ["in the API's own header", () => ({ "x-team-pass": api.key })],
    ["in the header of Anthropic's clients", () => ({ "x-api-key": api.key, "anthropic-version": "2023-06-01" })],
    ["as a bearer token beside that header", () => ({ "x-api-key": "unused", ...bearer(api.key) })],
    ["in both, when they agree", () => ({ "x-team-pass": api.key, ...bearer(api.key) })],
  ])("is taken %s, and goes no further", async (_name, headers) => {
    expect((await ask(headers())).status).toBe(200);
    expect(JSON.stringify(production.seen.at(-1)?.headers)).not.toContain(api.key);
  });

  test.each([
    ["is missing", () => ({}), ""],
    ["is garbage", () => bearer("hello"), ""],
    [
      "has the form of a key that nobody made",
      () => bearer(api.key.replace(/.$/, (last) => (last === "0" ? "1" : "0"))),
      "",
    ],
    ["stands in the query", () => ({}), "?api_key=KEY&apikey=KEY&key=KEY"],
    ["differs from a second one", () => ({ ...bearer(api.key), "x-team-pass": `${api.key}x` }), ""],
    ["stands in another API's header", () => ({ apikey: api.key }), ""],
    ["is sent by another scheme", () => ({ authorization: `Basic ${api.key}` }), ""],
  ])("that %s is 401", async (_name, headers, query) => {
    const before = production.seen.length;
    const answer = await ask(headers(), query.replaceAll("KEY", api.key));
    expect(answer.status).toBe(401);
    expect(answer.json()).toMatchObject({ error: { type: "authentication_error", code: "invalid_api_key" } });
    expect(production.seen.length).toBe(before);
  });

  test("that is revoked is 401 within a second", async () => {
    const { context } = gatehouse.running;
    const spec = { api: { kind: "LlmApi", name: "chat" }, environment: "production" };
    const { key, row } = await generateApiKey(context, testActor, { spec });
    expect((await ask(bearer(key))).status).toBe(200);
    await revokeApiKey(context, testActor, row.name);
    await eventually("the key is refused", async () => (await ask(bearer(key))).status === 401, 1_000);
  });

  test.each([
    ["of another API", "other", {}, {}],
    ["bound to another address", "chat", { permittedIps: ["192.0.2.1"] }, {}],
    [
      "bound to an address that only X-Forwarded-For names",
      "chat",
      { permittedIps: ["192.0.2.1"] },
      { "x-forwarded-for": "192.0.2.1" },
    ],
    [
      "bound to another referrer",
      "chat",
      { permittedReferrers: ["www.example.com/*"] },
      { referer: "https://example.org/" },
    ],
    ["bound to a referrer, from none", "chat", { permittedReferrers: ["www.example.com/*"] }, {}],
  ])("%s is 403, and why is in the row and not in the answer", async (_name, of, bounds, headers) => {
    const key = await gatehouse.key(of, bounds);
    const answer = await ask({ ...bearer(key), ...headers });
    expect(answer.status).toBe(403);
    expect(answer.text).not.toMatch(/bound|referrer|address|192\.0\.2/i);
    const row = (await gatehouse.events()).find(({ exchange_id }) => exchange_id === answer.headers["x-request-id"]);
    expect(row).toMatchObject({
      outcome: "denied",
      error_code: "auth.forbidden",
      denied_by: "api-key",
      client_ip: "127.0.0.1",
    });
    expect(row).toHaveProperty("error_detail", expect.stringMatching(/bound to|may not be used from/));
  });

  test("for the sandbox reaches the sandbox only", async () => {
    const key = await gatehouse.key("chat", { environment: "sandbox" });
    const before = production.seen.length;
    expect((await ask(bearer(key))).status).toBe(200);
    expect([production.seen.length - before, sandbox.seen.length]).toEqual([0, 1]);
    expect(sandbox.seen[0]?.headers.authorization).toBeUndefined();
  });

  test("for some models sees and reaches only those", async () => {
    const key = await gatehouse.key("chat", { allow: ["gpt-*"] });
    expect((await ask(bearer(key), "", { model: "gpt-4" })).status).toBe(200);
    const denied = await ask(bearer(key), "", { model: "claude" });
    expect([denied.status, denied.json()]).toMatchObject([404, { error: { code: "model_not_found", param: "model" } }]);
    const row = (id: string) => ({ id, object: "model", created: 1, owned_by: "acme" });
    production.respond(json(200, { object: "list", data: ["gpt-4", "claude"].map(row) }));
    const models = await rawHttp(`${api.url}/models`, { method: "GET", headers: bearer(key) });
    expect(models.json()).toEqual({ object: "list", data: [row("gpt-4")] });
  });
});

test("an address that a trusted proxy names is the client's", async () => {
  await using behind = await startTestGatehouse({ trustedProxies: "127.0.0.0/8" });
  const { url } = await behind.llm("chat", `${production.url}/v1`);
  const key = await behind.key("chat", { permittedIps: ["192.0.2.0/24"] });
  const from = async (forwarded: string) => {
    const headers = { "content-type": "application/json", ...bearer(key), "x-forwarded-for": forwarded };
    return (await rawHttp(`${url}/chat/completions`, { headers, body: '{"model":"m"}' })).status;
  };
  expect(await from("192.0.2.7")).toBe(200);
  expect(await from("192.0.2.7, 198.51.100.1")).toBe(403); // what stands further left is the client's own word
});

describe("what is private", () => {
  const secretHeaders = {
    cookie: "session=client-canary",
    "x-api-key": "client-canary",
    "api-key": "client-canary",
    "x-goog-api-key": "client-canary",
    "proxy-authorization": "client-canary",
    "x-my-token": "client-canary",
    x_secret_key: "client-canary",
    "x-forwarded-for": "203.0.113.9",
    forwarded: "for=203.0.113.9",
    "x-real-ip": "203.0.113.9",
    "openai-organization": "client-canary",
    te: "trailers",
    connection: "close, x-hop",
    "x-hop": "client-canary",
    referer: "https://client-canary/",
  };

  test("of the client does not reach the upstream, and what is not does", async () => {
    const answer = await ask({
      ...bearer(api.key),
      ...secretHeaders,
      "x-stainless-lang": "js",
      "idempotency-key": "i-1",
    });
    expect(answer.status).toBe(200);
    const { headers } = production.seen.at(-1) ?? {};
    expect(JSON.stringify(headers)).not.toMatch(/client-canary|203\.0\.113\.9|trailers/);
    expect(headers).toMatchObject({
      authorization: `Bearer ${canary}`,
      "x-stainless-lang": "js",
      "idempotency-key": "i-1",
      host: `127.0.0.1:${production.port}`,
    });
  });

  test.each([
    ["a whole answer", (headers: Record<string, string>) => json(200, { choices: [] }, headers), {}],
    ["an error", (headers: Record<string, string>) => json(403, { error: { message: "no" } }, headers), {}],
    ["a stream", (headers: Record<string, string>) => events([chunk({}), done], headers), { stream: true }],
    [
      "a refusal of our key",
      (headers: Record<string, string>) => json(401, { error: { message: `bad key ${canary}` } }, headers),
      {},
    ],
  ])("of our account does not reach the client in %s", async (_name, behaviour, more) => {
    const upstreamHeaders = {
      "set-cookie": "a=account-canary",
      "openai-organization": "account-canary",
      "openai-project": "account-canary",
      "www-authenticate": "account-canary",
      connection: "x-hop",
      "x-hop": "account-canary",
      "x-ratelimit-limit-requests": "5",
      "x-request-id": "req_far",
      "openai-processing-ms": "12",
    };
    production.respond(behaviour(upstreamHeaders));
    const answer = await ask(bearer(api.key), "", { model: "m", ...more });
    expect(JSON.stringify(answer.headers)).not.toContain("account-canary");
    expect(answer.text).not.toContain(canary);
    if (answer.status === 502) return;
    expect(answer.headers).toMatchObject({
      "x-upstream-ratelimit-limit-requests": "5",
      "x-upstream-request-id": "req_far",
      "openai-processing-ms": "12",
    });
    expect(answer.headers["x-ratelimit-limit-requests"]).toBeUndefined();
  });

  test("is in no row and no line of the log", async () => {
    await ask(bearer(api.key), "", { model: "m", messages: [{ role: "user", content: "body-canary" }] });
    production.respond((_request, response) => void response.socket?.end("answer-canary is no HTTP\r\n\r\n"));
    await ask(bearer(api.key));
    await ask(bearer(`${api.key}x`), "?q=query-canary");
    const all = JSON.stringify([await gatehouse.events(), gatehouse.log.lines], (_key, value: unknown) =>
      value instanceof Error
        ? { ...Object.fromEntries(Object.entries(value)), message: value.message, cause: value.cause }
        : value,
    );
    expect(all).not.toMatch(/body-canary|answer-canary|query-canary|client-canary|account-canary/);
    expect(all).not.toContain(canary);
    expect(all).not.toContain(api.key);
  });
});
