// long: what holds for batches is held against one server and one gateway, from the first message to the row
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { AttemptEvent, ExchangeEvent } from "../../../src/pipeline/event.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream, Respond, SeenRequest } from "../../kit/mock-upstream.ts";
import { events, json, startMockUpstream } from "../../kit/mock-upstream.ts";
import type { RawAnswer } from "../../kit/raw-http.ts";
import type { PublishedServer } from "./published-server.ts";
import { keyFor, publishServer, rpcOf, sse, sseMessages, textResult, toolCall } from "./published-server.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let server: PublishedServer;
const version = { "mcp-protocol-version": "2025-03-26" };

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  server = await publishServer(gatehouse, "tools", `${upstream.url}/mcp`);
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

interface Sent {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly name?: string };
}

const sentBy = (request: SeenRequest): Sent => JSON.parse(String(request.body)) as Sent; // the gateway sends single messages

/** Answers calls with the tool's name, and takes everything else. */
const plain: Respond = (request, response) => {
  const { id, params, method } = sentBy(request);
  if (id === undefined || method === undefined) return void response.writeHead(202).end();
  return json(200, textResult(id, params?.name ?? ""))(request, response);
};

beforeEach(() => upstream.respond(plain));

const call = (id: number, name = "echo") => toolCall("legacy", id, name);
const note = { jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: 1, progress: 1 } };
const post = (
  messages: readonly unknown[],
  headers: Record<string, string> = version,
  key = server.key,
): Promise<RawAnswer> => server.post(JSON.stringify(messages), { headers, key });

const answersOf = (answer: RawAnswer) => answer.json() as readonly { id: number | null; error?: { code: number } }[]; // tests look at every member that they use

