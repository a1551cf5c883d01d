import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { chatAnswer, chunk, done, events, json, startMockUpstream } from "../../kit/mock-upstream.ts";
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

const secret = "tiger-7";
const redact = { patterns: [{ pattern: secret, action: "redact", replacement: "[cat]" }] };
let made = 0;

async function apiWith(phase: "request" | "response", more: object = {}) {
  made += 1;
  const policies = [{ use: "regex", with: { ...redact, phases: [phase] }, ...more }];
  return gatehouse.llm(`hidden-${made}`, `${upstream.url}/v1`, { policies });
}

async function ask(api: { url: string; key: string }, body: object, path = "chat/completions") {
  const headers = { "content-type": "application/json", authorization: `Bearer ${api.key}` };
  return rawHttp(`${api.url}/${path}`, { headers, body: JSON.stringify({ model: "m", ...body }) });
}

describe("an answer that guardrails must judge", () => {
  test.each([
    ["logprobs", { logprobs: true }],
    ["logprobs", { logprobs: true, top_logprobs: 3, stream: true }],
    ["top_logprobs", { top_logprobs: 3 }],
    ["modalities", { modalities: ["text", "audio"], audio: { voice: "v", format: "mp3" } }],
    ["audio", { audio: { voice: "v", format: "mp3" } }],
  ])("may not be asked for with `%s`: %j", async (param, body) => {
    const api = await apiWith("response");
    const before = upstream.seen.length;
    const answer = await ask(api, body);
    expect([answer.status, answer.json()]).toMatchObject([422, { error: { param, code: "guardrail_blocked" } }]);
    expect(answer.text).toContain(`\`${param}\``);
    expect(upstream.seen.length).toBe(before);
    const row = (await gatehouse.events()).find(({ exchange_id }) => exchange_id === answer.headers["x-request-id"]);
    expect(row).toMatchObject({
      outcome: "denied",
      denied_by: "regex",
      decisions: [{ policy: "regex", action: "deny" }],
    });
  });

  test.each([
    ["the wish is for none", "response", { logprobs: false, top_logprobs: null, modalities: ["text"] }, {}],
    ["the guardrail only watches", "response", { logprobs: true }, { mode: "monitor" }],
    ["the guardrail is for another model", "response", { logprobs: true }, { on: ["other"] }],
    ["the guardrail judges requests only", "request", { logprobs: true, modalities: ["audio"] }, {}],
  ] as const)("may be asked for where %s", async (_name, phase, body, more) => {
    upstream.respond(chatAnswer("Hello."));
    expect((await ask(await apiWith(phase, more), body)).status).toBe(200);
  });

  const tokens = {
    content: [{ token: secret, logprob: 0, top_logprobs: [{ token: secret, logprob: 0 }] }],
    refusal: null,
  };

  test("is told without tokens and without speech when the upstream sends them unasked", async () => {
    const message = { role: "assistant", content: "a", audio: { id: "a1", data: "c2VjcmV0", transcript: "b" } };
    const choice = { index: 0, message, logprobs: tokens, finish_reason: "stop" };
    upstream.respond(json(200, { choices: [choice, { ...choice, index: 1 }], more: 1, prompt_logprobs: [tokens] }));
    const answer = await ask(await apiWith("response"), {});
    const left = { ...choice, message: { ...message, audio: { ...message.audio, data: null } }, logprobs: null };
    expect(answer.json()).toEqual({ choices: [left, { ...left, index: 1 }], more: 1, prompt_logprobs: null });
  });

  test("is streamed without tokens when the upstream sends them unasked", async () => {
    const api = await apiWith("response");
    const withTokens = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: "a" }, logprobs: tokens }] })}\n\n`;
    upstream.respond(events([withTokens, chunk({}, { finish: "stop" }), done]));
    const { text } = await ask(api, { stream: true });
    expect(text).not.toContain(secret);
    expect(text).toContain('"logprobs":null');
    expect(text.endsWith(done)).toBe(true);
  });

  test("keeps its tokens where a guardrail only watches", async () => {
    upstream.respond(json(200, { choices: [{ index: 0, message: { content: "a" }, logprobs: tokens }] }));
    const answer = await ask(await apiWith("response", { mode: "monitor" }), { logprobs: true });
    expect(answer.text).toContain(secret);
  });
});

describe("a request that guardrails must judge", () => {
  test.each([[[1, 2, 3]], [[[1, 2], [3]]], [["a", [4]]]])("may not be token numbers: %j", async (input) => {
    const before = upstream.seen.length;
    const answer = await ask(await apiWith("request"), { input }, "embeddings");
    expect([answer.status, answer.json()]).toMatchObject([422, { error: { param: "input" } }]);
    expect(upstream.seen.length).toBe(before);
  });

  test.each([
    ["text is sent", "request", {}, ["a", "b"]],
    ["the guardrail only watches", "request", { mode: "monitor" }, [1, 2]],
    ["the guardrail judges answers only", "response", {}, [1, 2]],
  ] as const)("goes on where %s", async (_name, phase, more, input) => {
    upstream.respond(json(200, { object: "list", data: [] }));
    expect((await ask(await apiWith(phase, more), { input }, "embeddings")).status).toBe(200);
  });
});
