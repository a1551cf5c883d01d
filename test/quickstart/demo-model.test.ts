import { once } from "node:events";
import { createServer } from "node:net";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DemoModel } from "../../src/quickstart/demo-model.ts";
import { startDemoModel } from "../../src/quickstart/demo-model.ts";
import { manualClock } from "../kit/manual-clock.ts";

let model: DemoModel;
let client: OpenAI;

beforeAll(async () => {
  model = await startDemoModel({ clock: manualClock() });
  client = new OpenAI({ apiKey: "unused", baseURL: model.baseUrl, maxRetries: 0 });
});

afterAll(() => model[Symbol.asyncDispose]());

const hello = { model: "demo-1", messages: [{ role: "user" as const, content: "Hello there" }] };
const tool = (name: string) => ({
  type: "function" as const,
  function: {
    name,
    parameters: {
      type: "object",
      properties: { city: { type: "string" }, days: { type: "integer" }, unit: { enum: ["C", "F"] } },
    },
  },
});

describe("chat completions", () => {
  test("the answer says that it is a demonstration, repeats what was said, and counts", async () => {
    const answer = await client.chat.completions.create(hello);
    expect(answer).toMatchObject({ object: "chat.completion", model: "demo-1", created: Date.UTC(2026, 0, 1) / 1000 });
    expect(answer.choices).toHaveLength(1);
    expect(answer.choices[0]?.message.content).toMatch(/demonstration.*Hello there/);
    expect(answer.choices[0]?.finish_reason).toBe("stop");
    const usage = answer.usage;
    expect(usage?.total_tokens).toBe((usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0));
    expect(usage?.completion_tokens).toBeGreaterThan(5);
  });

  test("equal requests get equal answers, others do not", async () => {
    const [first, second, other] = await Promise.all([
      client.chat.completions.create(hello),
      client.chat.completions.create(hello),
      client.chat.completions.create({ ...hello, messages: [{ role: "user", content: "Bye" }] }),
    ]);
    expect(second).toEqual(first);
    expect(other.id).not.toBe(first.id);
  });

  test("a token limit cuts the answer, and says so", async () => {
    const answer = await client.chat.completions.create({ ...hello, max_completion_tokens: 3 });
    expect(answer.choices[0]?.finish_reason).toBe("length");
    expect(answer.usage?.completion_tokens).toBe(3);
  });

  test("a stop sequence ends the answer before it", async () => {
    const answer = await client.chat.completions.create({ ...hello, stop: ["You said"] });
    expect(answer.choices[0]?.message.content).not.toContain("You said");
  });

  test("JSON is given where JSON is asked for", async () => {
    const answer = await client.chat.completions.create({ ...hello, response_format: { type: "json_object" } });
    expect(JSON.parse(answer.choices[0]?.message.content ?? "")).toMatchObject({
      demonstration: true,
      echo: "Hello there",
    });
  });

  test("several choices are numbered", async () => {
    const answer = await client.chat.completions.create({ ...hello, n: 3 });
    expect(answer.choices.map(({ index }) => index)).toEqual([0, 1, 2]);
  });
});

