// long: the whole of one wire format, with the two that it is most often paired with
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anthropicMessages } from "../../../src/routing/dialects/anthropic/anthropic-messages.ts";
import type { ChatDelta } from "../../../src/routing/dialects/chat-answer.ts";
import type { AnswerContext, WireEvent } from "../../../src/routing/dialects/dialect.ts";
import { openAiChat } from "../../../src/routing/dialects/openai-chat/openai-chat.ts";

const target = { name: "claude-x" };

const whole = {
  model: "claude-x",
  max_tokens: 64,
  system: [{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral", ttl: "1h" } }],
  messages: [
    {
      role: "user",
      content: [
        { type: "text", text: "What is this?" },
        { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } },
        { type: "document", title: "a.pdf", source: { type: "base64", media_type: "application/pdf", data: "CCCC" } },
      ],
    },
    {
      role: "assistant",
      content: [
        { type: "thinking", thinking: "hm", signature: "sig" },
        { type: "redacted_thinking", data: "xxx" },
        { type: "tool_use", id: "toolu_1", name: "look", input: { at: 1 } },
        { type: "tool_use", id: "toolu_2", name: "look", input: {} },
      ],
    },
    {
      role: "user",
      content: [
        { type: "tool_result", tool_use_id: "toolu_1", content: [{ type: "text", text: "a cat" }] },
        { type: "tool_result", tool_use_id: "toolu_2", content: [{ type: "text", text: "none" }], is_error: true },
        { type: "text", text: "And now?" },
      ],
    },
  ],
  tools: [{ name: "look", description: "Looks.", input_schema: { type: "object", properties: {} } }],
  tool_choice: { type: "any", disable_parallel_tool_use: true },
  temperature: 0.5,
  top_p: 0.9,
  top_k: 5,
  stop_sequences: ["end"],
  output_config: { format: { type: "json_schema", schema: { type: "object" } } },
  metadata: { user_id: "somebody" },
};

const fromOpenAi = (body: object): unknown =>
  anthropicMessages.writeRequest(
    openAiChat.readRequest({ model: "m", max_tokens: 4_096, messages: [{ role: "user", content: "hi" }], ...body }),
    target,
  );

describe("a request in Anthropic's dialect", () => {
  test("comes back as it was, read and written again", () => {
    expect(anthropicMessages.writeRequest(anthropicMessages.readRequest(whole), target)).toEqual(whole);
  });

  test("becomes OpenAI's with results as messages of their own", () => {
    const { top_k: _topK, ...rest } = whole;
    expect(openAiChat.writeRequest(anthropicMessages.readRequest(rest), { name: "gpt" })).toMatchObject({
      model: "gpt",
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user" },
        { role: "assistant", content: null, tool_calls: [{ id: "toolu_1" }, { id: "toolu_2" }] },
        { role: "tool", tool_call_id: "toolu_1", content: "a cat" },
        { role: "tool", tool_call_id: "toolu_2", content: "none" },
        { role: "user", content: "And now?" },
      ],
      tool_choice: "required",
      parallel_tool_calls: false,
      response_format: { type: "json_schema" },
    });
  });

  test("is refused for OpenAI by what it alone has", () => {
    expect(openAiChat.writeRequest(anthropicMessages.readRequest(whole), { name: "gpt" })).toMatchObject({
      param: "top_k",
    });
  });

  test.each([
    {
      name: "a tool that Anthropic runs",
      body: { tools: [{ type: "web_search_20250305", name: "w" }] },
      param: "tools[0].type",
    },
    { name: "a container", body: { container: "c" }, param: "container" },
    {
      name: "a block of such a tool",
      body: { messages: [{ role: "user", content: [{ type: "web_search_tool_result" }] }] },
      param: "messages[0].content[0].type",
    },
  ])("$name cannot be carried, and is named", ({ body, param }) => {
    expect(anthropicMessages.readRequest({ ...whole, ...body }).uncarried).toEqual([param]);
  });

  test.each([
    { name: "a message without content", body: { messages: [{ role: "user" }] }, param: "messages[0].content" },
    { name: "a number for a text", body: { stop_sequences: [1] }, param: "stop_sequences[0]" },
    { name: "no model", body: { model: "" }, param: "model" },
  ])("$name is refused by its path", ({ body, param }) => {
    expect(() => anthropicMessages.readRequest({ ...whole, ...body })).toThrow(
      expect.objectContaining({ code: "request.invalid", param }),
    );
  });
});

