import { describe, expect, test } from "vitest";
import { anthropicMessages } from "../../../src/routing/dialects/anthropic/anthropic-messages.ts";
import { bedrockConverse } from "../../../src/routing/dialects/bedrock/bedrock-converse.ts";
import type { WireEvent } from "../../../src/routing/dialects/dialect.ts";
import { openAiChat } from "../../../src/routing/dialects/openai-chat/openai-chat.ts";

const target = { name: "eu.anthropic.claude-sonnet-4-5" };
const base = { model: "m", messages: [{ role: "user", content: "hi" }] };

const fromOpenAi = (body: object): unknown =>
  bedrockConverse.writeRequest(openAiChat.readRequest({ ...base, ...body }), target);

describe("a request for Bedrock", () => {
  test("has user and assistant in turn, ids that Bedrock takes, and tools where only the past has them", () => {
    const messages = [
      { role: "system", content: [{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral" } }] },
      { role: "user", content: [{ type: "image_url", image_url: { url: "data:image/jpeg;base64,AAAA" } }] },
      {
        role: "assistant",
        tool_calls: [{ id: "a:1", type: "function", function: { name: "look", arguments: '{"at":1}' } }],
      },
      { role: "tool", tool_call_id: "a:1", content: "a cat" },
      { role: "user", content: "And?" },
    ];
    expect(fromOpenAi({ messages })).toEqual({
      system: [{ text: "Be brief." }, { cachePoint: { type: "default" } }],
      messages: [
        { role: "user", content: [{ image: { format: "jpeg", source: { bytes: "AAAA" } } }] },
        { role: "assistant", content: [{ toolUse: { toolUseId: "a_1", name: "look", input: { at: 1 } } }] },
        {
          role: "user",
          content: [{ toolResult: { toolUseId: "a_1", content: [{ text: "a cat" }] } }, { text: "And?" }],
        },
      ],
      toolConfig: {
        tools: [{ toolSpec: { name: "look", inputSchema: { json: { type: "object", properties: {} } } } }],
      },
    });
  });

  test("carries a document, a choice and a thought's budget", () => {
    const request = anthropicMessages.readRequest({
      model: "m",
      max_tokens: 4_096,
      top_k: 3,
      thinking: { type: "enabled", budget_tokens: 2_000 },
      tools: [{ name: "f", input_schema: { type: "object" } }],
      tool_choice: { type: "any" },
      messages: [
        {
          role: "user",
          content: [
            {
              type: "document",
              title: "a_b?.pdf",
              source: { type: "base64", media_type: "application/pdf", data: "C" },
            },
          ],
        },
      ],
    });
    expect(bedrockConverse.writeRequest(request, target)).toMatchObject({
      messages: [{ content: [{ document: { format: "pdf", name: "a-b pdf", source: { bytes: "C" } } }] }],
      inferenceConfig: { maxTokens: 4_096 },
      toolConfig: { toolChoice: { any: {} } },
      additionalModelRequestFields: { top_k: 3, thinking: { type: "enabled", budget_tokens: 2_000 } },
    });
  });

  test.each([
    {
      name: "an image by its address",
      body: { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "https://x/a.png" } }] }] },
      param: "messages[0].content[0]",
    },
    { name: "several candidates", body: { n: 2 }, param: "n" },
    { name: "a forced form", body: { response_format: { type: "json_object" } }, param: "response_format" },
    { name: "a model that begins", body: { messages: [{ role: "assistant", content: "a" }] }, param: "messages" },
  ])("$name is refused by its name", ({ body, param }) => {
    expect(fromOpenAi(body)).toMatchObject({ type: "deny", code: "request.invalid", param });
  });
});

test("an answer is read with signed thoughts, calls, and all of its input in one sum", () => {
  const answer = bedrockConverse.readAnswer({
    output: {
      message: {
        role: "assistant",
        content: [
          { reasoningContent: { reasoningText: { text: "hm", signature: "s" } } },
          { text: "Well" },
          { toolUse: { toolUseId: "t", name: "f", input: { a: 1 } } },
        ],
      },
    },
    stopReason: "tool_use",
    usage: { inputTokens: 5, outputTokens: 3, cacheReadInputTokens: 2, cacheWriteInputTokens: 1 },
  });
  expect(answer).toMatchObject({
    candidates: [
      {
        finish: "tool-calls",
        parts: [
          { type: "reasoning", text: "hm", signature: { of: "bedrock-converse", value: "s" } },
          { type: "text", text: "Well" },
          { type: "tool-call", id: "t", name: "f", arguments: '{"a":1}' },
        ],
      },
    ],
    usage: { inputTokens: 8, outputTokens: 3, cachedInputTokens: 2, cacheWriteTokens: 1 },
  });
});

