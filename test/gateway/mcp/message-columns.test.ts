import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { argShapeHash } from "../../../src/gateway/mcp/arg-shape.ts";
import type { ExchangeEvent } from "../../../src/pipeline/event.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { events, json, startMockUpstream } from "../../kit/mock-upstream.ts";
import type { PublishedServer } from "./published-server.ts";
import { answering, keyFor, publishServer, sse, textResult, toolCall } from "./published-server.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let server: PublishedServer;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  server = await publishServer(gatehouse, "tools", `${upstream.url}/mcp`, {
    policies: [{ use: "regex", with: { patterns: [{ pattern: "forbidden", action: "deny" }] } }],
  });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

async function rowOf(send: () => Promise<unknown>): Promise<ExchangeEvent> {
  const before = (await gatehouse.events()).length;
  await send();
  const rows = (await gatehouse.events()).slice(before);
  const row = rows.findLast((each) => each.type === "exchange");
  if (row?.type !== "exchange") throw new TypeError("there is a row");
  return row;
}

describe("the row of a message", () => {
  test("names a span of its own that can be made again from the operation", async () => {
    upstream.respond(answering("ok"));
    const row = await rowOf(() => server.post(toolCall("legacy", 1, "echo")));
    expect(row.fields["span_id"]).toMatch(/^[0-9a-f]{16}$/);
    expect(row.operation_id.replaceAll("-", "").endsWith(String(row.fields["span_id"]))).toBe(true);
    expect(row.fields).toMatchObject({ transport: "streamable-http" });
  });

  test("belongs to the trace that the message itself names, and else to that of a header", async () => {
    upstream.respond(answering("ok"));
    const trace = (digit: string) => `00-${digit.repeat(32)}-${"b".repeat(16)}-01`;
    const params = { name: "echo", arguments: {}, _meta: { traceparent: trace("a") } };
    const traced = { ...toolCall("legacy", 1, "echo"), params };
    const headers = { traceparent: trace("c") };
    expect((await rowOf(() => server.post(traced, { headers }))).trace_id).toBe("a".repeat(32));
    const row = await rowOf(() => server.post(toolCall("legacy", 1, "echo"), { headers }));
    expect(row.trace_id).toBe("c".repeat(32));
  });

  test("tells how far a message came that was not answered well", async () => {
    upstream.respond(answering("ok"));
    const stageOf = async (send: () => Promise<unknown>) => (await rowOf(send)).fields["stage"];
    const limited = await keyFor(gatehouse, "tools", { allow: ["read_*"] });
    expect(await stageOf(() => server.post(toolCall("legacy", 1, "x"), { key: null }))).toBe("auth");
    expect(await stageOf(() => server.post("{"))).toBe("decode");
    expect(await stageOf(() => server.post(toolCall("legacy", 1, "write"), { key: limited }))).toBe("authz");
    expect(await stageOf(() => server.post(toolCall("legacy", 1, "x", { a: "forbidden" })))).toBe("request");
    upstream.respond(answering("forbidden"));
    expect(await stageOf(() => server.post(toolCall("legacy", 1, "x")))).toBe("response");
    upstream.respond(events([sse(textResult(1, "forbidden"))]));
    expect(await stageOf(() => server.post(toolCall("legacy", 1, "x")))).toBe("response");
    upstream.respond((_request, response) => void response.destroy());
    expect(await stageOf(() => server.post(toolCall("legacy", 1, "x")))).toBe("upstream");
    upstream.respond(json(200, { jsonrpc: "2.0", id: 1, error: { code: -32_602, message: "no" } }));
    expect(await stageOf(() => server.post(toolCall("legacy", 1, "x")))).toBe("upstream");
    const alien = await rowOf(() => server.post(toolCall("legacy", 1, "x"), { headers: { host: "evil.example" } }));
    expect(alien.fields["stage"]).toBe("accept");
  });

  test("counts the tools that were left for the caller", async () => {
    const tools = [{ name: "read_a" }, { name: "write_a" }, { name: "read_b" }];
    upstream.respond(json(200, { jsonrpc: "2.0", id: 1, result: { tools } }));
    const key = await keyFor(gatehouse, "tools", { allow: ["read_*"] });
    const list = { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} };
    const own = await rowOf(() => server.post(list, { key }));
    expect(own.fields).toMatchObject({ list_total: 3, tools_after_authz: 2 });
    expect((await rowOf(() => server.post(list))).fields).toMatchObject({ list_total: 3, tools_after_authz: 3 });
    upstream.respond(json(200, { jsonrpc: "2.0", id: 1, result: { prompts: [] } }));
    const prompts = await rowOf(() => server.post({ ...list, method: "prompts/list" }));
    expect(prompts.fields).not.toHaveProperty("tools_after_authz");
  });

  test("tells a task by its hash, the same for what starts it and what asks for it", async () => {
    upstream.respond(json(200, { jsonrpc: "2.0", id: 1, result: { task: { taskId: "task-canary" } } }));
    const started = await rowOf(() => server.post(toolCall("legacy", 1, "x")));
    upstream.respond(json(200, { jsonrpc: "2.0", id: 1, result: { status: "working" } }));
    const get = { jsonrpc: "2.0", id: 1, method: "tasks/get", params: { taskId: "task-canary" } };
    const asked = await rowOf(() => server.post(get));
    expect(started.fields["task_id_hash"]).toMatch(/^[0-9a-f]{16}$/);
    expect(asked.fields["task_id_hash"]).toBe(started.fields["task_id_hash"]);
    expect(JSON.stringify([started, asked])).not.toContain("canary");
  });

  test("tells a call from one that comes again with the input that was asked for", async () => {
    upstream.respond(answering("ok"));
    const first = toolCall("modern", 1, "x") as { params: object };
    const again = { ...first, params: { ...first.params, requestState: "s", inputResponses: {} } };
    const roundOf = async (message: object) =>
      (await rowOf(() => server.post(message, { era: "modern" }))).fields["input_round"];
    expect([await roundOf(first), await roundOf(again)]).toEqual([0, 1]);
  });

  test("counts what the server told and asked on the way", async () => {
    const told = { jsonrpc: "2.0", method: "notifications/message", params: {} };
    const ask = { jsonrpc: "2.0", id: 77, method: "sampling/createMessage", params: {} };
    upstream.respond(events([sse(told), sse(ask), sse(told), sse(textResult(1, "ok"))]));
    const row = await rowOf(() => server.post(toolCall("legacy", 1, "x")));
    expect(row.fields).toMatchObject({ server_notifications: 2, server_requests: 1, rows_left_out: 0 });
  });

  test.each([{ streams: true }, { streams: false }])(
    "of a session names both sides, also when only the handshake did (streamed: $streams)",
    async ({ streams }) => {
      const result = {
        protocolVersion: "2025-06-18",
        capabilities: {},
        serverInfo: { name: "far", version: "9" },
      };
      upstream.respond((request, response) => {
        const { id, method } = JSON.parse(String(request.body)) as { id: number; method: string }; // the test's own messages
        if (method !== "initialize") return answering("ok")(request, response);
        const reply = { jsonrpc: "2.0", id, result };
        const session = { "mcp-session-id": "s-1" };
        return (streams ? events([": hi\n\n", sse(reply)], session) : json(200, reply, session))(request, response);
      });
      const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "agent", version: "3" } };
      const begun = await server.post({ jsonrpc: "2.0", id: 0, method: "initialize", params });
      expect(begun.text).toContain('"far"');
      const headers = { "mcp-session-id": String(begun.headers["mcp-session-id"]), "mcp-protocol-version": "" };
      const row = await rowOf(() => server.post(toolCall("legacy", 1, "x"), { headers }));
      expect(row.fields).toMatchObject({
        client_name: "agent",
        client_version: "3",
        server_name: "far",
        server_version: "9",
        mcp_protocol_version: "2025-06-18",
      });
    },
  );
});

describe("the shape of arguments", () => {
  const json = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }));

  test("is the same whatever the values and the order of members are", () => {
    const one = argShapeHash({ a: "x", b: { c: [1, 2], d: null } });
    expect(argShapeHash({ b: { d: null, c: [7] }, a: "secret" })).toBe(one);
    fc.assert(
      fc.property(json, (given) => {
        const turned = Object.fromEntries(Object.entries(given).toReversed());
        expect(argShapeHash(turned)).toBe(argShapeHash(given));
      }),
    );
  });

  test("differs by a member, a name or a type", () => {
    const shapes = [{}, { a: 1 }, { b: 1 }, { a: "1" }, { a: [1] }, { a: ["1"] }, { a: { a: 1 } }, { a: null }];
    expect(new Set(shapes.map(argShapeHash)).size).toBe(shapes.length);
  });

  test("takes no long time for arguments without end", () => {
    let deep: Record<string, unknown> = {};
    for (let level = 0; level < 5_000; level += 1) deep = { deep };
    const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`k${at}`, at]));
    const startedAt = performance.now();
    argShapeHash(deep);
    argShapeHash(wide);
    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});