describe("a request of OpenAI's dialect for Anthropic", () => {
  test("has system texts in front and messages of one role in a row as one", () => {
    const messages = [
      { role: "system", content: "One." },
      { role: "user", content: "a" },
      { role: "developer", content: "Two." },
      { role: "user", content: "b" },
    ];
    expect(fromOpenAi({ messages })).toMatchObject({
      system: [
        { type: "text", text: "One." },
        { type: "text", text: "Two." },
      ],
      messages: [{ role: "user", content: [{ text: "a" }, { text: "b" }] }],
    });
  });

  test("has results in the order of their calls, before what the user says, and tools where only the past has them", () => {
    const messages = [
      { role: "user", content: "a" },
      {
        role: "assistant",
        tool_calls: ["one", "two"].map((id) => ({ id, type: "function", function: { name: id, arguments: "{" } })),
      },
      { role: "tool", tool_call_id: "two", content: "2" },
      { role: "tool", tool_call_id: "one", content: "1" },
      { role: "user", content: "b" },
    ];
    expect(fromOpenAi({ messages })).toMatchObject({
      tools: [{ name: "one" }, { name: "two" }],
      tool_choice: { type: "none" },
      messages: [
        { role: "user" },
        { role: "assistant", content: [{ type: "tool_use", id: "one", input: {} }, { id: "two" }] },
        { role: "user", content: [{ tool_use_id: "one" }, { tool_use_id: "two" }, { type: "text", text: "b" }] },
      ],
    });
  });

  test.each([
    { name: "several candidates", body: { n: 2 }, param: "n" },
    { name: "a seed", body: { seed: 1 }, param: "seed" },
    { name: "a penalty", body: { presence_penalty: 1 }, param: "presence_penalty" },
    { name: "heat beyond 1", body: { temperature: 1.5 }, param: "temperature" },
    { name: "JSON without a schema", body: { response_format: { type: "json_object" } }, param: "response_format" },
    {
      name: "sound",
      body: {
        messages: [{ role: "user", content: [{ type: "input_audio", input_audio: { data: "A", format: "wav" } }] }],
      },
      param: "messages[0].content[0]",
    },
    {
      name: "a conversation that the model begins",
      body: { messages: [{ role: "assistant", content: "a" }] },
      param: "messages",
    },
  ])("$name is refused by its name", ({ body, param }) => {
    expect(fromOpenAi(body)).toMatchObject({ type: "deny", code: "request.invalid", param });
  });

  test("a penalty of nothing is nothing", () => {
    expect(fromOpenAi({ presence_penalty: 0, n: 1 })).not.toHaveProperty("type");
  });

  test.each([
    { model: "claude-sonnet-4-5", thinking: { type: "enabled", budget_tokens: 2_048 } },
    { model: "claude-opus-4-6", thinking: { type: "adaptive" } },
  ])("$model thinks as it is told to", ({ model, thinking }) => {
    const request = openAiChat.readRequest({
      model: "m",
      max_tokens: 4_096,
      reasoning_effort: "low",
      messages: [{ role: "user", content: "hi" }],
    });
    expect(anthropicMessages.writeRequest(request, { name: model })).toMatchObject({ thinking });
  });

  test("a budget stays below the answer's length, and is left out where that leaves too little", () => {
    expect(fromOpenAi({ max_tokens: 2_000, reasoning_effort: "high" })).toMatchObject({
      thinking: { budget_tokens: 1_999 },
    });
    expect(fromOpenAi({ max_tokens: 500, reasoning_effort: "high" })).not.toHaveProperty("thinking");
  });
});

const request = anthropicMessages.readRequest({ ...whole, stream: true });
const context: AnswerContext = { request, exchangeId: "x", nowMs: 5_000 };

function event(type: string, more: object): WireEvent {
  return { event: type, data: { type, ...more } };
}

function rewritten(events: readonly WireEvent[]): readonly WireEvent[] {
  const reader = anthropicMessages.deltaReader();
  const writer = anthropicMessages.deltaWriter(context);
  const written = events.flatMap((each) => reader.read(each)).flatMap((delta) => writer.write(delta));
  return reader.end() ? [...written, ...writer.end()] : written;
}

const usage = { input_tokens: 4, cache_creation_input_tokens: 2, cache_read_input_tokens: 3, output_tokens: 1 };

