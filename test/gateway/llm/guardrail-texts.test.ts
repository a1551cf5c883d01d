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
let made = 0;

async function apiWith(policies: readonly object[]) {
  made += 1;
  return gatehouse.llm(`api-${made}`, `${upstream.url}/v1`, { policies: policies as never }); // the schema checks it
}

async function ask(api: { url: string; key: string }, path: string, body: object) {
  const headers = { "content-type": "application/json", authorization: `Bearer ${api.key}` };
  return rawHttp(`${api.url}/${path}`, { headers, body: JSON.stringify(body) });
}

describe("a guardrail", () => {
  test.each([
    [
      "a system turn",
      {
        messages: [
          { role: "system", content: secret },
          { role: "user", content: "x" },
        ],
      },
    ],
    [
      "an earlier turn",
      {
        messages: [
          { role: "user", content: secret },
          { role: "user", content: "x" },
        ],
      },
    ],
    ["a tool's result", { messages: [{ role: "tool", tool_call_id: "c", content: [{ type: "text", text: secret }] }] }],
    [
      "a tool call",
      { messages: [{ role: "assistant", tool_calls: [{ function: { name: "f", arguments: `{"a":"${secret}"}` } }] }] },
    ],
    ["a tool's description", { tools: [{ type: "function", function: { name: "f", description: secret } }] }],
    ["a prediction", { prediction: { type: "content", content: secret } }],
    ["a prediction in parts", { prediction: { type: "content", content: [{ type: "text", text: secret }] } }],
    [
      "a parameter's description",
      {
        tools: [
          { type: "function", function: { name: "f", parameters: { properties: { a: { description: secret } } } } },
        ],
      },
    ],
    [
      "a parameter's choices",
      {
        tools: [
          { type: "function", function: { name: "f", parameters: { properties: { a: { enum: ["b", secret] } } } } },
        ],
      },
    ],
    [
      "a custom tool's grammar",
      { tools: [{ type: "custom", custom: { format: { grammar: { definition: secret } } } }] },
    ],
    ["a function of the older kind", { functions: [{ name: "f", description: secret }] }],
    [
      "the answer's schema",
      { response_format: { type: "json_schema", json_schema: { name: "s", schema: { description: secret } } } },
    ],
    ["an author's name", { messages: [{ role: "user", name: secret, content: "x" }] }],
    [
      "a custom tool's call",
      {
        messages: [
          { role: "assistant", tool_calls: [{ id: "c", type: "custom", custom: { name: "f", input: secret } }] },
        ],
      },
    ],
    [
      "a part nobody knows yet",
      { messages: [{ role: "user", content: [{ type: "musing", musing: { said: secret } }] }] },
    ],
    ["words where bytes belong", { messages: [{ role: "user", content: [{ type: "x", data: `say ${secret}!` }] }] }],
  ])("looks at %s", async (_name, body) => {
    const api = await apiWith([{ use: "regex", with: { patterns: [{ pattern: secret }] } }]);
    expect((await ask(api, "chat/completions", { model: "m", ...body })).status).toBe(422);
  });

  test.each([
    ["a refusal", { refusal: secret }],
    ["a thought", { reasoning_content: secret }],
    ["a detailed thought", { reasoning_details: [{ type: "reasoning.text", text: secret }] }],
    ["a thought in short", { reasoning_details: [{ type: "reasoning.summary", summary: secret }] }],
    ["what is spoken", { audio: { id: "a", transcript: secret } }],
    ["a custom tool's input", { tool_calls: [{ id: "c", type: "custom", custom: { name: "f", input: secret } }] }],
    [
      "the name of a tool",
      { tool_calls: [{ id: "c", type: "function", function: { name: secret, arguments: "{}" } }] },
    ],
    ["a citation", { annotations: [{ type: "url_citation", url_citation: { title: secret } }] }],
  ])("redacts %s, in a whole answer and in a stream", async (_name, said) => {
    const api = await apiWith([
      { use: "regex", with: { patterns: [{ pattern: secret, action: "redact", replacement: "[cat]" }] } },
    ]);
    const message = { role: "assistant", ...said };
    upstream.respond(
      json(200, { choices: [{ index: 0, message, finish_reason: "stop" }] }),
      events([chunk(said), chunk({}, { finish: "stop" }), done]),
    );
    for (const stream of [false, true]) {
      const { status, text } = await ask(api, "chat/completions", { model: "m", stream });
      expect(status).toBe(200);
      expect(text).not.toContain(secret);
      expect(text).toContain("[cat]");
    }
  });

  test("redacts the text of the older completions' shape", async () => {
    const api = await apiWith([
      { use: "regex", with: { patterns: [{ pattern: secret, action: "redact", replacement: "[cat]" }] } },
    ]);
    upstream.respond(json(200, { choices: [{ index: 0, text: `a ${secret}`, finish_reason: "stop" }] }));
    expect((await ask(api, "chat/completions", { model: "m" })).text).toContain("a [cat]");
  });

  test("leaves ids, types and media as they are, however they look", async () => {
    const api = await apiWith([{ use: "regex", with: { patterns: [{ pattern: "[a-z0-9]+", action: "redact" }] } }]);
    upstream.respond(chatAnswer("!"));
    const content = [{ type: "image_url", image_url: { url: "data:image/png;base64,abc" } }];
    const sent = {
      model: "m",
      messages: [
        { role: "user", content },
        { role: "tool", tool_call_id: "c1", content: "!" },
      ],
    };
    expect((await ask(api, "chat/completions", sent)).status).toBe(200);
    expect(JSON.parse(upstream.seen.at(-1)?.body.toString("utf8") ?? "")).toEqual(sent);
  });
});
