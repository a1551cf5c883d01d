import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { putSecret } from "../../../src/core/secrets.ts";
import type { TestApi, TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../../kit/gatehouse.ts";
import type { MockUpstream, Respond } from "../../kit/mock-upstream.ts";
import { chatAnswer, events, json, startMockUpstream } from "../../kit/mock-upstream.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
const apis = new Map<string, TestApi>();

const providers = { claude: "anthropic", gpt: "openai", plain: "openai-compatible" } as const;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  await putSecret(gatehouse.running.context, testActor, { name: "key", value: "none" });
  for (const [name, use] of Object.entries(providers)) {
    for (const scope of ["key", "shared"]) {
      const provider = { use, with: { baseUrl: `${upstream.url}/v1`, apiKey: "${secret:key}" } };
      const api = `${name}-${scope}`;
      await gatehouse.put("LlmProvider", api, provider);
      await gatehouse.put("LlmApi", api, {
        context: `/${api}`,
        upstream: { production: { targets: [{ provider: api }] }, sandbox: { sameAs: "production" } },
        policies: [{ use: "semantic-cache", with: { scope } }],
      });
      apis.set(api, { url: `${gatehouse.running.gatewayUrl}/${api}/v1`, key: await gatehouse.key(api) });
    }
  }
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

async function post(name: string, path: string, body: object) {
  const api = apis.get(name);
  const before = upstream.seen.length;
  const answer = await fetch(`${api?.url}/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${api?.key}` },
    body: JSON.stringify({ model: "m", ...body }),
  });
  const text = await answer.text();
  const cache = answer.headers.get("x-gatehouse-cache");
  return { status: answer.status, cache, text, called: upstream.seen.length - before };
}

const usage = { input_tokens: 5, output_tokens: 2 };
const event = (type: string, more: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;

describe("Messages", () => {
  const message = (stop_reason: string, content: object[]) => ({
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "m",
    content,
    stop_reason,
    stop_sequence: null,
    usage,
  });
  const text = [{ type: "text", text: "Goethe." }];
  const streamed = (stop: string): Respond =>
    events([
      event("message_start", { message: { ...message(stop, []), stop_reason: null } }),
      event("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
      event("content_block_delta", { index: 0, delta: { type: "text_delta", text: "Goethe." } }),
      event("content_block_stop", { index: 0 }),
      event("message_delta", { delta: { stop_reason: stop, stop_sequence: null }, usage }),
      event("message_stop", {}),
    ]);
  const ask = (question: unknown, more: object = {}) =>
    post("claude-key", "messages", { max_tokens: 9, messages: [{ role: "user", content: question }], ...more });

  test.each([
    ["whole", json(200, message("end_turn", text)), {}],
    ["as a stream", streamed("end_turn"), { stream: true }],
  ])("are answered from before in other words, %s", async (name, respond, more) => {
    upstream.respond(respond);
    const first = await ask(`How do I reset my password ${name}?`, more);
    const second = await ask(`How can I reset my password ${name}?`, more);
    expect(first).toMatchObject({ status: 200, cache: "miss", called: 1 });
    expect(second).toMatchObject({ cache: "hit", called: 0, text: first.text });
  });

  test.each([
    ["a call of a tool", json(200, message("tool_use", [{ type: "tool_use", id: "1", name: "a", input: {} }])), {}],
    ["an answer that was too long", json(200, message("max_tokens", text)), {}],
    ["a refusal", json(200, message("refusal", text)), {}],
    ["a stream that was too long", streamed("max_tokens"), { stream: true }],
  ])("do not keep %s", async (name, respond, more) => {
    upstream.respond(respond);
    await ask(`Do not keep ${name}`, more);
    expect(await ask(`Do not keep ${name}`, more)).toMatchObject({ cache: "miss", called: 1 });
  });

  test("find what is equal but for marks of the provider's own cache", async () => {
    upstream.respond(json(200, message("end_turn", text)));
    const marked = { cache_control: { type: "ephemeral" } };
    await ask([{ type: "text", text: "What is marked?" }], { system: [{ type: "text", text: "Be kind." }] });
    const again = await ask([{ type: "text", text: "What is marked?", ...marked }], {
      system: [{ type: "text", text: "Be kind.", ...marked }],
    });
    expect(again).toMatchObject({ cache: "hit" });
  });

  test("do not compare what a tool has said by meaning", async () => {
    upstream.respond(json(200, message("end_turn", text)));
    const result = (content: string) => ({
      tools: [{ name: "get", input_schema: { type: "object" } }],
      messages: [
        { role: "user", content: "Get it." },
        { role: "assistant", content: [{ type: "tool_use", id: "1", name: "get", input: {} }] },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "1", content }] },
      ],
    });
    await ask("", result("How do I reset my password?"));
    expect(await ask("", result("How can I reset my password?"))).toMatchObject({ cache: "miss" });
    expect(await ask("", result("How do I reset my password?"))).toMatchObject({ cache: "hit" });
  });
});

