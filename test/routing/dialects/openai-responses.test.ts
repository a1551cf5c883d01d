import { describe, expect, test } from "vitest";
import type { AnswerContext, WireEvent } from "../../../src/routing/dialects/dialect.ts";
import { openAiChat } from "../../../src/routing/dialects/openai-chat/openai-chat.ts";
import { openAiResponses } from "../../../src/routing/dialects/openai-responses/openai-responses.ts";

const whole = {
  model: "gpt-x",
  store: false,
  input: [
    { type: "message", role: "system", content: [{ type: "input_text", text: "Be brief." }] },
    {
      type: "message",
      role: "user",
      content: [
        { type: "input_text", text: "What is this?" },
        { type: "input_image", image_url: "data:image/png;base64,AAAA", detail: "low" },
        { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,CCCC" },
      ],
    },
    { type: "reasoning", id: "rs_1", summary: [{ type: "summary_text", text: "hm" }], encrypted_content: "enc" },
    { type: "message", role: "assistant", content: [{ type: "output_text", text: "Let me look." }] },
    { type: "function_call", call_id: "call_1", name: "look", arguments: '{"at":1}' },
    { type: "function_call", call_id: "call_2", name: "look", arguments: "{}" },
    { type: "function_call_output", call_id: "call_1", output: "a cat" },
    { type: "function_call_output", call_id: "call_2", output: "a dog" },
  ],
  tools: [{ type: "function", name: "look", description: "Looks.", parameters: { type: "object" }, strict: true }],
  tool_choice: { type: "function", name: "look" },
  parallel_tool_calls: false,
  max_output_tokens: 64,
  temperature: 0.5,
  top_p: 0.9,
  text: { format: { type: "json_schema", name: "it", schema: { type: "object" }, strict: true } },
  reasoning: { effort: "low", summary: "auto" },
  include: ["reasoning.encrypted_content"],
  safety_identifier: "somebody",
  metadata: { ticket: "7" },
  prompt_cache_key: "k",
};

describe("a request in the dialect of Responses", () => {
  test("comes back as it was, read and written again", () => {
    expect(openAiResponses.writeRequest(openAiResponses.readRequest(whole), { name: "gpt-x" })).toEqual(whole);
  });

  test("becomes a chat with the calls of one turn in one message", () => {
    expect(openAiChat.writeRequest(openAiResponses.readRequest(whole), { name: "m" })).toMatchObject({
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user" },
        { role: "assistant", content: "Let me look.", tool_calls: [{ id: "call_1" }, { id: "call_2" }] },
        { role: "tool", tool_call_id: "call_1", content: "a cat" },
        { role: "tool", tool_call_id: "call_2", content: "a dog" },
      ],
      max_tokens: 64,
      reasoning_effort: "low",
    });
  });

  test("takes a plain text, and instructions in front of it", () => {
    const request = openAiResponses.readRequest({ model: "m", input: "hi", instructions: "Be brief." });
    expect(openAiChat.writeRequest(request, { name: "m" })).toEqual({
      model: "m",
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "hi" },
      ],
    });
  });

  test.each([
    { name: "an answer before", body: { previous_response_id: "resp_1" }, param: "previous_response_id" },
    { name: "a conversation", body: { conversation: "conv_1" }, param: "conversation" },
    { name: "work in the background", body: { background: true }, param: "background" },
    { name: "a tool that OpenAI runs", body: { tools: [{ type: "web_search" }] }, param: "tools[0].type" },
    {
      name: "a reference",
      body: {
        input: [
          { role: "user", content: "a" },
          { type: "item_reference", id: "x" },
        ],
      },
      param: "input[1].type",
    },
    { name: "truncation", body: { truncation: "auto" }, param: "truncation" },
  ])("$name cannot be carried, and is named", ({ body, param }) => {
    expect(openAiResponses.readRequest({ model: "m", input: "hi", ...body }).uncarried).toContain(param);
  });

  test.each([
    { name: "no input", body: { input: [] }, param: "input" },
    {
      name: "a call without a name",
      body: { input: [{ type: "function_call", call_id: "c" }] },
      param: "input[0].name",
    },
  ])("$name is refused by its path", ({ body, param }) => {
    expect(() => openAiResponses.readRequest({ model: "m", ...body })).toThrow(
      expect.objectContaining({ code: "request.invalid", param }),
    );
  });
});

const context: AnswerContext = {
  request: openAiResponses.readRequest({ model: "m", input: "hi", stream: true }),
  exchangeId: "0-x",
  nowMs: 5_000,
};

const chunk = (delta: object, finish: string | null = null): WireEvent => ({
  data: { id: "c1", created: 3, model: "m1", choices: [{ index: 0, delta, finish_reason: finish }] },
});

describe("a chat's stream for a client of Responses", () => {
  const reader = openAiChat.deltaReader();
  const writer = openAiResponses.deltaWriter(context);
  const events = [
    chunk({ role: "assistant", content: "He" }),
    chunk({ content: "llo" }),
    chunk({ tool_calls: [{ index: 0, id: "a", type: "function", function: { name: "f", arguments: "" } }] }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: '{"a":1}' } }] }),
    chunk({}, "tool_calls"),
    { data: { choices: [], usage: { prompt_tokens: 2, completion_tokens: 3 } } },
    { data: "[DONE]" },
  ];
  const written = [
    ...events.flatMap((event) => reader.read(event)).flatMap((delta) => writer.write(delta)),
    ...writer.end(),
  ];

  test("is the typed events in their order, numbered without a gap", () => {
    expect(written.map(({ event }) => event)).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.content_part.added",
      "response.output_text.delta",
      "response.output_text.delta",
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.output_item.added",
      "response.function_call_arguments.delta",
      "response.function_call_arguments.done",
      "response.output_item.done",
      "response.completed",
    ]);
    const numbers = written.map(({ data }) => (data as { readonly sequence_number: number }).sequence_number); // as written
    expect(numbers).toEqual(numbers.map((_, index) => index));
  });

  test("ends with the whole response and its usage", () => {
    expect(written.at(-1)?.data).toMatchObject({
      response: {
        id: "resp_0x",
        status: "completed",
        output: [
          { type: "message", content: [{ type: "output_text", text: "Hello" }] },
          { type: "function_call", call_id: "a", name: "f", arguments: '{"a":1}' },
        ],
        usage: { input_tokens: 2, output_tokens: 3, total_tokens: 5 },
      },
    });
  });

  test("that breaks ends as failed, and not as completed", () => {
    const broken = openAiResponses.deltaWriter(context);
    const error = { kind: "server" as const, status: undefined, message: "gone" };
    const told = [
      ...broken.write({ type: "start", id: "", model: "m" }),
      ...broken.write({ type: "error", error }),
      ...broken.end(),
    ];
    expect(told.at(-1)).toMatchObject({
      event: "response.failed",
      data: { response: { status: "failed", error: { message: "gone" } } },
    });
  });
});

test.each([
  {
    name: "a cut answer",
    body: { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } },
    finish: "length",
  },
  {
    name: "a filtered one",
    body: { status: "incomplete", incomplete_details: { reason: "content_filter" } },
    finish: "filtered",
  },
  {
    name: "one with a call",
    body: { status: "completed", output: [{ type: "function_call", call_id: "a", name: "f" }] },
    finish: "tool-calls",
  },
  { name: "a whole one", body: { status: "completed" }, finish: "stop" },
])("$name ends as $finish", ({ body, finish }) => {
  expect(openAiResponses.readAnswer({ output: [], ...body }).candidates[0]).toMatchObject({ finish });
});