describe("a batch in 2025-03-26", () => {
  test("goes up message by message with each one's own bytes, and comes back as one array in order", async () => {
    const before = upstream.seen.length;
    const first =
      '{"jsonrpc":"2.0","id":1, "method":"tools/call","params":{"name":"a","arguments":{"n":12345678901234567890}}}';
    const answer = await server.post(`[ ${first} ,${JSON.stringify(note)}, ${JSON.stringify(call(2, "b"))}]`, {
      headers: version,
    });
    expect([answer.status, answer.headers["content-type"]]).toEqual([200, "application/json"]);
    expect(answer.json()).toEqual([textResult(1, "a"), textResult(2, "b")]);
    const sent = upstream.seen.slice(before).map(({ body }) => String(body));
    expect(sent.toSorted()).toEqual([first, JSON.stringify(note), JSON.stringify(call(2, "b"))].toSorted());
  });

  test("of one message is answered with an array of one", async () => {
    expect((await post([call(1)])).json()).toEqual([textResult(1, "echo")]);
  });

  test("of one message that is refused is too, and its row says why", async () => {
    const key = await keyFor(gatehouse, "tools", { allow: ["read_*"] });
    const before = (await gatehouse.events()).length;
    const answers = answersOf(await post([call(7, "write_a")], version, key));
    expect(answers.map(({ id, error }) => [id, error?.code])).toEqual([[7, -32_602]]);
    const [row] = (await gatehouse.events()).slice(before);
    expect(row).toMatchObject({ outcome: "denied", denied_by: "authorize" });
  });

  test("of one message comes back as a stream where the server streams", async () => {
    upstream.respond((request, response) =>
      events([sse(textResult(sentBy(request).id ?? 0, "streamed"))])(request, response),
    );
    expect(sseMessages((await post([call(1)])).text)).toEqual([textResult(1, "streamed")]);
  });

  test("is taken without a version header too, which then stands for that version", async () => {
    const headers = { ...version, "mcp-protocol-version": "" };
    expect((await post([call(1)], headers)).status).toBe(200);
  });

  test("of nothing but notifications and answers gets 202 and no body", async () => {
    const answer = await post([note, { jsonrpc: "2.0", id: 9, result: {} }]);
    expect([answer.status, answer.text]).toEqual([202, ""]);
  });

  test("comes back as a stream where the server streams, with the events of all", async () => {
    const log = { jsonrpc: "2.0", method: "notifications/message", params: { level: "info", data: "x" } };
    upstream.respond((request, response) => {
      const { id, params } = sentBy(request);
      if (params?.name !== "streams") return plain(request, response);
      return events([sse(log), sse(textResult(id ?? 0, "streamed"))])(request, response);
    });
    const answer = await post([call(1, "streams"), call(2, "whole"), call(3, "streams")]);
    expect(answer.headers["content-type"]).toBe("text/event-stream");
    const messages = sseMessages(answer.text);
    expect(messages).toHaveLength(5);
    for (const expected of [textResult(1, "streamed"), textResult(2, "whole"), textResult(3, "streamed")])
      expect(messages).toContainEqual(expected);
  });

  test("whose one stream breaks costs that message its answer and no other", async () => {
    upstream.respond((request, response) => {
      const { id, params } = sentBy(request);
      if (params?.name !== "breaks") return events([sse(textResult(id ?? 0, "fine"))])(request, response);
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(": hello\n\n", () => response.destroy());
    });
    const before = (await gatehouse.events()).length;
    const messages = sseMessages((await post([call(1, "breaks"), call(2)])).text);
    expect(messages).toContainEqual(textResult(2, "fine"));
    expect(messages).toContainEqual(
      expect.objectContaining({ id: 1, error: expect.objectContaining({ code: 1_502 }) as unknown }),
    );
    const rows = (await gatehouse.events())
      .slice(before)
      .filter((row): row is ExchangeEvent => row.type === "exchange");
    expect(rows.map(({ outcome }) => outcome)).toEqual(["upstream_error", "ok"]);
  });

  test("that meets the deadline gives an error to each request that has no answer yet, and to no other", async () => {
    const slow = await publishServer(gatehouse, "slow", `${upstream.url}/mcp`, { limits: { deadlineMs: 1_000 } });
    upstream.respond((request, response) => {
      const { id, params } = sentBy(request);
      if (params?.name === "whole" || id === undefined) return plain(request, response);
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(": hello\n\n");
      if (params?.name === "streams") response.end(sse(textResult(id ?? 0, "streamed")));
    });
    const before = (await gatehouse.events()).length;
    const messages = [call(1, "streams"), call(2, "hangs"), call(3, "whole"), call(4, "hangs"), note];
    const answer = await slow.post(JSON.stringify(messages), { headers: version });
    const late = expect.objectContaining({ code: 1_504 }) as unknown;
    expect((sseMessages(answer.text) as readonly { id: number }[]).toSorted((a, b) => a.id - b.id)).toEqual([
      textResult(1, "streamed"),
      { jsonrpc: "2.0", id: 2, error: late },
      textResult(3, "whole"),
      { jsonrpc: "2.0", id: 4, error: late },
    ]);
    const rows = (await gatehouse.events()).slice(before);
    const exchanges = rows.filter((row): row is ExchangeEvent => row.type === "exchange");
    expect(exchanges.map(({ outcome, fields }) => [outcome, fields["cancelled_by"]])).toEqual([
      ["ok", undefined],
      ["failed", "deadline"],
      ["ok", undefined],
      ["failed", "deadline"],
      ["ok", undefined],
    ]);
  });

  test("has rows that count the bytes and the upstream's time of each message for itself", async () => {
    upstream.respond((request, response) => {
      const { id, params } = sentBy(request);
      if (id === undefined) return plain(request, response);
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(": hello\n\n");
      const end = () => response.end(sse(textResult(id, "streamed")));
      if (params?.name === "late") setTimeout(end, 400);
      else end();
    });
    const before = (await gatehouse.events()).length;
    const messages = [call(1, "soon"), call(2, "late"), call(3, "a_longer_name"), note];
    const answer = await post(messages);
    const rows = (await gatehouse.events()).slice(before);
    const exchanges = rows.filter((row): row is ExchangeEvent => row.type === "exchange");
    expect(exchanges.map((row) => row.request_bytes)).toEqual(messages.map((each) => JSON.stringify(each).length));
    const ours = exchanges.map((row) => row.response_bytes);
    expect(ours[3]).toBe(0);
    expect(ours.reduce((sum, bytes) => sum + bytes, 0)).toBe(answer.text.length);
    const late = exchanges.map((row) => (row.upstream_ms ?? 0) >= 350);
    expect(late).toEqual([false, true, false, false]);
    const tries = rows.filter((row): row is AttemptEvent => row.type === "attempt");
    expect(tries.map(({ operation_id: id, duration_ms: ms }) => [id, (ms ?? 0) >= 350])).toEqual(
      expect.arrayContaining(exchanges.map(({ operation_id: id }, at) => [id, at === 1])),
    );
  });

  test("has a row for each message, of one exchange, each with its own outcome", async () => {
    const key = await keyFor(gatehouse, "tools", { allow: ["read_*"] });
    const before = (await gatehouse.events()).length;
    await post([call(1, "read_a"), call(2, "write_a"), note], version, key);
    const rows = (await gatehouse.events())
      .slice(before)
      .filter((row): row is ExchangeEvent => row.type === "exchange");
    expect(rows.map((row) => [row.operation_kind, row.operation_name, row.outcome, row.denied_by])).toEqual([
      ["tools/call", "read_a", "ok", null],
      ["tools/call", "write_a", "denied", "authorize"],
      ["notifications/progress", "", "ok", null],
    ]);
    expect(new Set(rows.map(({ exchange_id }) => exchange_id)).size).toBe(1);
    expect(new Set(rows.map(({ operation_id }) => operation_id)).size).toBe(3);
  });

  test("does not get around what a key may call", async () => {
    const key = await keyFor(gatehouse, "tools", { allow: ["read_*"] });
    const before = upstream.seen.length;
    const answers = answersOf(await post([call(1, "write_a"), call(2, "read_a"), call(3, "write_b")], version, key));
    expect(answers.map(({ id, error }) => [id, error?.code])).toEqual([
      [1, -32_602],
      [2, undefined],
      [3, -32_602],
    ]);
    expect(upstream.seen.length).toBe(before + 1);
  });

  test("with a message of which one name is not to be seen refuses that message and no other", async () => {
    const key = await keyFor(gatehouse, "tools", { allow: ["read_*"] });
    const both = { jsonrpc: "2.0", id: 2, method: "vendor/act", params: { name: "read_a", uri: "mem://b" } };
    const answers = answersOf(await post([call(1, "read_a"), both, call(3, "read_b")], version, key));
    expect(answers.map(({ id, error }) => [id, error?.code])).toEqual([
      [1, undefined],
      [2, -32_602],
      [3, undefined],
    ]);
  });

  test("does not get around a limit: each message counts", async () => {
    const policies = [{ use: "rate-limit", with: { requests: 10, windowMs: 60_000, per: "key" } }];
    const limited = await publishServer(gatehouse, "limited", `${upstream.url}/mcp`, { policies });
    const before = upstream.seen.length;
    const messages = Array.from({ length: 50 }, (_, id) => call(id));
    const answer = await limited.post(JSON.stringify(messages), { headers: version });
    const answers = answersOf(answer);
    expect(answers.filter(({ error }) => error === undefined)).toHaveLength(10);
    expect(answers.filter(({ error }) => error?.code === 1_429)).toHaveLength(40);
    expect(upstream.seen.length).toBe(before + 10);
    expect((await limited.post(JSON.stringify(messages), { headers: version })).status).toBe(429);
  });

  test("is judged message by message by guardrails", async () => {
    const policies = [{ use: "regex", with: { patterns: [{ pattern: "forbidden", action: "deny" }] } }];
    const guarded = await publishServer(gatehouse, "guarded", `${upstream.url}/mcp`, { policies });
    const messages = [call(1), toolCall("legacy", 2, "echo", { a: "forbidden" })];
    const answers = answersOf(await guarded.post(JSON.stringify(messages), { headers: version }));
    expect(answers.map(({ id, error }) => [id, error?.code])).toEqual([
      [1, undefined],
      [2, 1_422],
    ]);
  });

  test("keeps to its session, which ends for it as for a single message", async () => {
    upstream.respond((request, response) => {
      const { id, method } = sentBy(request);
      if (method === "initialize")
        return json(
          200,
          { jsonrpc: "2.0", id, result: { protocolVersion: "2025-03-26" } },
          { "mcp-session-id": "s" },
        )(request, response);
      if (request.headers["mcp-session-id"] !== "s") return void response.writeHead(404).end();
      return plain(request, response);
    });
    const params = { protocolVersion: "2025-03-26", capabilities: {}, clientInfo: { name: "old", version: "1" } };
    const begun = await server.post({ jsonrpc: "2.0", id: 0, method: "initialize", params }, { headers: version });
    const session = String(begun.headers["mcp-session-id"]);
    expect(answersOf(await post([call(1), call(2)], { ...version, "mcp-session-id": session }))).toHaveLength(2);
    expect((await post([call(1), call(2)])).status).toBe(404);
    expect((await post([call(1)], { ...version, "mcp-session-id": `${session.slice(0, -4)}AAAA` })).status).toBe(404);
  });
});

