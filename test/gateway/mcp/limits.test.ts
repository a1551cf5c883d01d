import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream, Respond } from "../../kit/mock-upstream.ts";
import { json, startMockUpstream } from "../../kit/mock-upstream.ts";
import type { RawAnswer } from "../../kit/raw-http.ts";
import { rawHttp } from "../../kit/raw-http.ts";
import { sentBy, sessions } from "./face/session-server.ts";
import type { PublishedServer, RpcAnswer } from "./published-server.ts";
import { answering, publishServer, rpcOf, sse, sseMessages, toolCall } from "./published-server.ts";
import { request, requestCases } from "./request-limits.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;

beforeAll(async () => {
  upstream = await startMockUpstream(answering("fine"));
  gatehouse = await startTestGatehouse();
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

type Way = "relay" | "face";
const ways: readonly Way[] = ["relay", "face"];
let count = 0;

/** A server that is relayed byte by byte, or that the gateway itself is to its clients, in a session with either. */
async function open(way: Way, limits: object): Promise<PublishedServer & { readonly headers: Record<string, string> }> {
  count += 1;
  const bridge = { mode: way === "face" ? "always" : "auto" };
  const more = { limits, upstream: { era: "legacy", bridge, breaker: { failures: 0 } } };
  upstream.respond(sessions(answering("fine")));
  const server = await publishServer(gatehouse, `limited-${count}`, `${upstream.url}/mcp`, more);
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "c", version: "1" } };
  const begun = await server.post({ jsonrpc: "2.0", id: 0, method: "initialize", params });
  return { ...server, headers: { "mcp-session-id": String(begun.headers["mcp-session-id"]) } };
}

/** The one JSON-RPC answer, whether it came as JSON or as the last event of a stream. */
function answerIn(answer: RawAnswer): RpcAnswer {
  const isStream = String(answer.headers["content-type"]).startsWith("text/event-stream");
  return isStream ? (sseMessages(answer.body.toString("utf8")).at(-1) as RpcAnswer) : rpcOf(answer); // looked at by the tests
}

function expectOver(answer: RawAnswer, limit: string, value: number): void {
  const { error } = answerIn(answer);
  expect(error?.data).toMatchObject({ limit: `spec.limits.${limit}`, value });
  expect(error?.message).toContain(`spec.limits.${limit}`);
}

describe.each(ways)("a request over the %s", (way) => {
  test.each(requestCases)(
    "is taken at $limit, and one past it is refused by name",
    async ({ limit, value, of, status }) => {
      const server = await open(way, { [limit]: value });
      const { headers } = server;
      const taken = await server.post(of(value), { headers });
      expect([taken.status, answerIn(taken).error]).toEqual([200, undefined]);
      const before = upstream.seen.length;
      const refused = await server.post(of(value + 1), { headers });
      expect(refused.status).toBe(status);
      expectOver(refused, limit, value);
      expect(upstream.seen.length).toBe(before);
    },
  );

  test("is taken with headers up to headerBytes, and refused with a byte more", async () => {
    const server = await open(way, { headerBytes: 1_500 });
    const lengths = { ...server.headers, "x-padding": "" };
    const refusedAt = async (padding: number): Promise<RawAnswer> =>
      server.post(toolCall("legacy", 1, "echo"), { headers: { ...lengths, "x-padding": "p".repeat(padding) } });
    let [low, high] = [0, 1_500]; // what a client sends beside these is its own matter: the bound is looked for
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if ((await refusedAt(middle)).status === 200) low = middle;
      else high = middle;
    }
    expect(low).toBeGreaterThan(0);
    expect((await refusedAt(low)).status).toBe(200);
    const refused = await refusedAt(low + 1);
    expect(refused.status).toBe(431);
    expectOver(refused, "headerBytes", 1_500);
  });
});

