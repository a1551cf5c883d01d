import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestApi, TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { chatAnswer, chunk, done, events, startMockUpstream } from "../kit/mock-upstream.ts";
import type { RawAnswer } from "../kit/raw-http.ts";
import { rawHttp } from "../kit/raw-http.ts";
import type { PublishedServer } from "./mcp/published-server.ts";
import { answering, publishServer, rpcOf, sse, sseMessages, textResult, toolCall } from "./mcp/published-server.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
const word = "tiger";

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const guard = (block?: object): object => ({
  use: "regex",
  with: { patterns: [{ pattern: word }], window: { size: 16, overlap: 8 } },
  ...(block && { block }),
});

const shown = (direction: string): object => ({
  action: "GUARDRAIL_INTERVENED",
  interveningGuardrail: "regex",
  direction,
  actionReason: expect.stringContaining("not permitted"),
});

describe("over LLM dialects", () => {
  let plain: TestApi;
  let open: TestApi;

  beforeAll(async () => {
    const url = `${upstream.url}/v1`;
    plain = await gatehouse.llm("plain", url, { policies: [guard()] as never }); // the schema checks it
    open = await gatehouse.llm("open", url, { policies: [guard({ status: 446, showAssessment: true })] as never });
  });

  const messages = [{ role: "user", content: `a ${word}` }];
  const ask = (api: TestApi, path: string, body: object): Promise<RawAnswer> =>
    rawHttp(`${api.url}/${path}`, {
      headers: { "content-type": "application/json", authorization: `Bearer ${api.key}` },
      body: JSON.stringify({ model: "m", ...body }),
    });

  const dialects = [
    { name: "OpenAI's chat", path: "chat/completions", body: { messages } },
    { name: "OpenAI's responses", path: "responses", body: { input: `a ${word}` } },
    { name: "OpenAI's embeddings", path: "embeddings", body: { input: `a ${word}` } },
  ];

  test.each(dialects)("a request of $name is told that a guardrail blocked it", async ({ path, body }) => {
    const answer = await ask(plain, path, body);
    expect([answer.status, answer.headers["x-should-retry"]]).toEqual([422, "false"]);
    expect(answer.json()).toEqual({
      error: {
        message: expect.stringContaining("not permitted"),
        type: "invalid_request_error",
        param: null,
        code: "guardrail_blocked",
      },
    });
  });

  test.each(dialects)(
    "a request of $name sees the assessment and another status where asked",
    async ({ path, body }) => {
      const answer = await ask(open, path, body);
      expect([answer.status, answer.headers["x-should-retry"]]).toEqual([446, "false"]);
      expect(answer.json()).toMatchObject({ error: { code: "guardrail_blocked", assessment: shown("REQUEST") } });
      expect(answer.text).not.toContain(word);
    },
  );

  test("a request of Anthropic's is told so in its words", async () => {
    const answers = [await ask(plain, "messages", { messages }), await ask(open, "messages", { messages })];
    expect(answers.map(({ status }) => status)).toEqual([422, 446]);
    expect(answers[0]?.json()).toEqual({
      type: "error",
      error: { type: "invalid_request_error", message: expect.stringContaining("not permitted") },
      request_id: answers[0]?.headers["x-request-id"],
    });
    expect(answers[1]?.json()).toMatchObject({ type: "error", error: { assessment: shown("REQUEST") } });
  });

  test("an answer that came whole is replaced", async () => {
    upstream.respond(chatAnswer(`a ${word}`));
    const answer = await ask(open, "chat/completions", { messages: [] });
    expect([answer.status, answer.json()]).toMatchObject([446, { error: { assessment: shown("RESPONSE") } }]);
    expect(answer.text).not.toContain(word);
  });

  test("a stream of which nothing is out yet is refused with its status", async () => {
    upstream.respond(events([chunk({ content: word }), done]));
    const answer = await ask(open, "chat/completions", { messages: [], stream: true });
    expect([answer.status, answer.json()]).toMatchObject([446, { error: { code: "guardrail_blocked" } }]);
  });

  const late = events([
    ...Array.from({ length: 20 }, () => chunk({ content: "word " })),
    chunk({ content: word }),
    chunk({}, { finish: "stop" }),
    done,
  ]);

  test.each([
    { path: "chat/completions", body: { messages: [] }, end: /data: (\{"error".*\})\n\n$/, closes: "[DONE]" },
    {
      path: "messages",
      body: { messages: [{ role: "user", content: "x" }], max_tokens: 9 },
      end: /event: error\ndata: (.*)\n\n$/,
      closes: "message_stop",
    },
    {
      path: "responses",
      body: { input: "x" },
      end: /event: response.failed\ndata: (.*)\n\n$/,
      closes: "response.completed",
    },
  ])(
    "a stream under way at $path ends with the dialect's own error and no clean end",
    async ({ path, body, end, closes }) => {
      upstream.respond(late);
      const answer = await ask(open, path, { ...body, stream: true });
      expect(answer.status).toBe(200);
      const [, last = ""] = end.exec(answer.text) ?? [];
      expect(last).toContain("GUARDRAIL_INTERVENED");
      if (path !== "messages") expect(last).toContain('"code":"guardrail_blocked"');
      expect(answer.text).not.toContain(word);
      expect(answer.text).not.toContain(closes);
    },
  );
});

