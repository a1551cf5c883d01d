// long: every way in which a provider can answer stands in one place
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test, vi } from "vitest";
import type { CompiledEmbedder, EmbedderTools } from "../../src/embedding/define-embedder.ts";
import { openaiShaped } from "../../src/embedding/openai-shaped.ts";
import { GatewayError } from "../../src/kernel/errors.ts";
import { createNetworkPolicy, developmentReach } from "../../src/kernel/network-policy.ts";
import { createSafeFetch } from "../../src/kernel/safe-fetch.ts";
import { fakeEmbeddings, fakeVector, vectorsAnswer } from "../kit/embedder-tools.ts";
import { eventually } from "../kit/eventually.ts";

const key = "${secret:openai-key}";

function compile(id: string, config: object, tools: EmbedderTools): CompiledEmbedder {
  const plugin = openaiShaped.find((each) => each.id === id);
  if (plugin === undefined) throw new Error(`no embedder ${id}`);
  return plugin.compile(plugin.config.parse(config), tools);
}

function unit(numbers: readonly number[]): readonly number[] {
  const length = Math.hypot(...numbers);
  return numbers.map((number) => number / length);
}

async function failure(of: unknown): Promise<GatewayError> {
  const caught: unknown = await Promise.resolve(of).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (caught instanceof GatewayError) return caught;
  throw new Error(`no GatewayError but ${String(caught)}`);
}

