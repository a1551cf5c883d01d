import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestApi, TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { MockUpstream, Respond } from "../kit/mock-upstream.ts";
import { chatAnswer, json, startMockUpstream } from "../kit/mock-upstream.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let api: TestApi;
let client: OpenAI;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  await gatehouse.llm("other", `${upstream.url}/v1`);
  api = await gatehouse.llm("chat", `${upstream.url}/v1`, {
    models: [{ name: "gpt-*" }],
    limits: { requestBytes: 2_000_000 },
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

const messages = [{ role: "user" as const, content: "Hi" }];
const model = "gpt-test";

interface ErrorCase {
  readonly name: string;
  readonly call?: () => Promise<unknown>;
  readonly upstream?: Respond;
  readonly error: new (...given: never[]) => Error;
  readonly fields: object;
}

const upstreamError = (status: number, headers: Record<string, string> = {}) =>
  json(status, { error: { message: "from afar", type: "some_type", param: "p", code: "c" } }, headers);
const as = (apiKey: string) => new OpenAI({ apiKey, baseURL: api.url, maxRetries: 0 });
const ask = (by: OpenAI, more: object = {}) => by.chat.completions.create({ model, messages, ...more });

const cases: readonly ErrorCase[] = [
  {
    name: "an unknown key",
    call: () => ask(as("sk-unknown")),
    error: OpenAI.AuthenticationError,
    fields: { status: 401, code: "invalid_api_key", type: "authentication_error", param: null },
  },
  {
    name: "another API's key",
    call: async () => ask(as(await gatehouse.key("other"))),
    error: OpenAI.PermissionDeniedError,
    fields: { status: 403, code: "permission_denied", type: "permission_error" },
  },
  {
    name: "a model that is not offered",
    call: () => ask(client, { model: "claude" }),
    error: OpenAI.NotFoundError,
    fields: { status: 404, code: "model_not_found", param: "model" },
  },
  {
    name: "a body beyond the limit, all of which the client has sent",
    call: () => ask(client, { messages: [{ role: "user", content: "x".repeat(8_000_000) }] }),
    error: OpenAI.APIError,
    fields: { status: 413, code: "request_too_large" },
  },
  {
    name: "an upstream's limit",
    upstream: upstreamError(429, { "retry-after": "7" }),
    error: OpenAI.RateLimitError,
    fields: { status: 429, code: "c", type: "some_type", param: "p" },
  },
  {
    name: "an upstream's 500",
    upstream: upstreamError(500),
    error: OpenAI.InternalServerError,
    fields: { status: 500 },
  },
  {
    name: "an upstream's 503",
    upstream: upstreamError(503),
    error: OpenAI.InternalServerError,
    fields: { status: 503 },
  },
  {
    name: "an upstream that refuses the gateway's credentials",
    upstream: upstreamError(401),
    error: OpenAI.InternalServerError,
    fields: { status: 502, code: "upstream_credentials", type: "api_error" },
  },
  {
    name: "an upstream that closes",
    upstream: (_request, response) => void response.destroy(),
    error: OpenAI.InternalServerError,
    fields: { status: 502, code: "upstream_reset" },
  },
];

test.each(cases)("the SDK's own class of error for $name, with its fields", async (row) => {
  upstream.respond(row.upstream ?? chatAnswer("Hello."));
  const error: unknown = await (row.call ?? (() => ask(client)))().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(row.error);
  expect(error).toMatchObject(row.fields);
  expect(error).toHaveProperty("requestID", expect.stringMatching(/^[0-9a-f-]{36}$/));
});

describe("the client's own retries", () => {
  const retrying = () => new OpenAI({ apiKey: api.key, baseURL: api.url, maxRetries: 2 });

  test("happen after an upstream's 429, and are counted", async () => {
    upstream.respond(upstreamError(429, { "retry-after-ms": "1" }), chatAnswer("Hello."));
    const answer = await ask(retrying());
    expect(answer.choices[0]?.message.content).toBe("Hello.");
    expect(upstream.seen.at(-1)?.headers["x-stainless-retry-count"]).toBe("1");
  });

  test("do not happen after a refusal that would only be repeated", async () => {
    const before = upstream.seen.length;
    upstream.respond(upstreamError(401));
    await expect(ask(retrying())).rejects.toMatchObject({ status: 502 });
    expect(upstream.seen.length - before).toBe(1);
  });

  test("are told the upstream's Retry-After as it was, in seconds or as a date", async () => {
    for (const value of ["0.01", new Date(Date.now() + 900).toUTCString()]) {
      upstream.respond(upstreamError(503, { "retry-after": value }));
      const error: unknown = await ask(client).catch((thrown: unknown) => thrown);
      const headers: Headers | undefined = error instanceof OpenAI.APIError ? (error.headers as Headers) : undefined;
      expect(headers?.get("retry-after")).toBe(value);
      upstream.respond(upstreamError(503, { "retry-after": value }), chatAnswer("Hello."));
      await expect(ask(retrying())).resolves.toMatchObject({ object: "chat.completion" });
    }
  });
});