describe("over MCP", () => {
  let server: PublishedServer;
  let mending: PublishedServer;

  beforeAll(async () => {
    const url = `${upstream.url}/mcp`;
    server = await publishServer(gatehouse, "errors", url, { policies: [guard({ showAssessment: true })] });
    mending = await publishServer(gatehouse, "results", url, {
      policies: [guard({ toolResult: true, showAssessment: true })],
    });
  });

  test.each(["legacy", "modern"] as const)("a %s call is answered with an error and its assessment", async (era) => {
    const answer = await server.post(toolCall(era, 7, "echo", { text: word }), { era });
    expect([answer.status, answer.headers["x-should-retry"]]).toEqual([422, "false"]);
    expect(rpcOf(answer)).toMatchObject({
      id: 7,
      error: { code: 1_422, data: { code: "guardrail.denied", assessment: shown("REQUEST") } },
    });
  });

  test.each(["legacy", "modern"] as const)("a %s call is answered with a result where asked", async (era) => {
    const answer = await mending.post(toolCall(era, 7, "echo", { text: word }), { era });
    expect(answer.status).toBe(200);
    const { id, result } = rpcOf(answer);
    expect([id, result]).toMatchObject([
      7,
      { isError: true, content: [{ type: "text" }], _meta: { "gatehouse/assessment": shown("REQUEST") } },
    ]);
    expect(result?.["resultType"]).toBe(era === "modern" ? "complete" : undefined);
    const row = (await gatehouse.events()).find(({ exchange_id }) => exchange_id === answer.headers["x-request-id"]);
    expect(row).toMatchObject({ outcome: "denied", denied_by: "regex" });
  });

  test("so is the answer to a call, whole or on a stream", async () => {
    upstream.respond(answering(`a ${word}`));
    expect(rpcOf(await mending.post(toolCall("legacy", 8, "echo")))).toMatchObject({
      id: 8,
      result: { isError: true },
    });
    upstream.respond(events([sse(textResult(9, `a ${word}`))]));
    const { text } = await mending.post(toolCall("legacy", 9, "echo"));
    expect(text.startsWith("{") ? [JSON.parse(text)] : sseMessages(text)).toMatchObject([
      { id: 9, result: { isError: true } },
    ]);
    expect(text).not.toContain(`a ${word}`);
  });

  test("what is no tool call is answered with an error", async () => {
    const params = { name: "p", arguments: { text: word } };
    const answer = await mending.post({ jsonrpc: "2.0", id: 3, method: "prompts/get", params });
    expect([answer.status, rpcOf(answer).error?.code]).toEqual([422, 1_422]);
  });

  test("in a batch each call has its own answer", async () => {
    upstream.respond(answering("fine"));
    const calls = [toolCall("legacy", 1, "echo", { text: word }), toolCall("legacy", 2, "echo")];
    const answer = await mending.post(JSON.stringify(calls), { headers: { "mcp-protocol-version": "2025-03-26" } });
    expect([answer.status, answer.json()]).toMatchObject([
      200,
      [
        { id: 1, result: { isError: true } },
        { id: 2, result: {} },
      ],
    ]);
  });
});

test.each([
  ["a tool's result at an LLM API", { toolResult: true }],
  ["a status that is none of the two", { status: 500 }],
])("%s is refused at publish", async (_name, block) => {
  await expect(gatehouse.llm("refused", `${upstream.url}/v1`, { policies: [guard(block)] as never })).rejects.toThrow();
});
