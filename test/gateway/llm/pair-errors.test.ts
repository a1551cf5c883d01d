import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { InboundDialectId } from "../../../src/routing/dialects/index.ts";
import type { LlmPairs } from "../../kit/llm-pairs.ts";
import { models, startLlmPairs } from "../../kit/llm-pairs.ts";
import type { UpstreamId } from "../../kit/llm-replay.ts";
import { upstreams } from "../../kit/llm-replay.ts";
import type { RawAnswer } from "../../kit/raw-http.ts";
import { rawHttp } from "../../kit/raw-http.ts";

let pairs: LlmPairs;

beforeAll(async () => {
  pairs = await startLlmPairs();
});

afterAll(() => pairs[Symbol.asyncDispose]());

const messages = [{ role: "user", content: "Hi" }];
const asked = {
  "openai-chat": { path: "chat/completions", body: { messages } },
  "openai-responses": { path: "responses", body: { input: "Hi" } },
  "anthropic-messages": { path: "messages", body: { max_tokens: 64, messages } },
} as const;
const inbounds = Object.keys(asked) as readonly InboundDialectId[]; // of the object above
const table = inbounds.flatMap((inbound) => upstreams.map((upstream) => ({ inbound, upstream })));

function ask(inbound: InboundDialectId, upstream: UpstreamId, more: object = {}): Promise<RawAnswer> {
  const { url, key } = pairs.apis[upstream];
  const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
  const body = JSON.stringify({ model: models[upstream], ...asked[inbound].body, ...more });
  return rawHttp(`${url}/${asked[inbound].path}`, { headers, body });
}

/** An error as the client's own SDK reads it. */
function errorOf(inbound: InboundDialectId, answer: RawAnswer): { readonly message: string; readonly type: string } {
  const body = answer.json() as { type?: string; error: { message: string; type: string } }; // asserted below
  if (inbound === "anthropic-messages") expect(body.type).toBe("error");
  expect(body.error).toMatchObject({ message: expect.stringMatching(/\S/) as string });
  return body.error;
}

describe.each(table)("$inbound at $upstream", ({ inbound, upstream }) => {
  test("hears of a refusal in its own words, with the provider's reason", async () => {
    for (const stream of [false, true]) {
      pairs.replay.answer("error-400", 400);
      const answer = await ask(inbound, upstream, { stream });
      expect(answer.status).toBe(400);
      expect(errorOf(inbound, answer).message).toMatch(/context|tokens|too long|content management|message content/);
    }
  });

  test("never takes the gateway's bad key for its own", async () => {
    pairs.replay.answer("error-401", upstream === "bedrock" ? 403 : upstream === "gemini" ? 400 : 401);
    const answer = await ask(inbound, upstream);
    expect([401, 407]).not.toContain(answer.status);
    expect(answer.status).toBeGreaterThanOrEqual(upstream === "bedrock" ? 403 : 500);
    expect(errorOf(inbound, answer).message).not.toContain("sk-");
  });

  test("hears of a limit as a limit", async () => {
    pairs.replay.answer("error-429", 429);
    expect((await ask(inbound, upstream)).status).toBe(429);
  });

  test("hears of a fault as the provider's", async () => {
    pairs.replay.answer("error-500", 500);
    const answer = await ask(inbound, upstream, { stream: true });
    expect(answer.status).toBeGreaterThanOrEqual(500);
    errorOf(inbound, answer);
  });

  test("hears of a proxy's page in its own words", async () => {
    pairs.replay.answerWith(502, "text/html", "<html><body><h1>502 Bad Gateway</h1></body></html>");
    const answer = await ask(inbound, upstream);
    expect([answer.status, answer.headers["content-type"]]).toEqual([502, "application/json"]);
    errorOf(inbound, answer);
  });

  test("is told that a page with status 200 is no answer", async () => {
    pairs.replay.answerWith(200, "text/html", "<html>Sign in to the network</html>");
    for (const stream of [false, true]) {
      const answer = await ask(inbound, upstream, { stream });
      expect(answer.status).toBe(502);
      errorOf(inbound, answer);
    }
  });

  test("gets no clean end of a stream that stops half-way through an event", async () => {
    const whole = pairs.replay.bytes(upstream, "length", true, inbound === "openai-responses" && isOpenAi(upstream));
    const half = whole?.subarray(0, Math.floor(whole.length / 3)) ?? Buffer.alloc(0);
    pairs.replay.upstream.respond((request, response) => {
      if (request.url === "/token") return void response.end('{"access_token":"t","expires_in":3600}');
      const type = upstream === "bedrock" ? "application/vnd.amazon.eventstream" : "text/event-stream";
      response.writeHead(200, { "content-type": type });
      response.end(half);
    });
    const answer = await ask(inbound, upstream, { stream: true });
    expect(answer.text).not.toMatch(/\[DONE\]|message_stop|response\.completed/);
    expect(answer.text).toContain('"error"');
    pairs.replay.restore();
  });
});

test.each([
  { inbound: "openai-chat", stream: false, status: 502, end: '"error"' },
  { inbound: "openai-chat", stream: true, status: 200, end: '"error"' },
  { inbound: "anthropic-messages", stream: false, status: 502, end: '"api_error"' },
  { inbound: "anthropic-messages", stream: true, status: 200, end: "event: error" },
  { inbound: "openai-responses", stream: false, status: 200, end: '"status":"failed"' },
  { inbound: "openai-responses", stream: true, status: 200, end: "event: response.failed" },
] as const)("a call that Gemini could not finish is no whole answer: $inbound, stream $stream", async (row) => {
  const { inbound, stream, status, end } = row;
  const told = {
    candidates: [
      { content: { role: "model", parts: [{ text: "I" }] }, finishReason: "MALFORMED_FUNCTION_CALL", index: 0 },
    ],
    usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 1, totalTokenCount: 6 },
  };
  const text = JSON.stringify(told);
  if (stream) pairs.replay.answerWith(200, "text/event-stream", `data: ${text}\n\n`);
  else pairs.replay.answerWith(200, "application/json", text);
  const answer = await ask(inbound, "gemini", { stream });
  expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(end)]);
  expect(answer.text).not.toMatch(/\[DONE\]|message_stop|response\.completed/);
});

function isOpenAi(upstream: UpstreamId): boolean {
  return upstream === "openai" || upstream === "azure-openai";
}