describe("a batch that is refused whole", () => {
  const initialize = { jsonrpc: "2.0", id: 0, method: "initialize", params: {} };
  const refused: readonly { readonly name: string; readonly messages: readonly unknown[]; readonly why: string }[] = [
    { name: "with nothing in it", messages: [], why: "it is empty" },
    { name: "with a handshake in it", messages: [call(1), initialize], why: "must stand alone" },
    { name: "with two requests of one id", messages: [call(1), call(1)], why: "same id" },
    { name: "with what is no message", messages: [call(1), 7], why: "of message 2" },
    { name: "with a batch in it", messages: [[call(1)]], why: "of message 1" },
    {
      name: "with a message of another era",
      messages: [toolCall("modern", 1, "echo")],
      why: "2026-07-28 has no batches",
    },
    {
      name: "of too many",
      messages: Array.from({ length: 51 }, (_, id) => call(id)),
      why: "spec.limits.batchMessages",
    },
    {
      name: "with a call that names no tool",
      messages: [{ jsonrpc: "2.0", id: 1, method: "tools/call", params: {} }],
      why: "params.name",
    },
  ];

  test.each(refused)("$name", async ({ messages, why }) => {
    const before = upstream.seen.length;
    const answer = await post(messages);
    expect(answer.status).toBe(400);
    expect(rpcOf(answer).error?.message).toContain(why);
    expect(upstream.seen.length).toBe(before);
  });

  test.each(["2024-11-05", "2025-06-18", "2025-11-25", "2026-07-28"])("in %s, which has none", async (other) => {
    const answer = await post([call(1)], { "mcp-protocol-version": other });
    expect([answer.status, rpcOf(answer).error?.code]).toEqual([400, -32_600]);
  });

  test("in a session of another version, whatever the header says", async () => {
    upstream.respond((request, response) => {
      const { id } = sentBy(request);
      return json(
        200,
        { jsonrpc: "2.0", id, result: { protocolVersion: "2025-06-18" } },
        { "mcp-session-id": "s" },
      )(request, response);
    });
    const begun = await server.post(initialize);
    const headers = { ...version, "mcp-session-id": String(begun.headers["mcp-session-id"]) };
    expect((await post([call(1)], headers)).status).toBe(400);
  });
});