describe("streams", () => {
  test("the pieces joined are the whole answer, under one id, with one role and one ending", async () => {
    const whole = await client.chat.completions.create({
      ...hello,
      messages: [{ role: "user", content: "Grüße 👋🏽 an alle" }],
    });
    const stream = await client.chat.completions.create({
      ...hello,
      messages: [{ role: "user", content: "Grüße 👋🏽 an alle" }],
      stream: true,
    });
    const chunks = await Array.fromAsync(stream);
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe(
      whole.choices[0]?.message.content,
    );
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    expect(chunks.filter((chunk) => chunk.choices[0]?.delta.role !== undefined)).toHaveLength(1);
    expect(chunks.map((chunk) => chunk.choices[0]?.finish_reason).filter((reason) => reason !== null)).toEqual([
      "stop",
    ]);
    expect(chunks.some((chunk) => "usage" in chunk)).toBe(false);
  });

  test("usage comes last and alone, only when it is asked for, and equals that of the whole answer", async () => {
    const whole = await client.chat.completions.create(hello);
    const stream = await client.chat.completions.create({
      ...hello,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = await Array.fromAsync(stream);
    expect(chunks.at(-1)).toMatchObject({ choices: [] });
    expect(chunks.at(-1)?.usage?.prompt_tokens).toBe(whole.usage?.prompt_tokens);
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true);
  });

  test("the stream is framed as events and closed with [DONE]", async () => {
    const response = await fetch(`${model.baseUrl}/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ ...hello, stream: true }),
    });
    expect(response.headers.get("content-type")).toMatch(/^text\/event-stream/);
    const text = await response.text();
    expect(text.endsWith("\n\ndata: [DONE]\n\n")).toBe(true);
    for (const event of text.trimEnd().split("\n\n")) expect(event).toMatch(/^data: [^\n]+$/);
  });

  test("a client that leaves does no harm", async () => {
    const left = new AbortController();
    const long = { ...hello, n: 8, stream: true as const };
    const stream = await client.chat.completions.create(long, { signal: left.signal });
    await stream[Symbol.asyncIterator]().next();
    left.abort();
    expect((await client.chat.completions.create(hello)).object).toBe("chat.completion");
  });
});

describe("tools", () => {
  const tools = [tool("get_weather"), tool("get_forecast")];
  const ask = (content: string) => ({ model: "demo-1", tools, messages: [{ role: "user" as const, content }] });

  test("a tool that is named is called with arguments of its schema", async () => {
    const answer = await client.chat.completions.create(ask("call get_weather for Oslo"));
    expect(answer.choices[0]).toMatchObject({ finish_reason: "tool_calls", message: { content: null } });
    const calls = answer.choices[0]?.message.tool_calls ?? [];
    expect(calls).toMatchObject([{ type: "function", function: { name: "get_weather" } }]);
    expect(JSON.parse(Object(calls[0]).function.arguments)).toEqual({ city: "demo", days: 1, unit: "C" });
  });

  test("small talk calls nothing", async () => {
    const answer = await client.chat.completions.create(ask("Hello there"));
    expect(answer.choices[0]?.message.tool_calls).toBeUndefined();
  });

  test("the first tool is called when a call is required, none when none may be", async () => {
    const required = await client.chat.completions.create({ ...ask("Hello there"), tool_choice: "required" });
    expect(required.choices[0]?.message.tool_calls).toMatchObject([{ function: { name: "get_weather" } }]);
    const none = await client.chat.completions.create({ ...ask("use get_weather"), tool_choice: "none" });
    expect(none.choices[0]?.finish_reason).toBe("stop");
  });

  test("parallel calls interleave in a stream and put together again are those of the whole answer", async () => {
    const whole = await client.chat.completions.create(ask("use the tools in parallel"));
    const stream = client.chat.completions.stream(ask("use the tools in parallel"));
    const indexes: number[] = [];
    for await (const chunk of stream)
      indexes.push(...(chunk.choices[0]?.delta.tool_calls ?? []).map(({ index }) => index));
    expect(indexes.slice(0, 6)).toEqual([0, 1, 0, 1, 0, 1]);
    const streamed = (await stream.finalChatCompletion()).choices[0]?.message.tool_calls;
    expect(streamed).toMatchObject(Object(whole.choices[0]?.message.tool_calls));
    expect(streamed).toHaveLength(2);
  });

  test("one call at a time when parallel ones are refused", async () => {
    const answer = await client.chat.completions.create({ ...ask("use the tools"), parallel_tool_calls: false });
    expect(answer.choices[0]?.message.tool_calls).toHaveLength(1);
  });

  test("a tool's result is answered with text, so that an agent comes to an end", async () => {
    const first = await client.chat.completions.create(ask("call get_weather"));
    const calls = first.choices[0]?.message.tool_calls ?? [];
    const answer = await client.chat.completions.create({
      model: "demo-1",
      tools,
      messages: [
        { role: "user", content: "call get_weather" },
        { role: "assistant", tool_calls: calls },
        { role: "tool", tool_call_id: calls[0]?.id ?? "", content: "14 degrees" },
      ],
    });
    expect(answer.choices[0]).toMatchObject({
      finish_reason: "stop",
      message: { content: expect.stringContaining("14 degrees") },
    });
  });
});

describe("errors", () => {
  const post = (body: string, path = "/chat/completions") => fetch(`${model.baseUrl}${path}`, { method: "POST", body });
  const cases = [
    { name: "a body that is no JSON", body: "{", status: 400, error: { param: null } },
    { name: "no model", body: JSON.stringify({ messages: hello.messages }), status: 400, error: { param: "model" } },
    {
      name: "another model",
      body: JSON.stringify({ ...hello, model: "gpt" }),
      status: 404,
      error: { code: "model_not_found" },
    },
    {
      name: "no messages",
      body: JSON.stringify({ ...hello, messages: [] }),
      status: 400,
      error: { param: "messages" },
    },
    {
      name: "a wrong role",
      body: JSON.stringify({ ...hello, messages: [{ role: "boss" }] }),
      status: 400,
      error: { param: "messages.0.role" },
    },
    {
      name: "a temperature too high",
      body: JSON.stringify({ ...hello, temperature: 3 }),
      status: 400,
      error: { param: "temperature" },
    },
  ];
  test.each(cases)("$name is refused in OpenAI's form", async ({ body, status, error }) => {
    const response = await post(body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({
      error: { message: expect.any(String), type: "invalid_request_error", ...error },
    });
  });

  test("an unknown path is 404 and a wrong method 405, with the same envelope", async () => {
    expect((await post("{}", "/responses")).status).toBe(404);
    const wrong = await fetch(`${model.baseUrl}/chat/completions`);
    expect(wrong.status).toBe(405);
    expect(await wrong.json()).toMatchObject({ error: { type: "invalid_request_error" } });
  });

  test("the SDK reads the fault", async () => {
    await expect(client.chat.completions.create({ ...hello, model: "gpt" })).rejects.toMatchObject({
      status: 404,
      code: "model_not_found",
      param: "model",
    });
  });
});

describe("its port", () => {
  test("is the preferred one when that is free, and another when it is taken", async () => {
    const first = await startDemoModel({ clock: manualClock() });
    await first[Symbol.asyncDispose]();
    await using again = await startDemoModel({ clock: manualClock(), preferredPort: first.port });
    expect(again.port).toBe(first.port);
    const squatter = createServer().listen(0, "127.0.0.1");
    await once(squatter, "listening");
    const taken = Object(squatter.address()).port;
    await using other = await startDemoModel({ clock: manualClock(), preferredPort: taken });
    expect(other.port).not.toBe(taken);
    squatter.close();
  });
});