describe.each(ways)("an answer over the %s", (way) => {
  const asJson =
    (result: (size: number) => object) =>
    (size: number): Respond =>
    (seen, response) =>
      json(200, { jsonrpc: "2.0", id: sentBy(seen).id, result: result(size) })(seen, response);

  const deep = (levels: number): object => {
    let schema: object = {};
    for (let level = 1; level < levels; level += 1) schema = { not: schema };
    return schema;
  };
  const wide = (parts: number): object => ({ anyOf: Array.from({ length: parts - 1 }, () => ({})) });
  const tool = (inputSchema: object, name = "echo") => ({ name, inputSchema });

  interface AnswerCase {
    readonly limit: string;
    readonly value: number;
    readonly method: string;
    readonly respond: (size: number) => Respond;
  }
  const cases: readonly AnswerCase[] = [
    {
      limit: "listEntries",
      value: 5,
      method: "tools/list",
      respond: asJson((size) => ({ tools: Array.from({ length: size }, (_, at) => tool({}, `t${at}`)) })),
    },
    {
      limit: "schemaDepth",
      value: 6,
      method: "tools/list",
      respond: asJson((size) => ({ tools: [tool({}, "small"), tool(deep(size))] })),
    },
    {
      limit: "schemaParts",
      value: 9,
      method: "tools/list",
      respond: asJson((size) => ({ tools: [tool(wide(size))] })),
    },
    {
      limit: "streamEvents",
      value: 4,
      method: "tools/call",
      respond: (size) => (seen, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        const log = { jsonrpc: "2.0", method: "notifications/message", params: { level: "info", data: "x" } };
        const last = { jsonrpc: "2.0", id: sentBy(seen).id, result: { content: [] } };
        response.end(sse(log).repeat(size - 1) + sse(last));
      },
    },
  ];

  test.each(cases)(
    "passes at $limit, and one past it is refused by name",
    async ({ limit, value, method, respond }) => {
      const server = await open(way, { [limit]: value });
      const { headers } = server;
      const params = method === "tools/call" ? { name: "echo", arguments: {} } : {};
      upstream.respond(sessions(respond(value)));
      expect(answerIn(await server.post(request(method, params), { headers })).result).toBeDefined();
      upstream.respond(sessions(respond(value + 1)));
      expectOver(await server.post(request(method, params), { headers }), limit, value);
      upstream.respond(sessions(respond(value)));
      expect(answerIn(await server.post(request(method, params), { headers })).result).toBeDefined();
    },
  );

  test.each(["messageBytes", "eventBytes"])("passes below %s, and is refused by name above it", async (limit) => {
    const server = await open(way, { [limit]: 5_000 });
    const { headers } = server;
    const big = (bytes: number): Respond => {
      const text = "x".repeat(bytes);
      return (seen, response) => {
        const message = { jsonrpc: "2.0", id: sentBy(seen).id, result: { content: [{ type: "text", text }] } };
        if (limit === "messageBytes") return json(200, message)(seen, response);
        response.writeHead(200, { "content-type": "text/event-stream" });
        return void response.end(sse(message));
      };
    };
    upstream.respond(sessions(big(4_800)));
    expect(answerIn(await server.post(toolCall("legacy", 1, "echo"), { headers })).result).toBeDefined();
    upstream.respond(sessions(big(5_100)));
    const { error } = answerIn(await server.post(toolCall("legacy", 1, "echo"), { headers }));
    expect(error).toMatchObject({ code: 1_502, data: { code: "upstream.too_large", limit: `spec.limits.${limit}` } });
  });

  test("in one line of ten megabytes that never ends holds no more than the limit", async () => {
    const server = await open(way, { eventBytes: 100_000 });
    let sent = 0;
    upstream.respond(
      sessions((_seen, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write("data: ");
        const more = (): void => {
          if (response.destroyed || sent >= 10_000_000) return;
          sent += 50_000;
          response.write("x".repeat(50_000), () => setImmediate(more));
        };
        more();
      }),
    );
    const answer = await server.post(toolCall("legacy", 1, "echo"), { headers: server.headers });
    expectOver(answer, "eventBytes", 100_000);
    expect(sent).toBeLessThan(10_000_000);
  });
});

describe.each(ways)("streams of news over the %s", (way) => {
  test("are as many as streamsPerCaller says, for each key, and one that is left makes room", async () => {
    const server = await open(way, { streamsPerCaller: 1 });
    upstream.respond((seen, response) => {
      if (seen.method !== "GET") return sessions(answering("fine"))(seen, response);
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(": here\n\n");
      return undefined;
    });
    const headers = { ...server.headers, accept: "text/event-stream", authorization: `Bearer ${server.key}` };
    const leaving = new AbortController();
    const first = await fetch(server.url, { headers, signal: leaving.signal });
    expect(first.status).toBe(200);
    const refused = await rawHttp(server.url, { method: "GET", headers });
    expect(refused.status).toBe(429);
    expectOver(refused, "streamsPerCaller", 1);
    leaving.abort();
    await expect
      .poll(async () => {
        const again = new AbortController();
        const { status } = await fetch(server.url, { headers, signal: again.signal });
        again.abort();
        return status;
      })
      .toBe(200);
  });

  test.each(["streamMs", "streamIdleMs"])("end at %s", async (limit) => {
    const server = await open(way, { [limit]: 300 });
    upstream.respond((seen, response) => {
      if (seen.method !== "GET") return sessions(answering("fine"))(seen, response);
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(": here\n\n");
      return undefined;
    });
    const headers = { ...server.headers, accept: "text/event-stream", authorization: `Bearer ${server.key}` };
    const answer = await rawHttp(server.url, { method: "GET", headers });
    expect(answer.status).toBe(200);
    const rows = await gatehouse.events();
    const row = rows.findLast((event) => JSON.stringify(event).includes(`limited-${count}`));
    expect(JSON.stringify(row)).toContain("exchange.deadline");
  });
});
