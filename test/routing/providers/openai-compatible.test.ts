import { describe, expect, test } from "vitest";
import type { ProviderCall } from "../../../src/pipeline/define-provider.ts";
import { openaiCompatible } from "../../../src/routing/providers/openai-compatible.ts";
import { buildTools } from "../../kit/exchange.ts";

const baseUrl = "https://llm.example.com/v1";
const chat: ProviderCall = {
  operation: "chat",
  dialect: "openai-chat",
  model: "m",
  stream: false,
  body: Buffer.from('{"model":"m"}'),
};

describe("a request", () => {
  test.each([
    { operation: "chat", dialect: "openai-chat", path: "/chat/completions", method: "POST" },
    { operation: "embeddings", path: "/embeddings", method: "POST" },
    { operation: "models", path: "/models", method: "GET" },
  ] as const)("for $operation goes to $path", async ({ operation, path, method }) => {
    const call = { ...chat, operation, body: operation === "models" ? Buffer.alloc(0) : chat.body };
    const request = await compile({ baseUrl }).request(call);
    expect(request).toMatchObject({ path, method });
    expect(request.body).toBe(operation === "models" ? undefined : chat.body);
    expect(request.headers["content-type"]).toBe(operation === "models" ? undefined : "application/json");
  });

  test("asks for events when it is a stream, and never for compression", async () => {
    const provider = compile({ baseUrl });
    expect((await provider.request(chat)).headers["accept"]).toBe("application/json");
    const streamed = await provider.request({ ...chat, stream: true });
    expect(streamed.headers).toMatchObject({ accept: "text/event-stream", "accept-encoding": "identity" });
  });

  test("carries the bytes that it was given, as the same buffer", async () => {
    expect((await compile({ baseUrl }).request(chat)).body).toBe(chat.body);
  });

  test("is made without waiting when the secret is at hand", () => {
    const provider = compile({ baseUrl, apiKey: "${secret:llm-key}" }, { "llm-key": "sk-1" });
    expect(provider.request(chat)).not.toBeInstanceOf(Promise);
  });
});

describe("the key", () => {
  const apiKey = "${secret:llm-key}";
  test.each([
    { name: "is a bearer token", config: {}, header: "authorization", value: "Bearer sk-1" },
    {
      name: "may be a header of its own",
      config: { header: "X-Api-Key", scheme: "" },
      header: "x-api-key",
      value: "sk-1",
    },
    { name: "may have another scheme", config: { scheme: "Token" }, header: "authorization", value: "Token sk-1" },
  ])("$name", async ({ config, header, value }) => {
    const provider = compile({ baseUrl, apiKey, ...config }, { "llm-key": "sk-1\n" });
    expect((await provider.request(chat)).headers[header]).toBe(value);
  });

  test("is not sent when there is none", async () => {
    expect((await compile({ baseUrl }).request(chat)).headers).not.toHaveProperty("authorization");
  });

  test("is read at each request, so that a new one is used at once", async () => {
    const secrets: Record<string, string> = { "llm-key": "sk-1" };
    const provider = compile({ baseUrl, apiKey }, secrets);
    await provider.request(chat);
    secrets["llm-key"] = "sk-2";
    expect((await provider.request(chat)).headers["authorization"]).toBe("Bearer sk-2");
  });

  test("that cannot stand in a header is our fault, and its value is not told", async () => {
    for (const value of ["sk-1\r\nx-evil: 1", "clé", "  "]) {
      const provider = compile({ baseUrl, apiKey }, { "llm-key": value });
      const failure = await Promise.resolve()
        .then(async () => provider.request(chat))
        .catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "config.invalid", detail: expect.stringContaining("llm-key") });
      expect(JSON.stringify(failure)).not.toContain("evil");
    }
  });

  test("that is not in the vault fails the request", async () => {
    await expect(compile({ baseUrl, apiKey }).request(chat)).rejects.toThrow("no secret");
  });
});

describe("the configuration", () => {
  test.each([
    { name: "without a base URL", config: {} },
    { name: "with a base URL of another scheme", config: { baseUrl: "file:///etc/passwd" } },
    { name: "with credentials in the base URL", config: { baseUrl: "https://me:pw@llm.example.com" } },
    { name: "with a query in the base URL", config: { baseUrl: "https://llm.example.com/v1?key=1" } },
    { name: "with a key in the clear", config: { baseUrl, apiKey: "sk-1" } },
    { name: "with a credential among the headers", config: { baseUrl, headers: { Authorization: "Bearer sk-1" } } },
    { name: "with a provider's key header among them", config: { baseUrl, headers: { "x-goog-api-key": "1" } } },
    { name: "with the host among them", config: { baseUrl, headers: { Host: "evil.example" } } },
    { name: "with a line break in a header", config: { baseUrl, headers: { "x-a": "1\r\nx-b: 2" } } },
    { name: "with the key in a header of the framing", config: { baseUrl, header: "content-length" } },
  ])("is refused $name", ({ config }) => {
    expect(openaiCompatible.config.safeParse(config).success).toBe(false);
  });

  test("loses the slash at the base URL's end", () => {
    expect(compile({ baseUrl: `${baseUrl}/` }).baseUrl).toBe(baseUrl);
  });

  test("adds headers, but never over the gateway's own", async () => {
    const { headers } = await compile({ baseUrl, headers: { "X-Title": "Gatehouse" } }).request(chat);
    expect(headers).toMatchObject({ "x-title": "Gatehouse", accept: "application/json" });
  });
});

function compile(config: object, secrets: Readonly<Record<string, string>> = {}) {
  return openaiCompatible.compile(openaiCompatible.config.parse(config), buildTools(secrets));
}