const stream: readonly WireEvent[] = [
  event("message_start", {
    message: {
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "claude-x",
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage,
    },
  }),
  event("content_block_start", { index: 0, content_block: { type: "thinking", thinking: "", signature: "" } }),
  event("content_block_delta", { index: 0, delta: { type: "thinking_delta", thinking: "hm" } }),
  event("content_block_delta", { index: 0, delta: { type: "signature_delta", signature: "sig" } }),
  event("content_block_stop", { index: 0 }),
  event("content_block_start", { index: 1, content_block: { type: "text", text: "" } }),
  event("content_block_delta", { index: 1, delta: { type: "text_delta", text: "Hello" } }),
  event("content_block_stop", { index: 1 }),
  event("content_block_start", { index: 2, content_block: { type: "tool_use", id: "t", name: "look", input: {} } }),
  event("content_block_delta", { index: 2, delta: { type: "input_json_delta", partial_json: '{"a":1}' } }),
  event("content_block_stop", { index: 2 }),
  event("message_delta", {
    delta: { stop_reason: "tool_use", stop_sequence: null },
    usage: { ...usage, output_tokens: 9 },
  }),
  event("message_stop", {}),
];

describe("a stream in Anthropic's dialect", () => {
  test("comes back event by event, usage told before the first block", () => {
    const [start, ...rest] = rewritten(stream);
    expect(rest).toEqual(stream.slice(1));
    expect(start?.data).toMatchObject({ message: { id: "msg_1", model: "claude-x" } });
  });

  test("counts usage as sums so far, never twice", () => {
    const reader = anthropicMessages.deltaReader();
    const deltas = stream.flatMap((each) => reader.read(each));
    const last = deltas.findLast((delta): delta is Extract<ChatDelta, { type: "usage" }> => delta.type === "usage");
    expect(last?.usage).toMatchObject({ inputTokens: 9, cachedInputTokens: 3, cacheWriteTokens: 2, outputTokens: 9 });
  });

  test("is not whole without its last event", () => {
    const reader = anthropicMessages.deltaReader();
    for (const each of stream.slice(0, -1)) reader.read(each);
    expect(reader.end()).toBe(false);
  });

  test("tells an error in its own words, and no clean end after it", () => {
    const error = event("error", { error: { type: "overloaded_error", message: "Too busy." } });
    const reader = anthropicMessages.deltaReader();
    const writer = anthropicMessages.deltaWriter(context);
    const events = [stream[0], error].flatMap((each) => (each === undefined ? [] : reader.read(each)));
    const written = [...events.flatMap((delta) => writer.write(delta)), ...writer.end()];
    expect(written.at(-1)).toEqual(error);
  });

  test("has its blocks one after the other, however another provider's calls interleave", () => {
    const piece = fc.record({ call: fc.nat(2), text: fc.string({ minLength: 1 }) });
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const writer = anthropicMessages.deltaWriter(context);
        const deltas: ChatDelta[] = [0, 1, 2].map((part) => ({
          type: "open",
          candidate: 0,
          part,
          of: { type: "tool-call", id: `c${part}`, name: "f" },
        }));
        for (const { call, text } of pieces) deltas.push({ type: "more", candidate: 0, part: call, text });
        for (const part of [0, 1, 2]) deltas.push({ type: "close", candidate: 0, part });
        const written = [...deltas.flatMap((delta) => writer.write(delta)), ...writer.end()];
        expect(openBlocks(written)).toBeLessThanOrEqual(1);
        for (const call of [0, 1, 2]) {
          const texts = pieces.filter((each) => each.call === call).map(({ text }) => text);
          expect(argumentsOf(written, call)).toBe(texts.join(""));
        }
      }),
    );
  });

  test("a signature of another provider's comes back to the call that it is about", () => {
    const signature = { of: "gemini" as const, value: "s~%" };
    const written = anthropicMessages.writeAnswer(
      {
        id: "m",
        model: "g",
        createdAtMs: undefined,
        candidates: [
          {
            index: 0,
            finish: "tool-calls",
            parts: [{ type: "tool-call", id: "a~b", name: "f", arguments: "{}", signature }],
          },
        ],
        usage: undefined,
      },
      context,
    );
    const again = anthropicMessages.readRequest({
      ...whole,
      messages: [{ role: "assistant", content: written["content"] }],
    });
    expect(again.turns.at(-1)?.parts).toMatchObject([{ type: "tool-call", id: "a~b", signature }]);
  });
});

function openBlocks(events: readonly WireEvent[]): number {
  let [open, most] = [0, 0];
  for (const { event: name } of events) {
    if (name === "content_block_start") open += 1;
    if (name === "content_block_stop") open -= 1;
    most = Math.max(most, open);
  }
  return most;
}

function argumentsOf(events: readonly WireEvent[], index: number): string {
  return events
    .map(({ data }) => data as { readonly index?: number; readonly delta?: { readonly partial_json?: string } }) // as written
    .flatMap((data) => (data.index === index ? (data.delta?.partial_json ?? []) : []))
    .join("");
}