describe("what a provider is sent", () => {
  test("OpenAI gets the texts, the model and the key of the vault", async () => {
    const fake = fakeEmbeddings();
    const embedder = compile("openai", { apiKey: key }, fake.tools);
    expect(fake.calls).toEqual([]);
    const vectors = await embedder.embed(["one", "three"]);
    expect(fake.calls[0]).toMatchObject({
      url: "https://api.openai.com/v1/embeddings",
      chosenBy: "operator",
      method: "POST",
    });
    expect(fake.calls[0]?.headers).toMatchObject({ authorization: "Bearer sk-one" });
    expect(JSON.parse(String(fake.calls[0]?.body))).toEqual({
      model: "text-embedding-3-small",
      input: ["one", "three"],
      encoding_format: "float",
    });
    for (const [index, text] of ["one", "three"].entries()) {
      const [first, second] = unit(fakeVector(text));
      expect(vectors[index]?.[0]).toBeCloseTo(first ?? 0, 6);
      expect(vectors[index]?.[1]).toBeCloseTo(second ?? 0, 6);
    }
    expect(embedder).toMatchObject({ modelId: "openai/text-embedding-3-small", dimensions: 3 });
  });

  test("Azure gets the deployment in the path, its version, and the key in its own header only", async () => {
    const fake = fakeEmbeddings();
    const config = { baseUrl: "https://here.openai.azure.com/", model: "my-deployment", apiKey: key };
    await compile("azure-openai", config, fake.tools).embed(["one"]);
    expect(fake.calls[0]?.url).toBe(
      "https://here.openai.azure.com/openai/deployments/my-deployment/embeddings?api-version=2024-10-21",
    );
    expect(fake.calls[0]?.headers).toMatchObject({ "api-key": "sk-one" });
    expect(fake.calls[0]?.headers).not.toHaveProperty("authorization");
    await compile("azure-openai", { ...config, apiVersion: "v1" }, fake.tools).embed(["one"]);
    expect(fake.calls[1]?.url).toBe("https://here.openai.azure.com/openai/v1/embeddings");
  });

  test("a server of one's own gets no key where none is configured", async () => {
    const fake = fakeEmbeddings();
    await compile("openai-compatible", { baseUrl: "http://127.0.0.1:9/v1", model: "m" }, fake.tools).embed(["one"]);
    expect(Object.keys(fake.calls[0]?.headers ?? {}).toSorted()).toEqual(["accept", "content-type", "user-agent"]);
  });

  test("Mistral is asked at its own address", async () => {
    const fake = fakeEmbeddings(undefined, { m: "key" });
    await compile("mistral", { apiKey: "${secret:m}" }, fake.tools).embed(["one"]);
    expect(fake.calls[0]?.url).toBe("https://api.mistral.ai/v1/embeddings");
  });

  test("variables of the openai package change nothing", async () => {
    vi.stubEnv("OPENAI_BASE_URL", "https://elsewhere.example.com");
    vi.stubEnv("OPENAI_CUSTOM_HEADERS", "x-leak: yes");
    vi.stubEnv("OPENAI_ORG_ID", "org-other");
    vi.stubEnv("OPENAI_API_KEY", "sk-other");
    const fake = fakeEmbeddings();
    await compile("openai", { apiKey: key }, fake.tools).embed(["one"]);
    const { url, headers } = fake.calls[0] ?? {};
    expect(url).toBe("https://api.openai.com/v1/embeddings");
    expect(JSON.stringify(headers)).not.toMatch(/x-leak|org-other|sk-other/);
  });

  test("a secret that was changed is used by the next call", async () => {
    const secrets = { "openai-key": "sk-one" };
    const fake = fakeEmbeddings(undefined, secrets);
    const embedder = compile("openai", { apiKey: key }, fake.tools);
    await embedder.embed(["one"]);
    secrets["openai-key"] = "sk-two";
    await embedder.embed(["two"]);
    expect(fake.calls[1]?.headers).toMatchObject({ authorization: "Bearer sk-two" });
  });

  test("a dimension that is asked for is part of the request and of the model's id", async () => {
    const fake = fakeEmbeddings(({ input }) => vectorsAnswer(input.map(() => Array.from({ length: 256 }, () => 1))));
    const embedder = compile("openai", { apiKey: key, dimensions: 256 }, fake.tools);
    await embedder.embed(["one"]);
    expect(JSON.parse(String(fake.calls[0]?.body))).toMatchObject({ dimensions: 256 });
    expect(embedder.modelId).toBe("openai/text-embedding-3-small@256");
  });

  test("one model's name at another host is another model", () => {
    const { tools } = fakeEmbeddings();
    const ids = ["http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1"].map(
      (baseUrl) => compile("openai-compatible", { baseUrl, model: "m" }, tools).modelId,
    );
    const elsewhere = compile("openai", { apiKey: key, baseUrl: "http://127.0.0.1:1/v1" }, tools).modelId;
    expect(new Set([...ids, elsewhere, compile("openai", { apiKey: key }, tools).modelId]).size).toBe(4);
  });

  test("texts go in batches by count and by tokens, and come back in their order", async () => {
    const fake = fakeEmbeddings();
    const embedder = compile("openai", { apiKey: key, maxBatchTexts: 2, maxBatchTokens: 100 }, fake.tools);
    const texts = ["a", "bb", "c".repeat(298), "dddd", "eeeee"];
    const vectors = await embedder.embed(texts);
    expect(fake.calls.map(({ input }) => input.length)).toEqual([2, 1, 2]);
    expect(fake.texts).toEqual(texts);
    for (const [index, text] of texts.entries()) {
      expect(vectors[index]?.[0]).toBeCloseTo(unit(fakeVector(text))[0] ?? 0, 5);
    }
  });

  test("a text that is empty or white space is not sent and has no vector", async () => {
    const fake = fakeEmbeddings();
    const vectors = await compile("openai", { apiKey: key }, fake.tools).embed(["", "one", " \n\t"]);
    expect(fake.texts).toEqual(["one"]);
    expect(vectors.map((vector) => vector?.length)).toEqual([undefined, 3, undefined]);
    expect(await compile("openai", { apiKey: key }, fake.tools).embed([])).toEqual([]);
    expect(fake.calls).toHaveLength(1);
  });

  test("of a text of 1 MB the head is sent", async () => {
    const fake = fakeEmbeddings();
    const vectors = await compile("openai", { apiKey: key }, fake.tools).embed(["x".repeat(1_048_576)]);
    expect(vectors[0]).toHaveLength(3);
    expect(fake.texts[0]).toHaveLength(24_000);
  });

  test("text without Latin letters is sent whole", async () => {
    const fake = fakeEmbeddings();
    const texts = ["天气怎么样", "погода в Париже", "🌦️"];
    expect(
      (await compile("openai", { apiKey: key }, fake.tools).embed(texts)).every((vector) => vector?.length === 3),
    ).toBe(true);
    expect(fake.texts).toEqual(texts);
  });
});

