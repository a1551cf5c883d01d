import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream, Respond } from "../../kit/mock-upstream.ts";
import { events, json, startMockUpstream } from "../../kit/mock-upstream.ts";
import type { Era, PublishedServer } from "./published-server.ts";
import { answering, publishServer, rpcOf, sse, sseMessages, textResult, toolCall } from "./published-server.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let server: PublishedServer;

beforeAll(async () => {
  upstream = await startMockUpstream(answering("fine"));
  gatehouse = await startTestGatehouse();
  server = await publishServer(gatehouse, "tools", `${upstream.url}/mcp`, {
    limits: { responseBytes: 1_000_000 },
    upstream: { timeouts: { firstByteMs: 300, idleMs: 300 }, breaker: { failures: 0 } },
  });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

afterEach(async () => {
  upstream.respond(answering("fine"));
  expect((await server.post(toolCall("legacy", 1, "echo"))).status).toBe(200);
});

const raw =
  (status: number, headers: Record<string, string>, body = ""): Respond =>
  (_request, response) => {
    response.writeHead(status, headers);
    response.end(body);
  };

interface FaultCase {
  readonly name: string;
  readonly respond: Respond;
  readonly status: number;
  readonly rpc: number;
}

const html = { "content-type": "text/html" };
const jsonType = { "content-type": "application/json" };
const own = { jsonrpc: "2.0", id: 1 };

const whole: readonly FaultCase[] = [
  { name: "HTML", respond: raw(200, html, "<h1>Welcome</h1>"), status: 502, rpc: 1_502 },
  { name: "HTML with an error status", respond: raw(503, html, "<h1>Sorry</h1>"), status: 503, rpc: 1_502 },
  { name: "JSON that is cut off", respond: raw(200, jsonType, '{"jsonrpc":"2.0","id":1'), status: 502, rpc: 1_502 },
  { name: "JSON that is no JSON-RPC", respond: json(200, { ok: true }), status: 502, rpc: 1_502 },
  { name: "a batch", respond: json(200, [textResult(1, "a")]), status: 502, rpc: 1_502 },
  { name: "nothing", respond: raw(200, jsonType), status: 502, rpc: 1_502 },
  { name: "no type", respond: raw(200, {}, JSON.stringify(textResult(1, "a"))), status: 502, rpc: 1_502 },
  { name: "a wrong id", respond: json(200, textResult(2, "another's")), status: 502, rpc: 1_502 },
  { name: "the id as a text", respond: json(200, textResult("1", "a")), status: 502, rpc: 1_502 },
  {
    name: "an error of another's id",
    respond: json(400, { ...own, id: 2, error: { code: 1, message: "x" } }),
    status: 400,
    rpc: 1_502,
  },
  { name: "202 to a request", respond: raw(202, {}), status: 502, rpc: 1_502 },
  { name: "204 to a request", respond: raw(204, {}), status: 502, rpc: 1_502 },
  { name: "a redirect", respond: raw(307, { location: "http://127.0.0.1:1/" }), status: 502, rpc: 1_502 },
  { name: "401", respond: raw(401, { "www-authenticate": 'Bearer realm="up"' }), status: 502, rpc: 1_502 },
  {
    name: "a body beyond the limit",
    respond: json(200, textResult(1, "x".repeat(1_100_000))),
    status: 502,
    rpc: 1_502,
  },
  { name: "silence", respond: () => undefined, status: 504, rpc: 1_504 },
  { name: "a closed connection", respond: (_request, response) => void response.destroy(), status: 502, rpc: 1_502 },
];

describe("an upstream that answers", () => {
  test.each(whole)("$name", async ({ respond, status, rpc }) => {
    upstream.respond(respond);
    const answer = await server.post(toolCall("legacy", 1, "echo"));
    expect(answer.status).toBe(status);
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.headers["www-authenticate"]).toBeUndefined();
    expect(answer.headers["location"]).toBeUndefined();
    expect(rpcOf(answer)).toMatchObject({ jsonrpc: "2.0", id: 1, error: { code: rpc } });
  });

  test("an error of its own is believed, status and all", async () => {
    upstream.respond(json(404, { ...own, error: { code: -32_601, message: "Method not found", data: { x: 1 } } }));
    const answer = await server.post(toolCall("modern", 1, "echo"), { era: "modern" });
    expect(answer.status).toBe(404);
    expect(answer.json()).toEqual({ ...own, error: { code: -32_601, message: "Method not found", data: { x: 1 } } });
  });

  test("nobody at all", async () => {
    const gone = await startMockUpstream();
    await gone[Symbol.asyncDispose]();
    const dead = await publishServer(gatehouse, "dead", `${gone.url}/mcp`);
    const answer = await dead.post(toolCall("legacy", 1, "echo"));
    expect([answer.status, rpcOf(answer).error?.code]).toEqual([502, 1_502]);
    expect(answer.text).not.toContain(String(gone.port));
  });
});

const reply = sse(textResult(1, "mine"));
const progress = sse({ jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: 1, progress: 1 } });