describe("Responses", () => {
  const response = (status: string, output: object[]) => ({
    id: "resp_1",
    object: "response",
    created_at: 1,
    status,
    model: "m",
    output,
    usage: { ...usage, total_tokens: 7 },
  });
  const said = {
    id: "msg_1",
    type: "message",
    status: "completed",
    role: "assistant",
    content: [{ type: "output_text", text: "Goethe.", annotations: [] }],
  };
  const streamed = (status: string): Respond =>
    events([
      event("response.created", { sequence_number: 0, response: response("in_progress", []) }),
      event("response.output_item.added", { sequence_number: 1, output_index: 0, item: { ...said, content: [] } }),
      event("response.output_text.delta", {
        sequence_number: 2,
        item_id: "msg_1",
        output_index: 0,
        content_index: 0,
        delta: "Goethe.",
      }),
      event("response.output_item.done", { sequence_number: 3, output_index: 0, item: said }),
      event(`response.${status}`, { sequence_number: 4, response: response(status, [said]) }),
    ]);

  test.each([
    ["a text", (text: string) => text, {}],
    ["items", (text: string) => [{ role: "user", content: [{ type: "input_text", text }] }], {}],
    ["a text, as a stream", (text: string) => text, { stream: true }],
  ])("are answered from before in other words: %s", async (name, input, more) => {
    upstream.respond("stream" in more ? streamed("completed") : json(200, response("completed", [said])));
    const asked = { instructions: name, ...more };
    const first = await post("gpt-key", "responses", { ...asked, input: input("How do I reset my password?") });
    const second = await post("gpt-key", "responses", { ...asked, input: input("How can I reset my password?") });
    expect(first).toMatchObject({ status: 200, cache: "miss", called: 1 });
    expect(second).toMatchObject({ cache: "hit", called: 0, text: first.text });
  });

  test.each([
    ["an unfinished one", json(200, response("incomplete", [said])), {}],
    ["an unfinished stream", streamed("incomplete"), { stream: true }],
    [
      "a call of a function",
      json(200, response("completed", [{ type: "function_call", call_id: "1", name: "a", arguments: "{}" }])),
      {},
    ],
  ])("do not keep %s", async (name, respond, more) => {
    upstream.respond(respond);
    await post("gpt-key", "responses", { input: `Do not keep ${name}`, ...more });
    const again = await post("gpt-key", "responses", { input: `Do not keep ${name}`, ...more });
    expect(again).toMatchObject({ cache: "miss", called: 1 });
  });

  test.each([{ previous_response_id: "resp_9" }, { conversation: "conv_9" }, { background: true }])(
    "pass the cache by where they are about more than they say: %j",
    async (more) => {
      upstream.respond(json(200, response("completed", [said])));
      for (let time = 0; time < 2; time += 1) {
        const answer = await post("gpt-key", "responses", { input: "Go on.", ...more });
        expect(answer).toMatchObject({ cache: "bypass", called: 1 });
      }
    },
  );

  test("pass a shared cache by unless the provider is to keep nothing", async () => {
    upstream.respond(json(200, response("completed", [said])));
    expect(await post("gpt-shared", "responses", { input: "Who?" })).toMatchObject({ cache: "bypass" });
    expect(await post("gpt-shared", "responses", { input: "Who?", store: false })).toMatchObject({ cache: "miss" });
    expect(await post("gpt-shared", "responses", { input: "Who?", store: false })).toMatchObject({ cache: "hit" });
  });
});

test("an answer that was translated is kept as the client read it, and for its dialect", async () => {
  upstream.respond(chatAnswer("Goethe."));
  const messages = [{ role: "user", content: "Who was it?" }];
  const first = await post("plain-key", "messages", { max_tokens: 9, messages });
  expect(first).toMatchObject({ status: 200, cache: "miss" });
  expect(first.text).toContain('"type":"message"');
  expect(await post("plain-key", "messages", { max_tokens: 9, messages })).toMatchObject({
    cache: "hit",
    text: first.text,
  });
  expect(await post("plain-key", "chat/completions", { max_tokens: 9, messages })).toMatchObject({ cache: "miss" });
});
