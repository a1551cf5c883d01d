import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestApi, TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream, Respond } from "../../kit/mock-upstream.ts";
import { chatAnswer, chunk, done, events, json, startMockUpstream } from "../../kit/mock-upstream.ts";
import { rawHttp } from "../../kit/raw-http.ts";

let gatehouse: TestGatehouse;
let first: MockUpstream;
let second: MockUpstream;
let api: TestApi;
let client: OpenAI;

beforeAll(async () => {
  first = await startMockUpstream();
  second = await startMockUpstream(events([chunk({ content: "second" }, { finish: "stop" }), done]));
  gatehouse = await startTestGatehouse();
  await gatehouse.put("LlmProvider", "first", { use: "openai-compatible", with: { baseUrl: `${first.url}/v1` } });
  await gatehouse.put("LlmProvider", "second", { use: "openai-compatible", with: { baseUrl: `${second.url}/v1` } });
  api = await gatehouse.llm("chat", `${first.url}/v1`, {
    upstream: {
      production: {
        targets: [{ provider: "first" }, { provider: "second" }],
        strategy: { use: "failover" },
        breaker: { failures: 0 },
      },
      sandbox: { sameAs: "production" },
    },
  });
  client = new OpenAI({ apiKey: api.key, baseURL: api.url, maxRetries: 0 });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();
});

const model = "gpt-test";
const messages = [{ role: "user" as const, content: "Hi" }];

function ask(body: object = { model, messages, stream: true }) {
  const headers = { "content-type": "application/json", authorization: `Bearer ${api.key}` };
  return rawHttp(`${api.url}/chat/completions`, { headers, body: JSON.stringify(body) });
}

/** Writes the pieces and then cuts the connection. */
function broken(...pieces: string[]): Respond {
  return async (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.flushHeaders();
    for (const piece of pieces) response.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 20));
    response.destroy();
  };
}

const half = chunk({ content: "half" });

describe("after the first byte", () => {
  test.each([
    ["is reset", broken(half)],
    ["is reset within an event", broken(half, 'data: {"choices":[{"del')],
    ["ends without finish_reason and [DONE]", events([half])],
    ["ends within an event", events([half, 'data: {"choices":[{"del'])],
    ["ends when one of two choices is complete", events([chunk({ content: "a" }, { finish: "stop" })])],
  ])("a stream that %s ends with an error, never cleanly, and no other target is asked", async (_name, behaviour) => {
    const before = second.seen.length;
    first.respond(behaviour);
    const stream = await client.chat.completions.create({ model, messages, stream: true, n: 2 });
    const read = Array.fromAsync(stream);
    await expect(read).rejects.toBeInstanceOf(OpenAI.APIError);
    await expect(read).rejects.toMatchObject({ code: "upstream_reset", type: "api_error" });
    expect(second.seen.length).toBe(before);
  });

  test("the error stands behind a blank line, and no [DONE] follows", async () => {
    first.respond(broken(half));
    const { status, text } = await ask();
    expect(status).toBe(200);
    expect(text).toMatch(/\n\n\n\ndata: \{"error":\{"message":"[^"]+","type":"api_error".*\}\}\n\n$/);
    expect(text).not.toContain("[DONE]");
  });

  test("the client's connection stays usable", async () => {
    first.respond(broken(half), chatAnswer("Hello."));
    await expect(
      Array.fromAsync(await client.chat.completions.create({ model, messages, stream: true })),
    ).rejects.toThrow();
    await expect(client.chat.completions.create({ model, messages })).resolves.toMatchObject({
      object: "chat.completion",
    });
  });

  test("a stream without [DONE] whose choices are complete ends cleanly", async () => {
    first.respond(events([half, chunk({}, { finish: "stop" })]));
    const chunks = await Array.fromAsync(await client.chat.completions.create({ model, messages, stream: true }));
    expect(chunks).toHaveLength(2);
  });

  test("an upstream's own error in the stream is passed once and recorded", async () => {
    const error = 'data: {"error":{"message":"overloaded","type":"server_error","code":"busy","param":null}}\n\n';
    first.respond(events([half, error]));
    const answer = await ask();
    expect(answer.text).toBe(half + error);
    const rows = await gatehouse.events();
    expect(
      rows.find((row) => row.type === "exchange" && row.exchange_id === answer.headers["x-request-id"]),
    ).toMatchObject({
      http_status: 200,
      outcome: "upstream_error",
      error_code: "upstream.invalid",
    });
  });
});

describe("before the first event", () => {
  test.each([
    ["is reset", broken()],
    ["ends", events([])],
    ["is cut within the first event", broken('data: {"choices"')],
    ["answers 503", json(503, { error: { message: "busy" } })],
  ])("a stream that %s is taken over by the next target", async (_name, behaviour) => {
    first.respond(behaviour);
    const chunks = await Array.fromAsync(await client.chat.completions.create({ model, messages, stream: true }));
    expect(chunks[0]?.choices[0]?.delta.content).toBe("second");
    const attempts = (await gatehouse.events()).filter((row) => row.type === "attempt").slice(-2);
    expect(attempts.map(({ target, attempt }) => [target, attempt])).toEqual([
      ["first", 1],
      ["second", 2],
    ]);
  });

  test("a stream that dies at every target is a 502 with the error as JSON", async () => {
    first.respond(broken());
    second.respond(broken());
    const answer = await ask();
    expect(answer.status).toBe(502);
    expect(answer.headers).toMatchObject({ "content-type": "application/json", "x-should-retry": "false" });
    expect(answer.json()).toMatchObject({ error: { code: "upstream_reset", type: "api_error", param: null } });
  });
});
