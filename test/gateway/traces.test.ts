import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../kit/eventually.ts";
import type { TestApi, TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { chatAnswer, json, startMockUpstream } from "../kit/mock-upstream.ts";
import type { OtlpCollector, ReceivedSpan } from "../kit/otlp-collector.ts";
import { startOtlpCollector } from "../kit/otlp-collector.ts";
import { rawHttp } from "../kit/raw-http.ts";
import { ok, sentBy, sessions } from "./mcp/face/session-server.ts";
import type { PublishedServer } from "./mcp/published-server.ts";
import { answering, publishServer, toolCall } from "./mcp/published-server.ts";

const caller = { trace: "0af7651916cd43dd8448eb211c80319c", span: "b7ad6b7169203331" };
const traceparent = `00-${caller.trace}-${caller.span}-01`;

let collector: OtlpCollector;
let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let api: TestApi;
let relayed: PublishedServer;

beforeAll(async () => {
  collector = await startOtlpCollector();
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse({ "telemetry.endpoint": collector.url });
  api = await gatehouse.llm("chat", `${upstream.url}/v1`);
  relayed = await publishServer(gatehouse, "relayed", `${upstream.url}/mcp`);
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
  await collector[Symbol.asyncDispose]();
});

async function chat(headers: Record<string, string> = {}, key = api.key) {
  const own = { "content-type": "application/json", authorization: `Bearer ${key}` };
  return rawHttp(`${api.url}/chat/completions`, { headers: { ...own, ...headers }, body: '{"model":"m"}' });
}

/** The spans of one exchange, the SERVER span first, when they have been sent. */
async function spansOf(id: unknown, count: number): Promise<readonly ReceivedSpan[]> {
  const own = () => {
    const spans = collector.spans();
    const server = spans.filter(({ attributes }) => attributes["gatehouse.exchange.id"] === id);
    const ids = new Set(server.map(({ spanId }) => spanId));
    return [...server, ...spans.filter(({ parentSpanId = "", kind }) => kind === 3 && ids.has(parentSpanId))];
  };
  await eventually("the spans are sent", () => own().length >= count, 10_000);
  return own();
}

describe("a caller's trace", () => {
  test("goes on through the gateway: caller, operation, try, upstream", async () => {
    upstream.respond(chatAnswer("Hi."));
    const answer = await chat({ traceparent, tracestate: "vendor=1" });
    const [server, client] = await spansOf(answer.headers["x-request-id"], 2);
    expect(server).toMatchObject({ traceId: caller.trace, parentSpanId: caller.span, kind: 2 });
    expect(client).toMatchObject({ traceId: caller.trace, parentSpanId: server?.spanId, kind: 3 });
    expect(upstream.seen.at(-1)?.headers).toMatchObject({
      traceparent: `00-${caller.trace}-${client?.spanId}-01`,
      tracestate: "vendor=1",
    });
  });

  test("that is not kept is not sent, and the upstream hears so", async () => {
    upstream.respond(chatAnswer("Hi."));
    const dropped = await chat({ traceparent: traceparent.replace(/01$/, "00") });
    expect(upstream.seen.at(-1)?.headers["traceparent"]).toMatch(new RegExp(`^00-${caller.trace}-[0-9a-f]{16}-00$`));
    await spansOf((await chat()).headers["x-request-id"], 2); // which come later, so the others would be there
    const known = collector.spans().map(({ attributes }) => attributes["gatehouse.exchange.id"]);
    expect(known).not.toContain(dropped.headers["x-request-id"]);
  });

  test("that is none begins a new one, and its state goes nowhere", async () => {
    upstream.respond(chatAnswer("Hi."));
    const answer = await chat({ traceparent: `00-${"0".repeat(32)}-${caller.span}-01`, tracestate: "vendor=1" });
    const [server] = await spansOf(answer.headers["x-request-id"], 2);
    expect(server?.parentSpanId).toBeUndefined();
    expect(server?.traceId).toBe(String(answer.headers["x-request-id"]).replaceAll("-", ""));
    expect(upstream.seen.at(-1)?.headers).not.toHaveProperty("tracestate");
  });
});

describe("a trace that a message of MCP names", () => {
  const traced = {
    ...toolCall("legacy", 1, "echo"),
    params: { name: "echo", _meta: { other: 1.0, traceparent }, arguments: {} },
  };

  test("goes on, and the server finds our span in header and message; all else of the message is as it was", async () => {
    upstream.respond(answering("ok"));
    const answer = await relayed.post(traced);
    const [server, client] = await spansOf(answer.headers["x-request-id"], 2);
    expect(server).toMatchObject({ traceId: caller.trace, parentSpanId: caller.span, name: "tools/call echo" });
    const ours = `00-${caller.trace}-${client?.spanId}-01`;
    const sent = upstream.seen.at(-1);
    expect(sent?.headers["traceparent"]).toBe(ours);
    expect(sent?.body.toString()).toBe(JSON.stringify(traced).replace(traceparent, ours));
  });

  test("goes on over a bridge to a server of the other era, in header and message", async () => {
    const bridged = await publishServer(gatehouse, "bridged", `${upstream.url}/mcp`);
    upstream.respond(sessions(ok));
    const call = toolCall("modern", 1, "echo") as { params: { _meta: object } }; // as it is written there
    const params = { ...call.params, _meta: { ...call.params._meta, traceparent } };
    const answer = await bridged.post({ ...call, params }, { era: "modern" });
    const [server, client] = await spansOf(answer.headers["x-request-id"], 2);
    expect(server).toMatchObject({ traceId: caller.trace, parentSpanId: caller.span });
    const ours = `00-${caller.trace}-${client?.spanId}-01`;
    const sent = upstream.seen.findLast((request) => sentBy(request).method === "tools/call");
    expect(sent?.headers["traceparent"]).toBe(ours);
    expect(sentBy(sent ?? { body: Buffer.alloc(0) }).params?._meta).toMatchObject({ traceparent: ours });
  });

  test("comes before the one of the header, which is linked; a try is linked to nothing", async () => {
    upstream.respond(answering("ok"));
    const http = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7" };
    const headers = { traceparent: `00-${http.traceId}-${http.spanId}-00`, tracestate: "b=2" };
    const answer = await relayed.post(traced, { headers });
    const [server, client] = await spansOf(answer.headers["x-request-id"], 2);
    expect(server).toMatchObject({ traceId: caller.trace, parentSpanId: caller.span, links: [http] });
    expect(client).not.toHaveProperty("links");
    expect(upstream.seen.at(-1)?.headers).not.toHaveProperty("tracestate");
    const [row] = (await gatehouse.events()).filter(({ exchange_id: id }) => id === answer.headers["x-request-id"]);
    expect(row).toMatchObject({ trace_id: caller.trace });
  });

  test("that is none stands behind the one of the header, and nothing is linked", async () => {
    upstream.respond(answering("ok"));
    const params = { ...traced.params, _meta: { traceparent: "00-0-0-01" } };
    const answer = await relayed.post({ ...traced, params }, { headers: { traceparent } });
    const [server] = await spansOf(answer.headers["x-request-id"], 2);
    expect(server).toMatchObject({ traceId: caller.trace, parentSpanId: caller.span });
    expect(server).not.toHaveProperty("links");
  });

  test("is each message's own in a batch", async () => {
    upstream.respond(answering("ok"));
    const http = "4bf92f3577b34da6a3ce929d0e0e4736";
    const headers = { traceparent: `00-${http}-00f067aa0ba902b7-01`, "mcp-protocol-version": "2025-03-26" };
    const answer = await relayed.post([traced, toolCall("legacy", 2, "echo")], { headers });
    const spans = (await spansOf(answer.headers["x-request-id"], 4)).filter(({ kind }) => kind === 2);
    expect(spans.map(({ traceId }) => traceId)).toEqual([caller.trace, http]);
  });
});

describe("the tracestate of a message of MCP", () => {
  const other = traceparent.replace(caller.span, "00f067aa0ba902b7");
  const withTrace = (meta: object) => ({
    ...toolCall("legacy", 1, "echo"),
    params: { name: "echo", _meta: meta, arguments: {} },
  });
  const stateIn = (sent: { readonly body: Buffer }) => sentBy(sent).params?._meta?.["tracestate"];
  const rows = [
    {
      name: "goes on with its traceparent",
      meta: { traceparent, tracestate: "a=1" },
      given: {},
      expected: ["a=1", "a=1"],
    },
    {
      name: "goes on before that of the header, which belongs to another trace",
      meta: { traceparent, tracestate: "a=1" },
      given: { traceparent: other, tracestate: "b=2" },
      expected: ["a=1", "a=1"],
    },
    {
      name: "comes beside the traceparent where only the header has named a trace",
      meta: { traceparent: "00-0-0-01" },
      given: { traceparent: other, tracestate: "b=2" },
      expected: ["b=2", "b=2"],
    },
    {
      name: "is emptied where the header's trace goes on and has none",
      meta: { traceparent: "00-0-0-01", tracestate: "a=1" },
      given: { traceparent: other },
      expected: [undefined, ""],
    },
    {
      name: "is emptied where its traceparent is none",
      meta: { traceparent: "00-0-0-01", tracestate: "a=1" },
      given: { tracestate: "b=2" },
      expected: [undefined, ""],
    },
    {
      name: "is emptied where no header could hold it",
      meta: { traceparent, tracestate: "a=\r\nx: y" },
      given: {},
      expected: [undefined, ""],
    },
  ];

  test.each(rows)("$name", async ({ meta, given, expected }) => {
    upstream.respond(answering("ok"));
    await relayed.post(withTrace(meta), { headers: given });
    const sent = upstream.seen.at(-1);
    expect([sent?.headers["tracestate"], stateIn(sent ?? { body: Buffer.alloc(0) })]).toEqual(expected);
  });

  test("crosses a bridge with its trace, and not with another", async () => {
    const bridged = await publishServer(gatehouse, "stated", `${upstream.url}/mcp`);
    upstream.respond(sessions(ok));
    const call = toolCall("modern", 1, "echo") as { params: { _meta: object } }; // as it is written there
    const params = { ...call.params, _meta: { ...call.params._meta, traceparent, tracestate: "a=1" } };
    const passed = async (headers: Record<string, string>) => {
      await bridged.post({ ...call, params }, { era: "modern", headers });
      const sent = upstream.seen.findLast((request) => sentBy(request).method === "tools/call");
      return [sent?.headers["tracestate"], stateIn(sent ?? { body: Buffer.alloc(0) })];
    };
    expect(await passed({})).toEqual(["a=1", "a=1"]);
    expect(await passed({ traceparent: other, tracestate: "b=2" })).toEqual(["a=1", "a=1"]);
  });
});

test("each try has a span of its own, under which its upstream's are", async () => {
  upstream.respond(json(503, {}), chatAnswer("Hi."));
  const before = upstream.seen.length;
  const answer = await chat();
  const parents = upstream.seen.slice(before).map(({ headers }) => String(headers["traceparent"]).split("-")[2]);
  const [server, ...clients] = await spansOf(answer.headers["x-request-id"], 1 + parents.length);
  expect(clients.map(({ spanId }) => spanId)).toEqual(parents);
  expect(new Set([server?.spanId, ...parents]).size).toBe(1 + parents.length);
});

test("a refused call has a span that says why, and its row is of the same trace", async () => {
  const answer = await chat({}, "gh_unknown");
  const [server] = await spansOf(answer.headers["x-request-id"], 1);
  expect(server).toMatchObject({
    status: { code: 2 },
    attributes: {
      "gatehouse.outcome": "denied",
      "error.type": "auth.invalid_credentials",
      "http.response.status_code": 401,
    },
  });
  const rows = (await gatehouse.events()).filter(({ exchange_id }) => exchange_id === answer.headers["x-request-id"]);
  expect(rows).toMatchObject([{ trace_id: server?.traceId }]);
  expect(rows[0]).not.toHaveProperty("trace");
});

test("no text of a request or an answer, and no key, is in what is sent", async () => {
  upstream.respond(chatAnswer("canary-answer"));
  const own = { "content-type": "application/json", authorization: `Bearer ${api.key}` };
  const body = '{"model":"m","messages":[{"role":"user","content":"canary-question"}]}';
  const answer = await rawHttp(`${api.url}/chat/completions`, { headers: own, body });
  await spansOf(answer.headers["x-request-id"], 2);
  const sent = collector.seen.map((request) => request.body.toString()).join();
  expect(sent).not.toContain("canary");
  expect(sent).not.toContain(api.key);
});
