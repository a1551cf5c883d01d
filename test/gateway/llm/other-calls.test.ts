import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { LlmPairs } from "../../kit/llm-pairs.ts";
import { startLlmPairs } from "../../kit/llm-pairs.ts";
import type { UpstreamId } from "../../kit/llm-replay.ts";
import type { RawAnswer } from "../../kit/raw-http.ts";
import { rawHttp } from "../../kit/raw-http.ts";

let pairs: LlmPairs;

beforeAll(async () => {
  pairs = await startLlmPairs();
});

afterAll(() => pairs[Symbol.asyncDispose]());

beforeEach(() => pairs.replay.restore());

function ask(upstream: UpstreamId, path: string, body: object): Promise<RawAnswer> {
  const { url, key } = pairs.apis[upstream];
  const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
  return rawHttp(`${url}/${path}`, { headers, body: JSON.stringify(body) });
}

const sent = () => {
  const seen = pairs.replay.upstream.seen.at(-1);
  return { url: seen?.url, body: JSON.parse(seen?.body.toString("utf8") ?? "null") as unknown };
};
const answer = (body: object) => pairs.replay.answerWith(200, "application/json", JSON.stringify(body));

describe("embeddings", () => {
  const google = "/vertex/v1/projects/acme-ai/locations/europe-west1/publishers/google/models";
  const numbers = [0.5, -2];

  test.each([
    {
      upstream: "gemini",
      model: "gemini-embedding-001",
      told: { embeddings: [{ values: numbers }, { values: numbers }] },
      url: "/gemini/v1beta/models/gemini-embedding-001:batchEmbedContents",
      asked: { requests: [{ model: "models/gemini-embedding-001", outputDimensionality: 2 }, {}] },
      source: "estimated",
    },
    {
      upstream: "vertex",
      model: "text-embedding-005",
      told: { predictions: [0, 1].map(() => ({ embeddings: { values: numbers, statistics: { token_count: 3 } } })) },
      url: `${google}/text-embedding-005:predict`,
      asked: { instances: [{ content: "one" }, { content: "two" }], parameters: { outputDimensionality: 2 } },
      source: "actual",
    },
  ] as const)("are told by $upstream to clients of OpenAI's", async ({ upstream, model, told, url, asked, source }) => {
    answer(told);
    const { url: baseURL, key } = pairs.apis[upstream];
    const client = new OpenAI({ apiKey: key, baseURL, maxRetries: 0 });
    const { data, response } = await client.embeddings
      .create({ model, input: ["one", "two"], dimensions: 2 }) // the SDK asks for base64 and decodes it
      .withResponse();
    expect(data.data.map(({ embedding }) => embedding)).toEqual([numbers, numbers]);
    expect(sent()).toMatchObject({ url, body: asked });
    const id = response.headers.get("x-request-id");
    const row = (await pairs.gatehouse.events()).find(({ exchange_id }) => exchange_id === id);
    expect(row).toMatchObject({ outcome: "ok", usage_source: source, input_tokens: source === "actual" ? 6 : 2 });
  });

  test("are told by models in Bedrock, each in its own form", async () => {
    answer({ embedding: numbers, inputTextTokenCount: 4 });
    const titan = await ask("bedrock", "embeddings", { model: "amazon.titan-embed-text-v2:0", input: "one" });
    expect(titan.json()).toMatchObject({ data: [{ embedding: numbers }], usage: { prompt_tokens: 4 } });
    expect(sent()).toEqual({
      url: "/bedrock/model/amazon.titan-embed-text-v2%3A0/invoke",
      body: { inputText: "one" },
    });
    answer({ embeddings: [numbers, numbers], response_type: "embeddings_floats" });
    const cohere = await ask("bedrock", "embeddings", { model: "cohere.embed-english-v3", input: ["one", "two"] });
    expect(cohere.json()).toMatchObject({ data: [{ index: 0 }, { index: 1, embedding: numbers }] });
  });

  test.each([
    { upstream: "gemini", body: { input: [1, 2, 3] }, param: "input" },
    { upstream: "gemini", body: { input: "x", truncate: true }, param: "truncate" },
    { upstream: "gemini", body: { input: "x", encoding_format: "int8" }, param: "encoding_format" },
    { upstream: "bedrock", body: { model: "amazon.titan-embed-text-v2:0", input: ["a", "b"] }, param: "input[1]" },
    { upstream: "bedrock", body: { model: "cohere.embed-x", input: "a", dimensions: 8 }, param: "dimensions" },
  ] as const)("that cannot be carried over are refused by name: $param", async ({ upstream, body, param }) => {
    const before = pairs.replay.upstream.seen.length;
    const got = await ask(upstream, "embeddings", { model: "m", ...body });
    expect([got.status, got.json()]).toMatchObject([400, { error: { param } }]);
    expect(pairs.replay.upstream.seen.length).toBe(before);
  });

  test("of the wrong number are no answer", async () => {
    answer({ embeddings: [{ values: numbers }] });
    expect((await ask("gemini", "embeddings", { model: "m", input: ["a", "b"] })).status).toBe(502);
  });

  test("are nobody's at Anthropic", async () => {
    expect((await ask("anthropic", "embeddings", { model: "m", input: "a" })).status).toBe(404);
  });
});

