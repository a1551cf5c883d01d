import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { chatAnswer, chunk, done, events, json, startMockUpstream, usageChunk } from "../../kit/mock-upstream.ts";
import { rawHttp } from "../../kit/raw-http.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let api: { readonly url: string; readonly key: string };

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  api = await gatehouse.llm("plain", `${upstream.url}/v1`);
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

async function ask(path: string, body: object, { url, key } = api) {
  const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
  return rawHttp(`${url}/${path}`, { headers, body: JSON.stringify(body) });
}

const messages = [{ role: "user", content: "hi" }];
const sent = (): unknown => JSON.parse(upstream.seen.at(-1)?.body.toString("utf8") ?? "null");

const stream = [
  chunk({ role: "assistant", content: "He" }),
  chunk({ content: "llo" }),
  chunk({ tool_calls: [{ index: 0, id: "a", type: "function", function: { name: "f", arguments: "" } }] }),
  chunk({ tool_calls: [{ index: 0, function: { arguments: '{"a":1}' } }] }),
  chunk({}, { finish: "tool_calls" }),
  usageChunk({ prompt_tokens: 7, completion_tokens: 3 }),
  done,
];

describe("a client of Anthropic's at a provider of OpenAI's dialect", () => {
  test("gets a message, and the provider a chat", async () => {
    upstream.respond(chatAnswer("Hello."));
    const answer = await ask("messages", { model: "m", max_tokens: 5, system: "Be brief.", messages });
    expect(upstream.seen.at(-1)?.url).toBe("/v1/chat/completions");
    expect(sent()).toEqual({
      model: "m",
      max_tokens: 5,
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "hi" },
      ],
    });
    expect([answer.status, answer.json()]).toMatchObject([
      200,
      {
        type: "message",
        role: "assistant",
        content: [{ type: "text", text: "Hello." }],
        stop_reason: "end_turn",
        usage: { input_tokens: 7, output_tokens: 3 },
      },
    ]);
    expect(answer.headers["request-id"]).toBe(answer.headers["x-request-id"]);
  });

  test("gets the events of a message, and the row its usage", async () => {
    upstream.respond(events(stream));
    const answer = await ask("messages", { model: "m", max_tokens: 5, stream: true, messages });
    expect(answer.headers["content-type"]).toContain("text/event-stream");
    expect([...answer.text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name)).toEqual([
      "message_start",
      "content_block_start",
      "content_block_delta",
      "content_block_delta",
      "content_block_stop",
      "content_block_start",
      "content_block_delta",
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
    const row = (await gatehouse.events()).find(({ exchange_id }) => exchange_id === answer.headers["x-request-id"]);
    expect(row).toMatchObject({ outcome: "ok", input_tokens: 7, output_tokens: 3, usage_source: "actual" });
  });

  test("hears of a stream that broke off, and of no end", async () => {
    upstream.respond(events(stream.slice(0, 2)));
    const answer = await ask("messages", { model: "m", max_tokens: 5, stream: true, messages });
    expect(answer.text).toMatch(/event: error\ndata: \{"type":"error","error":\{"type":"api_error"/);
    expect(answer.text).not.toContain("message_stop");
  });

  test("hears by its own name of what cannot be carried, before anything is sent", async () => {
    const before = upstream.seen.length;
    const answer = await ask("messages", { model: "m", max_tokens: 5, top_k: 3, messages });
    expect([answer.status, answer.json()]).toMatchObject([
      400,
      {
        type: "error",
        error: { type: "invalid_request_error", message: expect.stringContaining("`top_k`") as string },
      },
    ]);
    expect(upstream.seen.length).toBe(before);
  });

  test.each([
    { status: 429, error: { code: "rate_limit_exceeded", message: "slow" }, told: [429, "rate_limit_error"] },
    { status: 503, error: { message: "busy" }, told: [529, "overloaded_error"] },
    { status: 400, error: { code: "context_length_exceeded", message: "long" }, told: [400, "invalid_request_error"] },
  ])("reads a refusal with status $status as its own", async ({ status, error, told }) => {
    const own = await gatehouse.llm(`refusing-${status}`, `${upstream.url}/v1`);
    upstream.respond(json(status, { error }));
    const answer = await ask("messages", { model: "m", max_tokens: 5, messages }, own);
    const body = answer.json() as { readonly error: { readonly type: string; readonly message: string } }; // as asserted
    expect([answer.status, body.error.type]).toEqual(told);
    expect(body.error.message).toBe(error.message);
  });

  test("is refused in its own words without a key", async () => {
    const answer = await ask("messages", { model: "m", max_tokens: 5, messages }, { url: api.url, key: "gh_none" });
    expect([answer.status, answer.json()]).toMatchObject([
      401,
      { type: "error", error: { type: "authentication_error" } },
    ]);
  });
});

describe("a client of Responses at a provider of chat completions", () => {
  test("gets a response", async () => {
    upstream.respond(chatAnswer("Hello."));
    const answer = await ask("responses", { model: "m", input: "hi", max_output_tokens: 5 });
    expect(sent()).toEqual({ model: "m", max_tokens: 5, messages });
    expect([answer.status, answer.json()]).toMatchObject([
      200,
      {
        object: "response",
        status: "completed",
        output: [{ type: "message", content: [{ type: "output_text", text: "Hello." }] }],
        usage: { input_tokens: 7, output_tokens: 3 },
      },
    ]);
  });

  test("hears of a stream that broke off with the number that comes next", async () => {
    upstream.respond(events(stream.slice(0, 2)));
    const answer = await ask("responses", { model: "m", stream: true, input: "hi" });
    const numbers = [...answer.text.matchAll(/"sequence_number":(\d+)/g)].map(([, number]) => Number(number));
    expect(numbers).toEqual(numbers.map((_, index) => index));
    expect(answer.text).toContain("event: response.failed");
    expect(answer.text).not.toContain("response.completed");
  });

  test("hears that there is no state to go on from", async () => {
    const answer = await ask("responses", { model: "m", input: "hi", previous_response_id: "resp_1" });
    expect([answer.status, answer.json()]).toMatchObject([400, { error: { param: "previous_response_id" } }]);
  });
});

describe("a guardrail", () => {
  const guarded = (phase: string) => ({
    policies: [
      {
        use: "regex",
        with: { patterns: [{ pattern: "tiger", action: "redact", replacement: "[cat]" }], phases: [phase] },
      },
    ],
  });

  test.each([
    {
      path: "messages",
      body: {
        max_tokens: 5,
        system: "a tiger",
        messages: [{ role: "user", content: [{ type: "text", text: "tiger" }] }],
      },
    },
    {
      path: "messages",
      body: {
        max_tokens: 5,
        messages: [{ role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: "tiger" }] }],
      },
    },
    { path: "responses", body: { instructions: "a tiger", input: "tiger" } },
    { path: "responses", body: { input: [{ type: "function_call_output", call_id: "c", output: "tiger" }] } },
  ])("rewrites every text of a request to $path", async ({ path, body }) => {
    const own = await gatehouse.llm(`in-${made()}`, `${upstream.url}/v1`, guarded("request"));
    upstream.respond(chatAnswer("Hello."));
    expect((await ask(path, { model: "m", ...body }, own)).status).toBe(200);
    expect(JSON.stringify(sent())).toContain("[cat]");
    expect(JSON.stringify(sent())).not.toContain("tiger");
  });

  test.each([
    { path: "messages", body: { max_tokens: 5, messages } },
    { path: "responses", body: { input: "hi" } },
  ])("rewrites what $path answers, whole and letter by letter", async ({ path, body }) => {
    const own = await gatehouse.llm(`out-${made()}`, `${upstream.url}/v1`, guarded("response"));
    upstream.respond(chatAnswer("a tiger here"));
    const whole = await ask(path, { model: "m", ...body }, own);
    expect(whole.text).toContain("a [cat] here");
    const letters = Array.from("a tiger here", (letter) => chunk({ content: letter }));
    upstream.respond(events([...letters, chunk({}, { finish: "stop" }), done]));
    const streamed = await ask(path, { model: "m", stream: true, ...body }, own);
    const pieces = [...streamed.text.matchAll(/"(?:text|delta)":"([^"]*)"/g)].map(([, text]) => text).join("");
    expect(pieces).toContain("a [cat] here");
    expect(streamed.text).not.toContain("tiger");
    expect(pieces).not.toContain("tiger");
  });
});

let count = 0;

function made(): number {
  count += 1;
  return count;
}