describe("a stream of Bedrock's", () => {
  const event = (name: string, data: object): WireEvent => ({ event: name, data });
  const events: readonly WireEvent[] = [
    event("messageStart", { role: "assistant" }),
    event("contentBlockDelta", { contentBlockIndex: 0, delta: { reasoningContent: { text: "hm" } } }),
    event("contentBlockDelta", { contentBlockIndex: 0, delta: { reasoningContent: { signature: "s" } } }),
    event("contentBlockStop", { contentBlockIndex: 0 }),
    event("contentBlockDelta", { contentBlockIndex: 1, delta: { text: "Hello" } }),
    event("contentBlockStop", { contentBlockIndex: 1 }),
    event("contentBlockStart", { contentBlockIndex: 2, start: { toolUse: { toolUseId: "t", name: "f" } } }),
    event("contentBlockDelta", { contentBlockIndex: 2, delta: { toolUse: { input: '{"a":' } } }),
    event("contentBlockDelta", { contentBlockIndex: 2, delta: { toolUse: { input: "1}" } } }),
    event("contentBlockStop", { contentBlockIndex: 2 }),
    event("messageStop", { stopReason: "tool_use" }),
    event("metadata", { usage: { inputTokens: 2, outputTokens: 1 } }),
  ];

  test("reaches a client of Anthropic's as events of its dialect, the signature under its provider's name", () => {
    const reader = bedrockConverse.deltaReader();
    const request = anthropicMessages.readRequest({ ...base, stream: true });
    const writer = anthropicMessages.deltaWriter({ request, exchangeId: "x", nowMs: 0 });
    const written = [
      ...events.flatMap((each) => reader.read(each)).flatMap((delta) => writer.write(delta)),
      ...writer.end(),
    ];
    expect(reader.end()).toBe(true);
    expect(written).toMatchObject([
      { event: "message_start", data: { message: { id: "msg_x" } } },
      { event: "content_block_start", data: { index: 0, content_block: { type: "thinking" } } },
      { data: { delta: { type: "thinking_delta", thinking: "hm" } } },
      { data: { delta: { type: "signature_delta", signature: "bedrock-converse~s" } } },
      { event: "content_block_stop", data: { index: 0 } },
      { event: "content_block_start", data: { index: 1, content_block: { type: "text" } } },
      { data: { delta: { type: "text_delta", text: "Hello" } } },
      { event: "content_block_stop", data: { index: 1 } },
      { event: "content_block_start", data: { index: 2, content_block: { type: "tool_use", id: "t", name: "f" } } },
      { data: { delta: { type: "input_json_delta", partial_json: '{"a":' } } },
      { data: { delta: { type: "input_json_delta", partial_json: "1}" } } },
      { event: "content_block_stop", data: { index: 2 } },
      {
        event: "message_delta",
        data: { delta: { stop_reason: "tool_use" }, usage: { input_tokens: 2, output_tokens: 1 } },
      },
      { event: "message_stop" },
    ]);
  });

  test("that breaks with an exception tells it", () => {
    const reader = bedrockConverse.deltaReader();
    expect(reader.read(event("throttlingException", { message: "slow down" }))).toMatchObject([
      { type: "error", error: { kind: "rate-limit", message: "slow down" } },
    ]);
    expect(reader.end()).toBe(false);
  });
});

test.each([
  { status: 400, body: { __type: "com.amazon#ValidationException", message: "bad" }, kind: "invalid-request" },
  { status: 400, body: { message: "Input is too long for requested model" }, kind: "context-window" },
  { status: 429, body: {}, kind: "rate-limit" },
  { status: 403, body: { __type: "AccessDeniedException", message: "no" }, kind: "permission" },
])("a refusal with status $status means $kind", ({ status, body, kind }) => {
  expect(bedrockConverse.readError(status, body)).toMatchObject({ kind, status });
});

test("tokens that a cache keeps for an hour and the service tier are told, also at the end of a stream", () => {
  const told = {
    usage: {
      inputTokens: 5,
      outputTokens: 3,
      cacheWriteInputTokens: 30,
      cacheDetails: [
        { ttl: "1h", inputTokens: 20 },
        { ttl: "5m", inputTokens: 10 },
      ],
    },
    serviceTier: { type: "flex" },
  };
  const usage = { inputTokens: 35, cacheWriteTokens: 30, cacheWriteHourTokens: 20, serviceTier: "flex" };
  expect(bedrockConverse.usage(told)).toMatchObject(usage);
  expect(bedrockConverse.deltaReader().read({ event: "metadata", data: told })).toMatchObject([
    { type: "usage", usage },
  ]);
});