describe("tokens of a message", () => {
  const body = { model: "m", system: "Be brief.", messages: [{ role: "user", content: "How many tokens is this?" }] };

  test.each([
    { upstream: "anthropic", told: { input_tokens: 14 }, url: /\/messages\/count_tokens$/ },
    { upstream: "gemini", told: { totalTokens: 14 }, url: /models\/m:countTokens$/ },
    {
      upstream: "vertex",
      told: { totalTokens: 14, totalBillableCharacters: 30 },
      url: /google\/models\/m:countTokens$/,
    },
    { upstream: "vertex-claude", told: { input_tokens: 14 }, url: /count-tokens:rawPredict$/ },
    { upstream: "bedrock", told: { inputTokens: 14 }, url: /model\/m\/count-tokens$/ },
  ] as const)("are counted by $upstream", async ({ upstream, told, url }) => {
    answer(told);
    const got = await ask(upstream, "messages/count_tokens", body);
    expect([got.status, got.json()]).toEqual([200, { input_tokens: 14 }]);
    expect(sent().url).toMatch(url);
  });

  test("are counted with instructions and without how to answer", async () => {
    answer({ totalTokens: 1, inputTokens: 1 });
    await ask("gemini", "messages/count_tokens", body);
    expect(sent().body).toMatchObject({
      generateContentRequest: { model: "models/m", systemInstruction: {}, contents: [{}] },
    });
    await ask("bedrock", "messages/count_tokens", body);
    expect(sent().body).toEqual({
      input: {
        converse: {
          system: [{ text: "Be brief." }],
          messages: [{ role: "user", content: [{ text: "How many tokens is this?" }] }],
        },
      },
    });
  });

  test.each(["openai", "azure-openai", "mistral", "ollama"] as const)(
    "are estimated for %s, and marked so",
    async (upstream) => {
      const before = pairs.replay.upstream.seen.length;
      const got = await ask(upstream, "messages/count_tokens", body);
      expect([got.status, got.json()]).toMatchObject([
        200,
        { input_tokens: expect.any(Number) as number, estimated: true },
      ]);
      expect(got.headers["x-gatehouse-estimated"]).toBe("true");
      const { input_tokens: tokens } = got.json() as { input_tokens: number }; // as just seen
      expect(tokens).toBeGreaterThan(10);
      expect(tokens).toBeLessThan(80);
      expect(pairs.replay.upstream.seen.length).toBe(before);
    },
  );
});

describe("a custom provider", () => {
  const whole = {
    choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
    meta: { read: 21, wrote: 4 },
  };
  const event = (data: object) => `data: ${JSON.stringify({ id: "x", model: "m", ...data })}\n\n`;
  const streamed = [
    event({ choices: [{ index: 0, delta: { role: "assistant", content: "Hello" }, finish_reason: null }] }),
    event({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }], meta: whole.meta }),
    "data: [DONE]\n\n",
  ].join("");

  test.each([
    { path: "chat/completions", stream: false },
    { path: "chat/completions", stream: true },
    { path: "messages", stream: false },
    { path: "messages", stream: true },
  ])(
    "is called where its resource says, and its usage found there: $path, stream $stream",
    async ({ path, stream }) => {
      const { gatehouse, replay } = pairs;
      await gatehouse.put("LlmProvider", "own", {
        use: "custom",
        with: {
          baseUrl: `${replay.upstream.url}/own`,
          apiKey: "${secret:account-key}",
          header: "x-key",
          scheme: "",
          paths: { chat: "/v2/{model}/chat" },
          model: "$.engine",
          tokens: { prompt: "$.meta.read", completion: "$.meta.wrote" },
        },
      });
      const upstream = { production: { targets: [{ provider: "own" }] }, sandbox: { sameAs: "production" } };
      await gatehouse.put("LlmApi", "own", { context: "/own", upstream });
      const key = await gatehouse.key("own");
      replay.answerWith(
        200,
        stream ? "text/event-stream" : "application/json",
        stream ? streamed : JSON.stringify(whole),
      );
      const body = JSON.stringify({ model: "m", max_tokens: 9, stream, messages: [{ role: "user", content: "Hi" }] });
      const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
      const got = await rawHttp(`${gatehouse.running.gatewayUrl}/own/v1/${path}`, { headers, body });
      expect([got.status, got.text]).toEqual([200, expect.stringContaining("Hello")]);
      const seen = replay.upstream.seen.at(-1);
      expect(seen).toMatchObject({ url: "/own/v2/m/chat", headers: { "x-key": "sk-account" } });
      expect(sent().body).toMatchObject({ engine: "m", max_tokens: 9 });
      const row = (await gatehouse.events()).find(({ exchange_id }) => exchange_id === got.headers["x-request-id"]);
      expect(row).toMatchObject({ input_tokens: 21, output_tokens: 4, usage_source: "actual" });
    },
  );
});