interface StreamCase {
  readonly name: string;
  readonly pieces: readonly (string | Uint8Array)[];
  readonly messages: readonly unknown[];
  readonly era?: Era;
}

const brokenOff = expect.objectContaining({
  id: 1,
  error: expect.objectContaining({ code: 1_502 }) as unknown,
}) as unknown;
const told = { jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: 1, progress: 1 } };

const streams: readonly StreamCase[] = [
  { name: "ends without an answer", pieces: [progress], messages: [told, brokenOff] },
  { name: "ends in half an event", pieces: [progress, reply.slice(0, -20)], messages: [told, brokenOff] },
  { name: "is empty", pieces: [], messages: [brokenOff] },
  {
    name: "has a line of 10 MB",
    pieces: [progress, sse(textResult(1, "x".repeat(10_000_000)))],
    messages: [told, brokenOff],
  },
  {
    name: "answers another's request as well",
    pieces: [sse(textResult(2, "another's")), reply],
    messages: [textResult(1, "mine")],
  },
  { name: "answers only another's request", pieces: [sse(textResult(2, "another's"))], messages: [brokenOff] },
  { name: "answers twice", pieces: [reply, sse(textResult(1, "again"))], messages: [textResult(1, "mine")] },
  { name: "carries what is no JSON", pieces: [sse("oops"), reply], messages: [textResult(1, "mine")] },
  { name: "carries a batch", pieces: [sse([textResult(1, "hidden")]), reply], messages: [textResult(1, "mine")] },
  {
    name: "gives event ids in the stateless era, where nobody can resume",
    pieces: [sse(told, "7")],
    messages: [told, brokenOff],
    era: "modern",
  },
];

describe("a stream that", () => {
  test.each(streams)("$name", async ({ pieces, messages, era = "legacy" }) => {
    upstream.respond(events(pieces));
    const answer = await server.post(toolCall(era, 1, "echo"), { era });
    expect(answer.status).toBe(200);
    expect(sseMessages(answer.text)).toEqual(messages);
  });

  test("falls silent ends with an error", async () => {
    upstream.respond((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(progress);
    });
    const answer = await server.post(toolCall("legacy", 1, "echo"));
    expect(sseMessages(answer.text)).toEqual([
      told,
      expect.objectContaining({ id: 1, error: expect.objectContaining({ code: 1_504 }) as unknown }),
    ]);
  });

  test("gave an event id and ends is left open to be resumed", async () => {
    upstream.respond(events(["id: 5\nretry: 100\ndata: \n\n"]));
    const answer = await server.post(toolCall("legacy", 1, "echo"));
    expect(answer.text).toBe("id: 5\nretry: 100\ndata: \n\n");
  });

  test("is whole comes through byte for byte, however it is cut", async () => {
    const text = `: hello\n\nid: 1\ndata: \n\n${progress}event: message\r\ndata: {"jsonrpc":"2.0",\r\ndata: "id":1,"result":{"big":12345678901234567890}}\r\n\r\n`;
    const bytes = Buffer.from(text);
    for (const size of [1, 7, 64, bytes.length]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
        bytes.subarray(at * size, (at + 1) * size),
      );
      upstream.respond(events(pieces));
      expect((await server.post(toolCall("legacy", 1, "echo"))).text).toBe(text);
    }
  });
});