describe("an answer that is not usable is refused", () => {
  const embedTwo = async (answer: unknown): Promise<GatewayError> => {
    const fake = fakeEmbeddings(() => (typeof answer === "string" ? { body: answer } : { body: { data: answer } }));
    const error = await failure(compile("openai", { apiKey: key }, fake.tools).embed(["one", "two"]));
    expect(fake.calls).toHaveLength(1);
    return error;
  };
  const of = (...vectors: unknown[]): unknown => vectors.map((embedding, index) => ({ index, embedding }));

  test.each([
    { name: "with too few vectors", answer: of([1, 2]), says: "1 vectors for 2 texts" },
    { name: "with too many vectors", answer: of([1], [2], [3]), says: "3 vectors for 2 texts" },
    { name: "with a number that is null", answer: of([1, 2], [1, null]), says: "no finite number" },
    { name: "with NaN as a text", answer: of([1, 2], [1, "NaN"]), says: "no finite number" },
    {
      name: "with a number too large",
      answer: '{"data":[{"index":0,"embedding":[1e999]},{"index":1,"embedding":[1]}]}',
      says: "no finite number",
    },
    {
      name: "with vectors of two lengths",
      answer: of([1, 2], [1]),
      says: "a vector of 1 numbers where 2 are expected",
    },
    { name: "with an empty vector", answer: of([1, 2], []), says: "a vector is missing" },
    { name: "with no vector", answer: [{ index: 0 }, { index: 1 }], says: "a vector is missing" },
    {
      name: "with one place twice",
      answer: [
        { index: 0, embedding: [1] },
        { index: 0, embedding: [1] },
      ],
      says: "which text",
    },
    {
      name: "with a place that no text has",
      answer: [
        { index: 0, embedding: [1] },
        { index: 7, embedding: [1] },
      ],
      says: "which text",
    },
    { name: "without a list", answer: { one: 1 }, says: "no list" },
    {
      name: "that holds NaN, which JSON has not",
      answer: '{"data":[{"index":0,"embedding":[NaN]}]}',
      says: "cannot be read",
    },
    { name: "that is a page", answer: "<html>", says: "cannot be read" },
  ])("$name", async ({ answer, says }) => {
    const error = await embedTwo(answer);
    expect(error.code).toBe("upstream.invalid");
    expect(error.message).toContain(says);
  });

  test("another dimension than before", async () => {
    const fake = fakeEmbeddings((_, count) => vectorsAnswer([count === 1 ? [1, 2, 3] : [1, 2]]));
    const embedder = compile("openai", { apiKey: key }, fake.tools);
    await embedder.embed(["one"]);
    const error = await failure(embedder.embed(["two"]));
    expect(error).toMatchObject({ code: "upstream.invalid", detail: "openai/text-embedding-3-small" });
    expect(error.message).toContain("a vector of 2 numbers where 3 are expected");
  });

  test("another dimension than was asked for", async () => {
    const fake = fakeEmbeddings(() => vectorsAnswer([[1, 2]]));
    const error = await failure(compile("openai", { apiKey: key, dimensions: 512 }, fake.tools).embed(["one"]));
    expect(error.message).toContain("where 512 are expected");
  });

  test("vectors come in the order of their index, and one of zeros is no match", async () => {
    const data = [
      { index: 1, embedding: [0, 0] },
      { index: 0, embedding: [3, 4] },
    ];
    const fake = fakeEmbeddings(() => ({ body: { data } }));
    const vectors = await compile("openai", { apiKey: key }, fake.tools).embed(["one", "two"]);
    expect(vectors[1]).toBeUndefined();
    expect([...(vectors[0] ?? [])]).toEqual([expect.closeTo(0.6, 6), expect.closeTo(0.8, 6)]);
  });
});

