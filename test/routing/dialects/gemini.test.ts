import { describe, expect, test } from "vitest";
import type { AnswerContext, WireEvent } from "../../../src/routing/dialects/dialect.ts";
import { geminiGenerate as gemini } from "../../../src/routing/dialects/gemini/gemini-generate.ts";
import { openAiChat } from "../../../src/routing/dialects/openai-chat/openai-chat.ts";

const target = { name: "gemini-2.5-flash" };
const base = { model: "m", messages: [{ role: "user", content: "hi" }] };

const fromOpenAi = (body: object): unknown => gemini.writeRequest(openAiChat.readRequest({ ...base, ...body }), target);

describe("a request of OpenAI's dialect for Google", () => {
  test("has two roles in turn, and results under the names of their functions", () => {
    const messages = [
      { role: "system", content: "Be brief." },
      { role: "user", content: [{ type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }] },
      {
        role: "assistant",
        content: null,
        tool_calls: [
          {
            id: "a",
            type: "function",
            function: { name: "look", arguments: '{"at":1}' },
            extra_content: { google: { thought_signature: "sig" } },
          },
        ],
      },
      { role: "tool", tool_call_id: "a", content: "a cat" },
      { role: "user", content: "And?" },
    ];
    expect(fromOpenAi({ messages })).toEqual({
      systemInstruction: { parts: [{ text: "Be brief." }] },
      contents: [
        { role: "user", parts: [{ inlineData: { mimeType: "image/png", data: "AAAA" } }] },
        {
          role: "model",
          parts: [{ functionCall: { name: "look", args: { at: 1 } }, thoughtSignature: "sig" }],
        },
        {
          role: "user",
          parts: [{ functionResponse: { name: "look", response: { output: "a cat" } } }, { text: "And?" }],
        },
      ],
    });
  });

  test("has results in the order of their calls, and ids for models that know them", () => {
    const call = (id: string) => ({ id, type: "function", function: { name: "look", arguments: "{}" } });
    const messages = [
      { role: "user", content: "Look twice." },
      { role: "assistant", content: null, tool_calls: [call("a"), call("b")] },
      { role: "tool", tool_call_id: "b", content: "second" },
      { role: "tool", tool_call_id: "a", content: "first" },
    ];
    const results = (model: string) =>
      gemini.writeRequest(openAiChat.readRequest({ model, messages }), { name: model });
    const told = (ids: readonly object[]) => ({
      contents: [
        {},
        { parts: ids.map((id) => ({ functionCall: { ...id, name: "look", args: {} } })) },
        {
          parts: ids.map((id, at) => ({
            functionResponse: { ...id, name: "look", response: { output: at === 0 ? "first" : "second" } },
          })),
        },
      ],
    });
    expect(results("gemini-2.5-flash")).toMatchObject(told([{}, {}]));
    expect(JSON.stringify(results("gemini-2.5-flash"))).not.toContain('"id"');
    expect(results("gemini-3.5-flash")).toMatchObject(told([{ id: "a" }, { id: "b" }]));
  });

  test("carries what is asked of the answer", () => {
    const schema = { type: "object" };
    const asked = {
      max_tokens: 9,
      temperature: 2,
      top_p: 0.5,
      seed: 3,
      stop: "x",
      n: 2,
      presence_penalty: 1,
      reasoning_effort: "low",
      tools: [{ type: "function", function: { name: "f", parameters: schema } }],
      tool_choice: { type: "function", function: { name: "f" } },
      response_format: { type: "json_schema", json_schema: { name: "it", schema } },
    };
    expect(fromOpenAi(asked)).toMatchObject({
      tools: [{ functionDeclarations: [{ name: "f", parametersJsonSchema: schema }] }],
      toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["f"] } },
      generationConfig: {
        maxOutputTokens: 9,
        temperature: 2,
        topP: 0.5,
        seed: 3,
        stopSequences: ["x"],
        candidateCount: 2,
        presencePenalty: 1,
        thinkingConfig: { thinkingBudget: 1_024 },
        responseMimeType: "application/json",
        responseJsonSchema: schema,
      },
    });
  });

  test("tells later models a level in place of a budget", () => {
    const request = openAiChat.readRequest({ ...base, reasoning_effort: "high" });
    expect(gemini.writeRequest(request, { name: "gemini-3-pro" })).toMatchObject({
      generationConfig: { thinkingConfig: { thinkingLevel: "high" } },
    });
  });

  test.each([
    {
      name: "calls one by one",
      body: { parallel_tool_calls: false, tools: [{ type: "function", function: { name: "f" } }] },
      param: "parallel_tool_calls",
    },
    {
      name: "a file by another provider's id",
      body: { messages: [{ role: "user", content: [{ type: "file", file: { file_id: "x" } }] }] },
      param: "messages[0].content[0]",
    },
    {
      name: "a result of no call",
      body: { messages: [{ role: "tool", tool_call_id: "x", content: "" }] },
      param: "messages[0]",
    },
  ])("$name cannot be carried, and is named", ({ body, param }) => {
    expect(fromOpenAi(body)).toMatchObject({ type: "deny", param });
  });
});

