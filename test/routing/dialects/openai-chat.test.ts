import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ChatAnswer } from "../../../src/routing/dialects/chat-answer.ts";
import type { AnswerContext, WireEvent } from "../../../src/routing/dialects/dialect.ts";
import { openAiChat } from "../../../src/routing/dialects/openai-chat/openai-chat.ts";

const whole = {
  model: "gpt-x",
  messages: [
    { role: "developer", content: "Be brief." },
    {
      role: "user",
      content: [
        { type: "text", text: "What is this?" },
        { type: "image_url", image_url: { url: "data:image/png;base64,AAAA", detail: "low" } },
        { type: "input_audio", input_audio: { data: "BBBB", format: "wav" } },
        { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,CCCC" } },
      ],
    },
    {
      role: "assistant",
      content: null,
      tool_calls: [
        { id: "call_1", type: "function", function: { name: "look", arguments: '{"at":1}' } },
        { id: "call_2", type: "function", function: { name: "look", arguments: "{}" } },
      ],
    },
    { role: "tool", tool_call_id: "call_1", content: "a cat" },
    { role: "tool", tool_call_id: "call_2", content: "a dog" },
  ],
  tools: [
    {
      type: "function",
      function: { name: "look", description: "Looks.", parameters: { type: "object", properties: {} }, strict: true },
    },
  ],
  tool_choice: { type: "function", function: { name: "look" } },
  parallel_tool_calls: false,
  max_completion_tokens: 64,
  temperature: 0.5,
  top_p: 0.9,
  seed: 7,
  presence_penalty: 0.1,
  frequency_penalty: -0.1,
  stop: ["\n\n"],
  n: 2,
  response_format: { type: "json_schema", json_schema: { name: "it", schema: { type: "object" }, strict: true } },
  reasoning_effort: "low",
  logprobs: true,
  top_logprobs: 2,
  safety_identifier: "somebody",
  metadata: { ticket: "7" },
  prompt_cache_key: "k",
  service_tier: "flex",
};

describe("a request in OpenAI's dialect", () => {
  test("comes back as it was, read and written again", () => {
    expect(openAiChat.writeRequest(openAiChat.readRequest(whole), { name: "gpt-x", newestWords: true })).toEqual(whole);
  });

  test("is told to other servers of the dialect in words that all of them know", () => {
    const told = openAiChat.writeRequest(openAiChat.readRequest(whole), { name: "m" });
    expect(told).toMatchObject({ max_tokens: 64, user: "somebody" });
    expect((told as { readonly messages: readonly object[] }).messages[0]).toMatchObject({ role: "system" }); // a chat
    for (const name of ["max_completion_tokens", "safety_identifier", "prompt_cache_key", "metadata"])
      expect(told).not.toHaveProperty(name);
  });

  test("goes out under the target's model, and asks for usage when it streams", () => {
    const request = openAiChat.readRequest({ model: "a", stream: true, messages: [{ role: "user", content: "hi" }] });
    expect(openAiChat.writeRequest(request, { name: "b" })).toEqual({
      model: "b",
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: "user", content: "hi" }],
    });
  });

  test.each([
    { name: "an audio answer", body: { modalities: ["text", "audio"] }, param: "modalities" },
    { name: "a biased token", body: { logit_bias: { 7: 100 } }, param: "logit_bias" },
    { name: "a stored answer", body: { store: true }, param: "store" },
    { name: "a member of tomorrow", body: { telepathy: { on: true } }, param: "telepathy" },
    { name: "a provider's own tool", body: { tools: [{ type: "web_search" }] }, param: "tools[0].type" },
    {
      name: "a part's unknown member",
      body: { messages: [{ role: "user", content: [{ type: "text", text: "a", mood: "sad" }] }] },
      param: "messages[0].content[0].mood",
    },
  ])("$name is named as what cannot be carried", ({ body, param }) => {
    const request = openAiChat.readRequest({ model: "m", messages: [{ role: "user", content: "hi" }], ...body });
    expect(request.uncarried).toEqual([param]);
    expect(openAiChat.writeRequest(request, { name: "m" })).toMatchObject({
      type: "deny",
      code: "request.invalid",
      param,
    });
  });

  test.each([
    { name: "no messages", body: { messages: [] }, param: "messages" },
    { name: "a message that is a word", body: { messages: ["hi"] }, param: "messages[0]" },
    { name: "an unknown role", body: { messages: [{ role: "king", content: "" }] }, param: "messages[0].role" },
    { name: "half a token", body: { max_tokens: 0.5 }, param: "max_tokens" },
    {
      name: "a tool without a name",
      body: { tools: [{ type: "function", function: {} }] },
      param: "tools[0].function.name",
    },
    {
      name: "an image in a tool's result",
      body: {
        messages: [{ role: "tool", tool_call_id: "a", content: [{ type: "image_url", image_url: { url: "u" } }] }],
      },
      param: "messages[0].content",
    },
  ])("$name is refused by its path", ({ body, param }) => {
    const given = { model: "m", messages: [{ role: "user", content: "hi" }], ...body };
    expect(() => openAiChat.readRequest(given)).toThrow(expect.objectContaining({ code: "request.invalid", param }));
  });
});

