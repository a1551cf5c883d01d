import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
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
  api = await gatehouse.llm("chat", `${upstream.url}/v1`);
  client = new OpenAI({ apiKey: api.key, baseURL: api.url, maxRetries: 0 });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const messages = [{ role: "user" as const, content: "Hi" }];

describe("an unmodified openai client", () => {
  test("gets a chat completion", async () => {
    upstream.respond(chatAnswer("Hello."));
    const { data, request_id } = await client.chat.completions.create({ model: "gpt-test", messages }).withResponse();
    expect(data.choices[0]?.message.content).toBe("Hello.");
    expect(request_id).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("gets a stream, without the usage chunk that it did not ask for", async () => {
    upstream.respond(
      events([
        chunk({ role: "assistant", content: "" }, { usage: null }),
        chunk({ content: "Hel" }, { usage: null }),
        chunk({ content: "lo" }, { usage: null }),
        chunk({}, { finish: "stop", usage: null }),
        usageChunk({ prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 }),
        done,
      ]),
    );
    const chunks = await Array.fromAsync(await client.chat.completions.create({ model: "gpt-test", messages, stream: true }));
    expect(chunks.map((each) => each.choices[0]?.delta.content ?? "").join("")).toBe("Hello");
    expect(chunks).toHaveLength(4);
    expect(chunks.every((each) => !("usage" in each))).toBe(true);
    expect(JSON.parse(String(upstream.seen.at(-1)?.body))).toMatchObject({ stream_options: { include_usage: true } });
  });
});