test("an answer is read with thoughts apart, calls with ids, and thoughts counted as output", () => {
  const answer = gemini.readAnswer({
    responseId: "r",
    modelVersion: "g",
    candidates: [
      {
        content: {
          role: "model",
          parts: [
            { text: "hm", thought: true },
            { text: "Well, " },
            { text: "yes" },
            { functionCall: { name: "f", args: { a: 1 } }, thoughtSignature: "s" },
          ],
        },
        finishReason: "STOP",
      },
    ],
    usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 3, thoughtsTokenCount: 2, cachedContentTokenCount: 1 },
  });
  expect(answer).toMatchObject({
    candidates: [
      {
        finish: "tool-calls",
        parts: [
          { type: "reasoning", text: "hm" },
          { type: "text", text: "Well, yes" },
          {
            type: "tool-call",
            id: expect.stringMatching(/^call_[0-9a-f]{20}_0_3$/) as string,
            name: "f",
            arguments: '{"a":1}',
            signature: { of: "gemini", value: "s" },
          },
        ],
      },
    ],
    usage: { inputTokens: 5, outputTokens: 5, reasoningTokens: 2, cachedInputTokens: 1 },
  });
});

test.each([
  { name: "a blocked prompt", body: { promptFeedback: { blockReason: "SAFETY" } }, finish: "filtered" },
  { name: "a blocked answer", body: { candidates: [{ finishReason: "PROHIBITED_CONTENT" }] }, finish: "filtered" },
  { name: "a cut answer", body: { candidates: [{ finishReason: "MAX_TOKENS" }] }, finish: "length" },
])("$name ends as $finish", ({ body, finish }) => {
  expect(gemini.readAnswer(body).candidates[0]).toMatchObject({ finish });
});

test("what is no answer is the provider's fault", () => {
  expect(() => gemini.readAnswer("<html>")).toThrow(expect.objectContaining({ code: "upstream.invalid" }));
});

describe("a stream of Google's", () => {
  const events: readonly WireEvent[] = [
    {
      data: {
        responseId: "r",
        modelVersion: "g",
        candidates: [{ content: { parts: [{ text: "hm", thought: true }] } }],
      },
    },
    { data: { candidates: [{ content: { parts: [{ text: "He" }] } }] } },
    {
      data: {
        candidates: [{ content: { parts: [{ text: "llo" }, { functionCall: { id: "c", name: "f", args: {} } }] } }],
      },
    },
    {
      data: { candidates: [{ finishReason: "STOP" }], usageMetadata: { promptTokenCount: 2, candidatesTokenCount: 1 } },
    },
  ];
  const request = openAiChat.readRequest({ ...base, stream: true });
  const context: AnswerContext = { request, exchangeId: "x", nowMs: 5_000 };

  test("reaches a client of OpenAI's as chunks of its dialect", () => {
    const reader = gemini.deltaReader();
    const writer = openAiChat.deltaWriter(context);
    const chunks = [
      ...events.flatMap((event) => reader.read(event)).flatMap((delta) => writer.write(delta)),
      ...writer.end(),
    ];
    expect(reader.end()).toBe(true);
    expect(chunks).toMatchObject([
      { data: { id: "r", model: "g", choices: [{ delta: { role: "assistant", reasoning_content: "hm" } }] } },
      { data: { choices: [{ delta: { content: "He" } }] } },
      { data: { choices: [{ delta: { content: "llo" } }] } },
      {
        data: { choices: [{ delta: { tool_calls: [{ index: 0, id: "c", function: { name: "f", arguments: "" } }] } }] },
      },
      { data: { choices: [{ delta: { tool_calls: [{ index: 0, function: { arguments: "{}" } }] } }] } },
      { data: { choices: [{ delta: {}, finish_reason: "tool_calls" }] } },
      { data: "[DONE]" },
    ]);
  });

  test("is not whole before a candidate has finished", () => {
    const reader = gemini.deltaReader();
    for (const event of events.slice(0, 3)) reader.read(event);
    expect(reader.end()).toBe(false);
  });

  test("that is blocked ends as filtered", () => {
    const reader = gemini.deltaReader();
    expect(reader.read({ data: { promptFeedback: { blockReason: "SAFETY" } } })).toContainEqual({
      type: "finish",
      candidate: 0,
      reason: "filtered",
    });
    expect(reader.end()).toBe(true);
  });
});

test.each([
  { status: 429, body: { error: { status: "RESOURCE_EXHAUSTED", message: "m" } }, kind: "rate-limit" },
  { status: 400, body: [{ error: { status: "INVALID_ARGUMENT", message: "m" } }], kind: "invalid-request" },
  { status: 503, body: "", kind: "overloaded" },
  { status: 500, body: "", kind: "server" },
])("a refusal with status $status means $kind", ({ status, body, kind }) => {
  expect(gemini.readError(status, body)).toMatchObject({ kind, status });
});

test("tokens of audio are told apart on both sides", () => {
  const usageMetadata = {
    promptTokenCount: 50,
    candidatesTokenCount: 9,
    promptTokensDetails: [
      { modality: "TEXT", tokenCount: 10 },
      { modality: "AUDIO", tokenCount: 40 },
    ],
    candidatesTokensDetails: [{ modality: "AUDIO", tokenCount: 9 }],
  };
  expect(gemini.usage({ usageMetadata })).toMatchObject({ audioInputTokens: 40, audioOutputTokens: 9 });
});
