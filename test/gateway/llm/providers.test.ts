import { generateKeyPairSync } from "node:crypto";
import { crc32 } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { putSecret } from "../../../src/core/secrets.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../../kit/gatehouse.ts";
import type { MockUpstream, Respond } from "../../kit/mock-upstream.ts";
import { events, json, startMockUpstream } from "../../kit/mock-upstream.ts";
import { rawHttp } from "../../kit/raw-http.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  const { context } = gatehouse.running;
  await putSecret(context, testActor, { name: "account-key", value: "sk-account" });
  const apiKey = "${secret:account-key}";
  await api("anthropic", { use: "anthropic", with: { baseUrl: `${upstream.url}/v1`, apiKey } });
  await api("gemini", { use: "gemini", with: { baseUrl: `${upstream.url}/v1beta`, apiKey } });
  const keys = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: apiKey };
  const account = { client_email: "a@example.com", private_key: pem, token_uri: `${upstream.url}/token` };
  await putSecret(context, testActor, { name: "service-account", value: JSON.stringify(account) });
  const place = { project: "p", location: "global", endpoint: `${upstream.url}/v1` };
  const serviceAccountKey = "${secret:service-account}";
  await api("vertex", { use: "vertex", with: { ...place, serviceAccountKey } });
  await api("vertex-claude", { use: "vertex", with: { ...place, serviceAccountKey, publisher: "anthropic" } });
  await api("bedrock", { use: "bedrock", with: { region: "eu-central-1", endpoint: upstream.url, ...keys } });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const pem = generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey.export({ type: "pkcs8", format: "pem" });
const keyOf = new Map<string, string>();

async function api(name: string, provider: object): Promise<void> {
  await gatehouse.put("LlmProvider", name, provider);
  const upstreams = { production: { targets: [{ provider: name }] }, sandbox: { sameAs: "production" } };
  await gatehouse.put("LlmApi", name, { context: `/${name}`, upstream: upstreams });
  keyOf.set(name, await gatehouse.key(name));
}

async function ask(name: string, path: string, body: object, headers: Record<string, string> = {}) {
  const all = { "content-type": "application/json", authorization: `Bearer ${keyOf.get(name)}`, ...headers };
  const text = JSON.stringify({ model: "m", ...body });
  return rawHttp(`${gatehouse.running.gatewayUrl}/${name}/v1/${path}`, { headers: all, body: text });
}

const messages = [{ role: "user", content: "hi" }];
const usage = { input_tokens: 4, output_tokens: 2 };
const message = {
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "c",
  content: [{ type: "text", text: "Hello" }],
  stop_reason: "end_turn",
  stop_sequence: null,
  usage,
};

