import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { TestApi, TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { chatAnswer, chunk, done, events, json, startMockUpstream, usageChunk } from "../kit/mock-upstream.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let api: TestApi;
let client: OpenAI;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  api = await gatehouse.llm("chat", `${upstream.url}/v1`, {
    upstream: {
      production: { targets: [{ provider: "chat" }], breaker: { failures: 0 } },
      sandbox: { sameAs: "production" },
    },
  });
  client = new OpenAI({ apiKey: api.key, baseURL: api.url, maxRetries: 0 });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

beforeEach(() => upstream.respond(chatAnswer("Hello.")));

const messages = [{ role: "user" as const, content: "Hi" }];
const model = "gpt-test";
const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 };

describe("whole answers", () => {
  test("a chat completion arrives with the gateway's request id", async () => {
    const { data, request_id } = await client.chat.completions.create({ model, messages }).withResponse();
    expect(data.choices[0]?.message.content).toBe("Hello.");
    expect(request_id).toMatch(/^[0-9a-f-]{36}$/);
    expect(upstream.seen.at(-1)?.headers["x-request-id"]).toBe(request_id);
  });

  test("several choices and parallel tool calls arrive as they were sent", async () => {
    const call = (id: string, name: string) => ({ id, type: "function", function: { name, arguments: '{"q":1}' } });
    const choices = [0, 1].map((index) => ({
      index,
      message: { role: "assistant", content: null, tool_calls: [call(`a${index}`, "get"), call(`b${index}`, "put")] },
      finish_reason: "tool_calls",
    }));
    upstream.respond(json(200, { id: "x", object: "chat.completion", created: 1, model, choices, usage }));
    const answer = await client.chat.completions.create({ model, messages, n: 2 });
    expect(answer.choices).toEqual(choices);
  });

  test.each([
    [
      "as base64, which the SDK asks for by itself",
      undefined,
      Buffer.from(new Float32Array([0.5, -2]).buffer).toString("base64"),
    ],
    ["as numbers when asked", "float" as const, [0.5, -2]],
  ])("embeddings arrive %s", async (_name, encoding_format, embedding) => {
    upstream.respond(json(200, { object: "list", model, data: [{ object: "embedding", index: 0, embedding }], usage }));
    const format = encoding_format === undefined ? {} : { encoding_format };
    const answer = await client.embeddings.create({ model, input: "text", ...format });
    expect(Array.from(answer.data[0]?.embedding ?? [])).toEqual([0.5, -2]);
    const asked: unknown = JSON.parse(String(upstream.seen.at(-1)?.body));
    expect(asked).toMatchObject({ encoding_format: encoding_format ?? "base64" });
  });

  test("models can be listed and retrieved", async () => {
    upstream.respond(
      json(200, { object: "list", data: [{ id: "org/m-1", object: "model", created: 3, owned_by: "lab" }] }),
    );
    const listed = await Array.fromAsync(client.models.list());
    expect(listed.map(({ id }) => id)).toEqual(["org/m-1"]);
    expect(await client.models.retrieve("org/m-1")).toMatchObject({ id: "org/m-1", owned_by: "lab" });
    await expect(client.models.retrieve("org/m-2")).rejects.toMatchObject({ status: 404, code: "model_not_found" });
  });
});

describe("streams", () => {
  const pieces = [
    chunk({ role: "assistant", content: "" }, { usage: null }),
    chunk({ content: "Hel" }, { usage: null }),
    chunk({ content: "lo" }, { usage: null }),
    chunk({}, { finish: "stop", usage: null }),
    usageChunk(usage),
    done,
  ];

  test("come without the usage that the client did not ask for", async () => {
    upstream.respond(events(pieces));
    const chunks = await Array.fromAsync(await client.chat.completions.create({ model, messages, stream: true }));
    expect(chunks.map((each) => each.choices[0]?.delta.content ?? "").join("")).toBe("Hello");
    expect(chunks).toHaveLength(4);
    expect(chunks.every((each) => !("usage" in each))).toBe(true);
    expect(JSON.parse(String(upstream.seen.at(-1)?.body))).toMatchObject({ stream_options: { include_usage: true } });
  });

  test("come with the usage that the client asked for", async () => {
    upstream.respond(events(pieces));
    const stream_options = { include_usage: true };
    const stream = await client.chat.completions.create({ model, messages, stream: true, stream_options });
    const chunks = await Array.fromAsync(stream);
    expect(chunks.at(-1)?.usage).toEqual(usage);
    expect(chunks[0]).toHaveProperty("usage", null);
  });

  test("keep the client's other stream options", async () => {
    upstream.respond(events(pieces));
    const stream_options = { include_obfuscation: false };
    await Array.fromAsync(await client.chat.completions.create({ model, messages, stream: true, stream_options }));
    const asked: unknown = JSON.parse(String(upstream.seen.at(-1)?.body));
    expect(asked).toMatchObject({ stream_options: { include_obfuscation: false, include_usage: true } });
  });

  test("carry tool calls whose fragments are interleaved, for each choice", async () => {
    const fragment = (index: number, text: string) => ({ tool_calls: [{ index, function: { arguments: text } }] });
    const begin = (index: number, id: string) => ({
      tool_calls: [{ index, id, type: "function", function: { name: `tool_${index}`, arguments: "" } }],
    });
    const perChoice = (index: number) => [
      chunk({ role: "assistant", ...begin(0, `a${index}`) }, { index }),
      chunk(begin(1, `b${index}`), { index }),
      chunk(fragment(0, '{"ci'), { index }),
      chunk(fragment(1, '{"n":'), { index }),
      chunk(fragment(0, 'ty":"Łódź"}'), { index }),
      chunk(fragment(1, "1}"), { index }),
      chunk({}, { index, finish: "tool_calls" }),
    ];
    const [left, right] = [perChoice(0), perChoice(1)];
    upstream.respond(events([...left.flatMap((piece, at) => [piece, right[at] ?? ""]), done]));
    const runner = client.chat.completions.stream({ model, messages, n: 2 });
    const { choices } = await runner.finalChatCompletion();
    for (const { message } of choices) {
      const calls = message.tool_calls?.map((call) => call.type === "function" && call.function.arguments);
      expect(calls).toEqual(['{"city":"Łódź"}', '{"n":1}']);
    }
    expect(choices).toHaveLength(2);
  });
});

describe("leaving", () => {
  test("a stream's abort reaches the upstream within 100 ms", async () => {
    upstream.respond(async (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(chunk({ content: "a" }));
    });
    const stream = await client.chat.completions.create({ model, messages, stream: true });
    for await (const _chunk of stream) break; // the SDK aborts when the loop is left
    const leftAt = performance.now();
    await upstream.seen.at(-1)?.aborted;
    expect(performance.now() - leftAt).toBeLessThan(100);
  });

  test("a waiting call's abort reaches the upstream within 100 ms", async () => {
    const arrived = new Promise<void>((resolve) => upstream.respond(() => resolve()));
    const aborter = new AbortController();
    const call = client.chat.completions.create({ model, messages }, { signal: aborter.signal });
    const failure = call.catch((error: unknown) => error);
    await arrived;
    const leftAt = performance.now();
    aborter.abort();
    await upstream.seen.at(-1)?.aborted;
    expect(performance.now() - leftAt).toBeLessThan(100);
    expect(await failure).toBeInstanceOf(OpenAI.APIUserAbortError);
  });
});
