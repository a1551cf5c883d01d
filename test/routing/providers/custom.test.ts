import { describe, expect, test } from "vitest";
import type { ProviderCall } from "../../../src/pipeline/define-provider.ts";
import { custom } from "../../../src/routing/providers/custom.ts";
import { buildTools } from "../../kit/exchange.ts";

const baseUrl = "https://llm.example.com/api";
const call: ProviderCall = {
  operation: "chat",
  dialect: "openai-chat",
  model: "acme/one",
  stream: false,
  body: Buffer.from('{"model":"acme/one","x":1}'),
};

const compile = (config: object) => custom.compile(custom.config.parse({ baseUrl, ...config }), buildTools());
const sent = async (config: object, more: Partial<ProviderCall> = {}) => {
  const { path, method, body, headers } = await compile(config).request({ ...call, ...more });
  return { path, method, body: body?.toString(), headers };
};

describe("where a request goes", () => {
  test.each([
    { shape: "openai", stream: false, path: "/chat/completions" },
    { shape: "anthropic", stream: true, path: "/messages" },
    { shape: "gemini", stream: false, path: "/models/acme%2Fone:generateContent" },
    { shape: "gemini", stream: true, path: "/models/acme%2Fone:streamGenerateContent?alt=sse" },
  ])("is the shape's own path where none is told: $shape, stream $stream", async ({ shape, stream, path }) => {
    expect(await sent({ shape }, { stream })).toMatchObject({ path, method: "POST" });
  });

  test("is what the resource says, with the model's name in its place", async () => {
    const paths = {
      chat: "/v2/{model}/chat",
      stream: "/v2/{model}/stream",
      embeddings: "/embed",
      models: "/list?all=1",
    };
    expect((await sent({ paths })).path).toBe("/v2/acme%2Fone/chat");
    expect((await sent({ paths }, { stream: true })).path).toBe("/v2/acme%2Fone/stream");
    expect((await sent({ paths }, { operation: "embeddings" })).path).toBe("/embed");
    expect(await sent({ paths }, { operation: "models", body: Buffer.alloc(0) })).toMatchObject({
      path: "/list?all=1",
      method: "GET",
      body: undefined,
    });
  });

  test("is nowhere for what it has no path for", async () => {
    await expect(sent({}, { operation: "embeddings" })).rejects.toMatchObject({ code: "request.not_offered" });
    expect(compile({}).listsModels).toBe(false);
  });
});

describe("the model's name", () => {
  test.each([
    { model: "$.model", body: '{"model":"acme/one","x":1}' },
    { model: "$.model_id", body: '{"model_id":"acme/one","x":1}' },
    { model: null, body: '{"x":1}' },
  ])("stands at $model", async ({ model, body }) => {
    expect((await sent({ model })).body).toBe(body);
  });
});

describe("usage", () => {
  const tokens = { prompt: "$.meta.in", completion: "$.meta.out", total: "$.meta.sum", cached: "$.meta.cache[0]" };

  test.each([
    { meta: { in: 5, out: 2, cache: [3] }, usage: { inputTokens: 5, outputTokens: 2, cachedInputTokens: 3 } },
    { meta: { out: 2, sum: 9 }, usage: { inputTokens: 7, outputTokens: 2 } },
    { meta: { in: 5, sum: 9 }, usage: { inputTokens: 5, outputTokens: 4 } },
    { meta: { sum: 9 }, usage: { inputTokens: 9, outputTokens: 0 } },
    { meta: { in: -1, out: "2" }, usage: undefined },
  ])("is read from $meta", ({ meta, usage }) => {
    const read = compile({ tokens }).usage({ meta });
    if (usage === undefined) expect(read).toBeUndefined();
    else expect(read).toMatchObject({ source: "actual", ...usage });
  });

  test("is where the shape has it when no place is told", () => {
    expect(compile({ shape: "anthropic" }).usage({ usage: { input_tokens: 4, output_tokens: 1 } })).toMatchObject({
      inputTokens: 4,
    });
  });
});

test.each([
  { paths: { chat: "v2/chat" } },
  { paths: { chat: "/v2/{tenant}" } },
  { paths: { chat: "//evil.example/x y" } },
  { model: "$.a.b" },
  { tokens: { prompt: "$..usage" } },
  { header: "content-length" },
])("refuses %j", (config) => {
  expect(custom.config.safeParse({ baseUrl, ...config }).success).toBe(false);
});