const sse = (type: string, more: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
const streamed = [
  sse("message_start", { message: { ...message, content: [], stop_reason: null } }),
  sse("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
  sse("content_block_delta", { index: 0, delta: { type: "text_delta", text: "Hello" } }),
  sse("content_block_stop", { index: 0 }),
  sse("message_delta", { delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: 2 } }),
  sse("message_stop", {}),
];

describe("Anthropic", () => {
  test("passes its own clients through byte for byte, with the versions and betas that they name", async () => {
    upstream.respond(json(200, message));
    const headers = { "anthropic-version": "2024-01-01", "anthropic-beta": "a,b" };
    const answer = await ask("anthropic", "messages", { max_tokens: 5, messages, container: "c" }, headers);
    expect(answer.json()).toEqual(message);
    const seen = upstream.seen.at(-1);
    expect(seen?.headers).toMatchObject({ ...headers, "x-api-key": "sk-account" });
    expect(seen?.headers).not.toHaveProperty("authorization");
    expect(JSON.parse(seen?.body.toString() ?? "")).toMatchObject({ container: "c" });
  });

  test("passes their streams through byte for byte, and the row has the usage", async () => {
    upstream.respond(events(streamed));
    const answer = await ask("anthropic", "messages", { max_tokens: 5, stream: true, messages });
    expect(answer.text).toBe(streamed.join(""));
    const row = (await gatehouse.events()).find(({ exchange_id }) => exchange_id === answer.headers["x-request-id"]);
    expect(row).toMatchObject({ outcome: "ok", input_tokens: 4, output_tokens: 2 });
  });

  test("a stream that breaks off has no end", async () => {
    upstream.respond(events(streamed.slice(0, 3)));
    const answer = await ask("anthropic", "messages", { max_tokens: 5, stream: true, messages });
    expect(answer.text).toMatch(/event: error\ndata: \{"type":"error"/);
    expect(answer.text).not.toContain("message_stop");
  });

  test("counts tokens for its own clients", async () => {
    upstream.respond(json(200, { input_tokens: 9 }));
    expect((await ask("anthropic", "messages/count_tokens", { messages })).json()).toEqual({ input_tokens: 9 });
    expect(upstream.seen.at(-1)?.url).toBe("/v1/messages/count_tokens");
  });

  test("answers clients of OpenAI's, streamed too", async () => {
    upstream.respond(events(streamed));
    const answer = await ask("anthropic", "chat/completions", {
      stream: true,
      stream_options: { include_usage: true },
      messages,
    });
    expect(upstream.seen.at(-1)?.headers["anthropic-version"]).toBe("2023-06-01");
    expect(answer.text).toContain('"delta":{"role":"assistant","content":"Hello"}');
    expect(answer.text).toContain('"prompt_tokens":4,"completion_tokens":2');
    expect(answer.text.endsWith("data: [DONE]\n\n")).toBe(true);
  });

  test("its embeddings are nobody's", async () => {
    expect((await ask("anthropic", "embeddings", { input: "hi" })).status).toBe(404);
  });
});

test("Gemini answers clients of both others", async () => {
  const candidates = [{ content: { role: "model", parts: [{ text: "Hello" }] }, finishReason: "STOP" }];
  upstream.respond(
    json(200, { responseId: "r", modelVersion: "g", candidates, usageMetadata: { promptTokenCount: 3 } }),
  );
  const chat = await ask("gemini", "chat/completions", { messages });
  expect(upstream.seen.at(-1)).toMatchObject({
    url: "/v1beta/models/m:generateContent",
    headers: { "x-goog-api-key": "sk-account" },
  });
  expect(chat.json()).toMatchObject({ choices: [{ message: { content: "Hello" }, finish_reason: "stop" }] });
  const told = await ask("gemini", "messages", { max_tokens: 5, messages });
  expect(told.json()).toMatchObject({ content: [{ type: "text", text: "Hello" }], usage: { input_tokens: 3 } });
});

describe("Bedrock", () => {
  test("is asked with a signature, and answers", async () => {
    const output = { message: { role: "assistant", content: [{ text: "Hello" }] } };
    upstream.respond(json(200, { output, stopReason: "end_turn", usage: { inputTokens: 3, outputTokens: 1 } }));
    const answer = await ask("bedrock", "chat/completions", { messages });
    expect(upstream.seen.at(-1)).toMatchObject({
      url: "/model/m/converse",
      headers: { authorization: expect.stringContaining("AWS4-HMAC-SHA256") as string },
    });
    expect(answer.json()).toMatchObject({ model: "m", choices: [{ message: { content: "Hello" } }] });
  });

  test("streams in its binary frames, wherever they are cut", async () => {
    const stream = Buffer.concat([
      framed("messageStart", { role: "assistant" }),
      framed("contentBlockDelta", { contentBlockIndex: 0, delta: { text: "Hel" } }),
      framed("contentBlockDelta", { contentBlockIndex: 0, delta: { text: "lo" } }),
      framed("contentBlockStop", { contentBlockIndex: 0 }),
      framed("messageStop", { stopReason: "end_turn" }),
      framed("metadata", { usage: { inputTokens: 3, outputTokens: 2 } }),
    ]);
    upstream.respond(binary(stream, 7));
    const answer = await ask("bedrock", "messages", { max_tokens: 5, stream: true, messages });
    const texts = [...answer.text.matchAll(/"text":"([^"]+)"/g)].map(([, text]) => text);
    expect(texts.join("")).toBe("Hello");
    expect(answer.text).toContain("event: message_stop");
  });

  test("a damaged frame ends the stream with an error", async () => {
    const stream = Buffer.concat([
      framed("messageStart", { role: "assistant" }),
      framed("contentBlockDelta", { contentBlockIndex: 0, delta: { text: "Hi" } }),
    ]);
    stream[stream.length - 6] = 0;
    upstream.respond(binary(stream, 1_000));
    const answer = await ask("bedrock", "messages", { max_tokens: 5, stream: true, messages });
    expect(answer.text).toContain("error");
    expect(answer.text).not.toContain("message_stop");
  });
});

describe("Vertex AI", () => {
  const withToken =
    (answer: Respond): Respond =>
    (request, response) =>
      (request.url === "/token" ? json(200, { access_token: "ya29.x", expires_in: 3_600 }) : answer)(request, response);

  test("is asked with a token of the service account, made once for all calls", async () => {
    const candidates = [{ content: { role: "model", parts: [{ text: "Hello" }] }, finishReason: "STOP" }];
    upstream.respond(withToken(json(200, { candidates })));
    const asked = upstream.seen.length;
    const answers = await Promise.all([1, 2, 3].map(() => ask("vertex", "chat/completions", { messages })));
    for (const answer of answers) expect(answer.json()).toMatchObject({ choices: [{ message: { content: "Hello" } }] });
    const seen = upstream.seen.slice(asked);
    expect(seen.filter(({ url }) => url === "/token")).toHaveLength(1);
    expect(seen.at(-1)).toMatchObject({
      url: "/v1/projects/p/locations/global/publishers/google/models/m:generateContent",
      headers: { authorization: "Bearer ya29.x" },
    });
  });

  test("streams Anthropic's models to their own clients, with the version in the body and the model in the path", async () => {
    upstream.respond(withToken(events(streamed)));
    const answer = await ask("vertex-claude", "messages", { max_tokens: 5, stream: true, messages });
    expect(answer.text).toBe(streamed.join(""));
    const seen = upstream.seen.at(-1);
    expect(seen?.url).toBe("/v1/projects/p/locations/global/publishers/anthropic/models/m:streamRawPredict");
    const body = { anthropic_version: "vertex-2023-10-16", max_tokens: 5, stream: true, messages };
    expect(JSON.parse(seen?.body.toString() ?? "")).toEqual(body);
  });
});

describe("The list of models", () => {
  test("is read as Gemini has it", async () => {
    upstream.respond(json(200, { models: [{ name: "models/gemini-2.5-flash" }, { name: 1 }] }));
    expect((await list("gemini")).json()).toMatchObject({
      object: "list",
      data: [{ id: "gemini-2.5-flash", object: "model", owned_by: "google" }],
    });
  });

  test("is Anthropic's for clients that name a version, and OpenAI's for others", async () => {
    const row = { type: "model", id: "claude", display_name: "Claude", created_at: "2025-05-14T00:00:00Z" };
    upstream.respond(json(200, { data: [row], has_more: false }));
    expect((await list("anthropic", { "anthropic-version": "2023-06-01" })).json()).toEqual({
      data: [row],
      has_more: false,
      first_id: "claude",
      last_id: "claude",
    });
    expect((await list("anthropic")).json()).toMatchObject({
      object: "list",
      data: [{ id: "claude", object: "model", created: 1_747_180_800, owned_by: "anthropic" }],
    });
  });

  test("is not asked of Bedrock, which has none here", async () => {
    const asked = upstream.seen.length;
    expect((await list("bedrock")).json()).toEqual({ object: "list", data: [] });
    expect(upstream.seen).toHaveLength(asked);
  });
});

function list(name: string, more: Record<string, string> = {}) {
  const headers = { authorization: `Bearer ${keyOf.get(name)}`, ...more };
  return rawHttp(`${gatehouse.running.gatewayUrl}/${name}/v1/models`, { method: "GET", headers });
}

/** Sends bytes in pieces of that size. */
function binary(bytes: Buffer, size: number): Respond {
  return async (_request, response) => {
    response.writeHead(200, { "content-type": "application/vnd.amazon.eventstream" });
    for (let at = 0; at < bytes.length; at += size) {
      response.write(bytes.subarray(at, at + size));
      await new Promise(setImmediate);
    }
    response.end();
  };
}

function framed(type: string, data: object): Buffer {
  const headers = Buffer.concat(
    [
      [":event-type", type],
      [":content-type", "application/json"],
      [":message-type", "event"],
    ].map(([name = "", value = ""]) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(value.length);
      return Buffer.concat([
        Buffer.from([name.length]),
        Buffer.from(name),
        Buffer.from([7]),
        length,
        Buffer.from(value),
      ]);
    }),
  );
  const payload = Buffer.from(JSON.stringify(data));
  const prelude = Buffer.alloc(12);
  prelude.writeUInt32BE(16 + headers.length + payload.length, 0);
  prelude.writeUInt32BE(headers.length, 4);
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
  const bytes = Buffer.concat([prelude, headers, payload]);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(bytes));
  return Buffer.concat([bytes, checksum]);
}
