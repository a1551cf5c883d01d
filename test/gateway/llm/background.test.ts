import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { generateApiKey } from "../../../src/core/api-keys.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { events, json, startMockUpstream } from "../../kit/mock-upstream.ts";
import { rawHttp } from "../../kit/raw-http.ts";

// A response that is made while nobody waits for it: what it took is told to whoever retrieves it.

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let url: string;

/** 10 millionths a token in, 40 out. */
const prices = { m: { input: "10.00", output: "40.00" } };
const usage = { input_tokens: 1_000, output_tokens: 100, output_tokens_details: { reasoning_tokens: 60 } };
const body = JSON.stringify({ model: "m", input: "Count the ships.", background: true });
const charged = Math.ceil(body.length / 4);

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  const provider = { use: "openai", with: { baseUrl: `${upstream.url}/v1` }, prices };
  await gatehouse.put("LlmProvider", "paid", provider);
  const production = { targets: [{ provider: "paid" }], breaker: { failures: 0 } };
  await gatehouse.put("LlmApi", "paid", {
    context: "/paid",
    upstream: { production, sandbox: { sameAs: "production" } },
    policies: [{ use: "token-limit", with: { tokens: 1_000, window: "day", per: "key" } }],
  });
  url = `${gatehouse.running.gatewayUrl}/paid/v1/responses`;
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

async function newKey(): Promise<string> {
  const spec = { api: { kind: "LlmApi", name: "paid" }, environment: "production" };
  return (await generateApiKey(gatehouse.running.context, testActor, { spec })).key;
}

const headersOf = (key: string) => ({ "content-type": "application/json", authorization: `Bearer ${key}` });
const create = (key: string, more = body) => rawHttp(url, { headers: headersOf(key), body: more });
const retrieve = (key: string, id: string, query = "") =>
  rawHttp(`${url}/${id}${query}`, { method: "GET", headers: headersOf(key) });

let made = 0;

/** Begins one; nothing has come of it yet. */
async function begun(key: string) {
  made += 1;
  const id = `resp_background_${made}`;
  const response = { id, object: "response", background: true, status: "queued", output: [], usage: null };
  upstream.respond(json(200, response));
  const { status, headers } = await create(key);
  expect(status).toBe(200);
  return { id, response, requestId: headers["x-request-id"] };
}

async function rowsOf(requestId: unknown) {
  return (await gatehouse.events()).filter(({ exchange_id: id }) => id === requestId);
}

const beyond = {
  input_tokens: 1_000 - charged,
  output_tokens: 100,
  reasoning_tokens: 60,
  cost: ((1_000 - charged) / 100_000 + 100 / 25_000).toFixed(5).replace(/0+$/, ""),
  cost_source: "actual",
};

describe("a response in the background", () => {
  test("is charged by estimate when it begins, and not while it goes on", async () => {
    const key = await newKey();
    const { id, response, requestId } = await begun(key);
    upstream.respond(json(200, { ...response, status: "in_progress" }));
    const [row, ...tries] = await rowsOf((await retrieve(key, id)).headers["x-request-id"]);
    expect(row).toMatchObject({ type: "exchange", cost: null });
    expect(tries).toEqual([]);
    const estimated = { input_tokens: charged, usage_source: "estimated", cost_source: "estimated" };
    expect(await rowsOf(requestId)).toMatchObject([estimated, estimated]);
  });

  test("is charged for the rest when it is first retrieved after its end, and then never again", async () => {
    const key = await newKey();
    const { id, response } = await begun(key);
    upstream.respond(json(200, { ...response, status: "completed", usage }));
    const rows = await rowsOf((await retrieve(key, id)).headers["x-request-id"]);
    expect(rows).toMatchObject([
      { type: "exchange", ...beyond },
      { type: "attempt", ...beyond },
    ]);
    expect(await rowsOf((await retrieve(key, id)).headers["x-request-id"])).toMatchObject([{ cost: null }]);
    // 1,100 of 1,000 tokens are used.
    expect((await create(key)).status).toBe(429);
  });

  test("is charged once when many retrieve it at once", async () => {
    const key = await newKey();
    const { id, response } = await begun(key);
    upstream.respond(json(200, { ...response, status: "completed", usage }));
    const answers = await Promise.all(Array.from({ length: 8 }, () => retrieve(key, id)));
    const rows = await Promise.all(answers.map(({ headers }) => rowsOf(headers["x-request-id"])));
    expect(rows.flat().filter(({ type }) => type === "attempt")).toMatchObject([beyond]);
  });

  test("is charged when its stream is taken up again", async () => {
    const key = await newKey();
    const { id, response } = await begun(key);
    const event = (type: string, more: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
    upstream.respond(
      events([
        event("response.in_progress", { sequence_number: 3, response }),
        event("response.completed", { sequence_number: 4, response: { ...response, status: "completed", usage } }),
      ]),
    );
    const rows = await rowsOf((await retrieve(key, id, "?stream=true")).headers["x-request-id"]);
    expect(rows).toMatchObject([
      { type: "exchange", ...beyond },
      { type: "attempt", ...beyond },
    ]);
  });

  test("that was cancelled is charged for what it had taken", async () => {
    const key = await newKey();
    const { id, response } = await begun(key);
    upstream.respond(json(200, { ...response, status: "cancelled", usage }));
    const answer = await rawHttp(`${url}/${id}/cancel`, { method: "POST", headers: headersOf(key) });
    expect(await rowsOf(answer.headers["x-request-id"])).toMatchObject([{ type: "exchange" }, beyond]);
  });

  test("that failed and tells of no use keeps its estimate, and a client that waits is charged at once", async () => {
    const key = await newKey();
    const { id, response } = await begun(key);
    upstream.respond(json(200, { ...response, status: "failed", error: { code: "server_error" }, usage: null }));
    expect(await rowsOf((await retrieve(key, id)).headers["x-request-id"])).toMatchObject([{ cost: null }]);
    upstream.respond(json(200, { ...response, id: "resp_waited", background: false, status: "completed", usage }));
    await create(key, JSON.stringify({ model: "m", input: "hi" }));
    upstream.respond(json(200, { ...response, id: "resp_waited", background: false, status: "completed", usage }));
    expect(await rowsOf((await retrieve(key, "resp_waited")).headers["x-request-id"])).toMatchObject([{ cost: null }]);
  });

  test("is nobody else's to be charged for", async () => {
    const key = await newKey();
    const { id, response } = await begun(key);
    upstream.respond(json(200, { ...response, status: "completed", usage }));
    expect((await retrieve(await newKey(), id)).status).toBe(404);
    expect(await rowsOf((await retrieve(key, id)).headers["x-request-id"])).toMatchObject([beyond, beyond]);
  });
});