const request = openAiChat.readRequest({
  model: "m",
  stream: true,
  stream_options: { include_usage: true },
  messages: [{ role: "user", content: "hi" }],
});
const context: AnswerContext = { request, exchangeId: "x", nowMs: 5_000 };

const chunk = (delta: object, finish: string | null = null, index = 0): WireEvent => ({
  data: {
    id: "c1",
    object: "chat.completion.chunk",
    created: 3,
    model: "m1",
    usage: null,
    choices: [{ index, delta, logprobs: null, finish_reason: finish }],
  },
});

function rewritten(events: readonly WireEvent[]): readonly WireEvent[] {
  const reader = openAiChat.deltaReader();
  const writer = openAiChat.deltaWriter(context);
  const written = events.flatMap((event) => reader.read(event)).flatMap((delta) => writer.write(delta));
  return [...written, ...writer.end()];
}

describe("a stream in OpenAI's dialect", () => {
  const usage = {
    prompt_tokens: 4,
    completion_tokens: 2,
    total_tokens: 6,
    prompt_tokens_details: { cached_tokens: 1 },
    completion_tokens_details: { reasoning_tokens: 0 },
  };
  const events = [
    chunk({ role: "assistant", content: "He" }),
    chunk({ content: "llo" }),
    chunk({ tool_calls: [{ index: 0, id: "a", type: "function", function: { name: "f", arguments: "" } }] }),
    chunk({ tool_calls: [{ index: 1, id: "b", type: "function", function: { name: "g", arguments: "" } }] }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: '{"a":' } }] }),
    chunk({ tool_calls: [{ index: 1, function: { arguments: "{}" } }] }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: "1}" } }] }),
    chunk({}, "tool_calls"),
    { data: { id: "c1", object: "chat.completion.chunk", created: 3, model: "m1", choices: [], usage } },
    { data: "[DONE]" },
  ];

  test("comes back chunk by chunk, interleaved calls among them", () => {
    expect(rewritten(events)).toEqual(events);
  });

  test("is whole only when every choice has finished", () => {
    const reader = openAiChat.deltaReader();
    for (const event of events.slice(0, 5)) reader.read(event);
    expect(reader.end()).toBe(false);
    for (const event of events.slice(5, 8)) reader.read(event);
    expect(reader.end()).toBe(true);
  });

  test("has no clean end after an error", () => {
    const broken = rewritten([chunk({ role: "assistant", content: "He" }), { data: { error: { message: "gone" } } }]);
    expect(broken.at(-1)?.data).toMatchObject({ error: { message: "gone" } });
  });

  test("tells the same texts however they were cut", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 }), { minLength: 1 }), (pieces) => {
        const given = pieces.map((content) => chunk({ content }));
        const texts = rewritten([...given, chunk({}, "stop")]).flatMap(({ data }) => textOf(data));
        expect(texts.join("")).toBe(pieces.join(""));
      }),
    );
  });
});

function textOf(data: unknown): readonly string[] {
  const choices = (data as { choices?: { delta?: { content?: string } }[] }).choices ?? []; // as written above
  return choices.flatMap(({ delta }) => delta?.content ?? []);
}

test("an answer comes back with thoughts as blocks that can be sent again", () => {
  const answer: ChatAnswer = {
    id: "",
    model: "m",
    createdAtMs: undefined,
    candidates: [
      {
        index: 0,
        finish: "tool-calls",
        parts: [
          { type: "reasoning", text: "hm", signature: { of: "anthropic-messages", value: "sig" } },
          { type: "text", text: "Well" },
          { type: "tool-call", id: "a", name: "f", arguments: "" },
        ],
      },
    ],
    usage: undefined,
  };
  const written = openAiChat.writeAnswer(answer, context);
  expect(written).toMatchObject({
    id: "chatcmpl-x",
    created: 5,
    choices: [{ finish_reason: "tool_calls", message: { content: "Well", reasoning_content: "hm" } }],
  });
  const choices = written["choices"] as readonly { readonly message: object }[]; // as written
  const again = openAiChat.readRequest({ model: "m", messages: [choices[0]?.message] });
  expect(again.turns[0]?.parts).toMatchObject([
    { type: "reasoning", text: "hm", signature: { of: "anthropic-messages", value: "sig" } },
    { type: "text", text: "Well" },
    { type: "tool-call", id: "a", name: "f", arguments: "{}" },
  ]);
});

test.each([
  { status: 429, body: { error: { code: "insufficient_quota", message: "m" } }, kind: "quota" },
  { status: 400, body: { error: { code: "context_length_exceeded", message: "m" } }, kind: "context-window" },
  { status: 401, body: { error: { type: "invalid_request_error", message: "m" } }, kind: "authentication" },
  { status: 404, body: "<html>", kind: "not-found" },
  { status: 502, body: "", kind: "server" },
])("a refusal with status $status means $kind", ({ status, body, kind }) => {
  expect(openAiChat.readError(status, body)).toMatchObject({ kind, status });
});