describe("a provider that fails", () => {
  test("is asked again after growing pauses", async () => {
    const fake = fakeEmbeddings(({ input }, count) =>
      count < 3 ? { status: 503 } : vectorsAnswer(input.map(fakeVector)),
    );
    const vectors = Promise.resolve(compile("openai", { apiKey: key }, fake.tools).embed(["one"]));
    await eventually("the call", () => fake.calls.length === 1);
    await settled();
    fake.tools.clock.advance(250 - 1);
    await settled();
    expect(fake.calls).toHaveLength(1);
    fake.tools.clock.advance(1);
    await eventually("the next try", () => fake.calls.length === 2);
    await settled();
    fake.tools.clock.advance(500 - 1);
    await settled();
    expect(fake.calls).toHaveLength(2);
    fake.tools.clock.advance(1);
    await eventually("the next try", () => fake.calls.length === 3);
    expect((await vectors)[0]).toHaveLength(3);
  });

  test("is asked again when it said to, and not before", async () => {
    const busy = { status: 429, headers: { "retry-after": "2" } };
    const fake = fakeEmbeddings(({ input }, count) => (count === 1 ? busy : vectorsAnswer(input.map(fakeVector))));
    const vectors = Promise.resolve(compile("openai", { apiKey: key }, fake.tools).embed(["one"]));
    await eventually("the call", () => fake.calls.length === 1);
    await settled();
    fake.tools.clock.advance(1_999);
    await settled();
    expect(fake.calls).toHaveLength(1);
    fake.tools.clock.advance(1);
    expect((await vectors)[0]).toHaveLength(3);
  });

  test("is not waited for when it says a minute", async () => {
    const fake = fakeEmbeddings(() => ({ status: 429, headers: { "retry-after": "60" } }));
    const error = await failure(compile("openai", { apiKey: key }, fake.tools).embed(["one"]));
    expect(error).toMatchObject({ code: "upstream.unavailable", retryAfterMs: 60_000 });
  });

  test.each([
    { status: 401, code: "upstream.credentials" },
    { status: 403, code: "upstream.credentials" },
    { status: 400, code: "upstream.invalid" },
    { status: 404, code: "upstream.invalid" },
    { status: 302, code: "upstream.invalid" },
  ])("is not asked again after $status", async ({ status, code }) => {
    const fake = fakeEmbeddings(() => ({ status, body: { error: { message: "the text said: secret words" } } }));
    const error = await failure(compile("openai", { apiKey: key }, fake.tools).embed(["one"]));
    expect(error.code).toBe(code);
    expect(error.message).not.toContain("secret words");
    expect(fake.calls).toHaveLength(1);
  });

  test("is left alone after several failures in a row, and tried by one call after the rest", async () => {
    const fake = fakeEmbeddings((_, count) => (count <= 2 ? { status: 500 } : vectorsAnswer([[1, 2]])));
    const embedder = compile("openai", { apiKey: key, failures: 2, restMs: 5_000, maxTries: 1 }, fake.tools);
    await failure(embedder.embed(["one"]));
    await failure(embedder.embed(["one"]));
    const error = await failure(embedder.embed(["one"]));
    expect(error).toMatchObject({ code: "upstream.unavailable", retryAfterMs: 5_000 });
    expect(fake.calls).toHaveLength(2);
    fake.tools.clock.advance(5_000);
    const [trial, other] = await Promise.allSettled([embedder.embed(["one"]), embedder.embed(["two"])]);
    expect([trial?.status, other?.status]).toEqual(["fulfilled", "rejected"]);
    expect((await embedder.embed(["three"]))[0]).toHaveLength(2);
  });

  test("is not left alone for refusing what it was sent", async () => {
    const fake = fakeEmbeddings(() => ({ status: 400 }));
    const embedder = compile("openai", { apiKey: key, failures: 1, maxTries: 1 }, fake.tools);
    await failure(embedder.embed(["one"]));
    expect((await failure(embedder.embed(["one"]))).code).toBe("upstream.invalid");
    expect(fake.calls).toHaveLength(2);
  });

  test("without its secret is never called", async () => {
    const fake = fakeEmbeddings(undefined, {});
    const error: unknown = await Promise.resolve(compile("openai", { apiKey: key }, fake.tools).embed(["one"])).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(GatewayError);
    expect(fake.calls).toEqual([]);
  });

  test("holds nobody who goes away, also in a pause", async () => {
    const fake = fakeEmbeddings(() => ({ status: 503 }));
    const leaving = new AbortController();
    const waiting = compile("openai", { apiKey: key }, fake.tools).embed(["one"], leaving.signal);
    await eventually("the call", () => fake.calls.length === 1);
    leaving.abort();
    expect((await failure(waiting)).code).toBe("client.closed");
    expect(fake.calls).toHaveLength(1);
  });
});

describe("over real connections", () => {
  test("a provider that is down is unreachable, and one that is slow is given up", async () => {
    await using stack = new AsyncDisposableStack();
    const policy = createNetworkPolicy({ allowCidrs: [], operatorReach: developmentReach });
    const fetch = stack.use(createSafeFetch({ policy }));
    const server = createServer(() => undefined); // takes the request and says nothing
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`; // it listens on a port
    const tools = { ...fakeEmbeddings().tools, fetch };
    const config = { baseUrl, model: "m", timeoutMs: 100, maxTries: 1 };
    const slow = await failure(compile("openai-compatible", config, tools).embed(["one"]));
    expect(slow.code).toBe("upstream.timeout");
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    const down = await failure(compile("openai-compatible", config, tools).embed(["one"]));
    expect(down.code).toBe("upstream.unreachable");
  });
});

/** Lets what is under way go on; the clock stands. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
