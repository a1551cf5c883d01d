import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ExchangeEvent } from "../../../src/pipeline/event.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { events, json, startMockUpstream } from "../../kit/mock-upstream.ts";
import { rawHttp } from "../../kit/raw-http.ts";
import type { PublishedServer } from "./published-server.ts";
import { publishServer, sse, sseMessages, textResult, toolCall } from "./published-server.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let server: PublishedServer;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  server = await publishServer(gatehouse, "tools", `${upstream.url}/mcp`);
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

/** The rows that the message brought about, its own last. */
async function rowsOf(send: () => Promise<unknown>): Promise<readonly ExchangeEvent[]> {
  const before = (await gatehouse.events()).filter((row) => row.type === "exchange").length;
  await send();
  return (await gatehouse.events()).filter((row) => row.type === "exchange").slice(before);
}

async function rowOf(send: () => Promise<unknown>): Promise<ExchangeEvent> {
  const rows = await rowsOf(send);
  expect(rows).toHaveLength(1);
  return rows[0] as ExchangeEvent; // just counted
}

describe("one row for each message", () => {
  test("of a tool's call: who, what, in which words, and no value of an argument or result", async () => {
    const meta = { "io.modelcontextprotocol/serverInfo": { name: "far", version: "9" } };
    upstream.respond(
      json(
        200,
        textResult("a-1", "secret-result", { structuredContent: { a: 1 }, resultType: "complete", _meta: meta }),
      ),
    );
    const message = JSON.parse(
      JSON.stringify(toolCall("modern", "a-1", "echo", { zeta: "secret-argument", alpha: 1 })).replace(
        '"_meta":{',
        '"_meta":{"io.modelcontextprotocol/clientInfo":{"name":"agent","version":"3"},',
      ),
    ) as object;
    const row = await rowOf(() => server.post(message, { era: "modern" }));
    expect(row).toMatchObject({
      operation_kind: "tools/call",
      operation_name: "echo",
      outcome: "ok",
      http_status: 200,
      api_kind: "McpServer",
      auth_method: "api-key",
      attempts: 1,
    });
    expect(row.fields).toMatchObject({
      era: "modern",
      mcp_protocol_version: "2026-07-28",
      direction: "client_to_server",
      message_type: "request",
      jsonrpc_id: "a-1",
      method: "tools/call",
      primitive_type: "tool",
      primitive_name: "echo",
      client_name: "agent",
      client_version: "3",
      server_name: "far",
      server_version: "9",
      result_type: "complete",
      is_error: false,
      arg_keys: ["alpha", "zeta"],
      result_content_types: ["text"],
      structured: true,
    });
    expect(JSON.stringify(row)).not.toContain("secret-");
  });

  test("of a tool that failed and of a call that was refused, told apart", async () => {
    upstream.respond(json(200, textResult(1, "no", { isError: true })));
    const failed = await rowOf(() => server.post(toolCall("legacy", 1, "echo")));
    expect(failed).toMatchObject({ http_status: 200, outcome: "ok" }); // the server has answered; the tool has failed
    expect(failed.fields).toMatchObject({
      is_error: true,
      tool_error: true,
      error_type: "tool_error",
    });
    upstream.respond(json(200, { jsonrpc: "2.0", id: 1, error: { code: -32_602, message: "no" } }));
    const refused = await rowOf(() => server.post(toolCall("legacy", 1, "echo")));
    expect(refused).toMatchObject({ http_status: 200, outcome: "upstream_error", error_code: null });
    expect(refused.fields).toMatchObject({
      is_error: true,
      tool_error: false,
      error_type: "-32602",
      jsonrpc_error_code: -32_602,
      result_type: "error",
    });
  });

  test("of a call that needs the client's input is no success and no error", async () => {
    upstream.respond(json(200, { jsonrpc: "2.0", id: 1, result: { resultType: "input_required", requestState: "x" } }));
    const row = await rowOf(() => server.post(toolCall("modern", 1, "echo"), { era: "modern" }));
    expect(row.fields).toMatchObject({ result_type: "input_required", is_error: false });
  });

  test("of a list: how long it is, and how long it may be kept", async () => {
    upstream.respond(
      json(200, {
        jsonrpc: "2.0",
        id: 1,
        result: { tools: [{ name: "a" }, { name: "b" }], ttlMs: 500, cacheScope: "public" },
      }),
    );
    const row = await rowOf(() => server.post({ jsonrpc: "2.0", id: 1, method: "tools/list", params: {} }));
    expect(row.fields).toMatchObject({ list_total: 2, ttl_ms: 500, cache_scope: "public" });
  });

  test.each([
    { method: "resources/read", params: { uri: "file:///home/ada/letter" } },
    { method: "resources/subscribe", params: { uri: "file:///home/ada/letter" } },
    { method: "completion/complete", params: { ref: { type: "ref/resource", uri: "file:///home/ada/letter" } } },
    { method: "x/any", params: { uri: "file:///home/ada/letter" } },
  ])("of a resource: its address only as a hash, also in the try's row ($method)", async ({ method, params }) => {
    upstream.respond(json(200, { jsonrpc: "2.0", id: 1, result: { contents: [] } }));
    const before = (await gatehouse.events()).length;
    await server.post({ jsonrpc: "2.0", id: 1, method, params });
    const rows = (await gatehouse.events()).slice(before);
    expect(rows).toHaveLength(2);
    expect(JSON.stringify(rows)).not.toContain("letter");
    expect(rows[0]).toMatchObject({ operation_name: expect.stringMatching(/^[0-9a-f]{16}$/) as unknown });
  });

  test("of a method that nobody knows, and of long names: few kinds, and bounded names", async () => {
    const long = "x".repeat(5_000);
    const made = await rowOf(() => server.post({ jsonrpc: "2.0", id: 1, method: `x/${long}`, params: {} }));
    expect([made.operation_kind, made.fields["method"]]).toEqual(["other", "other"]);
    const named = await rowOf(() => server.post(toolCall("legacy", 1, long)));
    expect([named.operation_name, named.fields["primitive_name"]]).toEqual([long.slice(0, 256), long.slice(0, 256)]);
  });

  test("of a tool with a line break in its name: one line in the spool and in the log", async () => {
    const name = 'a\n{"type":"exchange"}\r\u001b[2J';
    const row = await rowOf(() => server.post(toolCall("legacy", 1, name)));
    expect(row.operation_name).toBe(name);
    // As `tail` prints it and pino writes it: a row is one JSON text.
    expect(JSON.stringify(row)).not.toMatch(/\p{Cc}/u);
    for (const { message, fields } of gatehouse.log.lines) {
      expect(message).not.toContain("\n");
      expect(JSON.stringify(fields)).not.toMatch(/\p{Cc}/u);
    }
  });

  test("of a redirect: where to, and nothing of what the address carries", async () => {
    upstream.respond((_request, response) => {
      response.writeHead(307, { location: "https://elsewhere.test/a?token=secret-token" }).end();
    });
    const row = await rowOf(() => server.post(toolCall("legacy", 1, "echo")));
    expect(row.error_detail).toBe("status 307 to https://elsewhere.test");
    expect(JSON.stringify(gatehouse.log.lines.map(({ fields }) => fields))).not.toContain("secret-token");
  });

  test("of a stream that was reset: the try says so", async () => {
    upstream.respond((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(sse({ jsonrpc: "2.0", method: "notifications/message", params: {} }), () => response.destroy());
    });
    const answer = await server.post(toolCall("legacy", 1, "echo"));
    const attempt = (await gatehouse.events()).findLast((row) => row.type === "attempt");
    expect(attempt).toMatchObject({
      exchange_id: answer.headers["x-request-id"],
      status: 200,
      error_code: "upstream.reset",
    });
  });

  test("of a call whose stream takes longer than the API allows is told as that; a standalone stream may last", async () => {
    const brief = await publishServer(gatehouse, "brief", `${upstream.url}/mcp`, { limits: { deadlineMs: 300 } });
    const told = sse({ jsonrpc: "2.0", method: "notifications/message", params: {} });
    const open: (() => void)[] = [];
    upstream.respond((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(told);
      open.push(() => response.end(told));
    });
    const headers = { authorization: `Bearer ${brief.key}`, accept: "text/event-stream" };
    const standing = rawHttp(brief.url, { method: "GET", headers });
    const called = await brief.post(toolCall("legacy", 1, "echo"));
    expect(sseMessages(called.text).at(-1)).toMatchObject({ error: { code: 1_504 } });
    const rows = (await gatehouse.events()).filter(({ exchange_id }) => exchange_id === called.headers["x-request-id"]);
    expect(rows.map((row) => [row.type, row.error_code])).toEqual([
      ["exchange", "exchange.deadline"],
      ["attempt", "exchange.deadline"],
    ]);
    for (const end of open) end();
    expect((await standing).text).toBe(told + told);
  });

  test("of a session: its id only as a hash, the same for each of its messages", async () => {
    upstream.respond((request, response) => {
      response.writeHead(200, { "content-type": "application/json", "mcp-session-id": "upstream-session" });
      const { id } = JSON.parse(String(request.body)) as { id: number }; // as the test sends it
      response.end(JSON.stringify(textResult(id, "ok")));
    });
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "old", version: "1" } };
    let session = "";
    const first = await rowOf(async () => {
      const answer = await server.post({ jsonrpc: "2.0", id: 0, method: "initialize", params });
      session = String(answer.headers["mcp-session-id"]);
    });
    const second = await rowOf(() =>
      server.post(toolCall("legacy", 1, "echo"), { headers: { "mcp-session-id": session } }),
    );
    expect(first.fields["session_id_hash"]).toMatch(/^[0-9a-f]{16}$/);
    expect(second.fields["session_id_hash"]).toBe(first.fields["session_id_hash"]);
    expect(first.fields).toMatchObject({ client_name: "old", era: "legacy", mcp_protocol_version: "2025-11-25" });
  });

  test("of two sessions to which the server gave one id: told apart", async () => {
    upstream.respond((request, response) => {
      response.writeHead(200, { "content-type": "application/json", "mcp-session-id": "1" });
      const { id } = JSON.parse(String(request.body)) as { id: number }; // as the test sends it
      response.end(JSON.stringify(textResult(id, "ok")));
    });
    const begun = await rowsOf(async () => {
      await server.post({ jsonrpc: "2.0", id: 0, method: "initialize", params: {} });
      await server.post({ jsonrpc: "2.0", id: 0, method: "initialize", params: {} });
    });
    expect(new Set(begun.map(({ fields }) => fields["session_id_hash"])).size).toBe(2);
  });

  test("of what a server asks on a stream, beside the call's own, which counts events and progress", async () => {
    const ask = { jsonrpc: "2.0", id: 77, method: "sampling/createMessage", params: { messages: [] } };
    const progress = { jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: 1, progress: 1 } };
    upstream.respond(events([sse(progress), sse(ask), sse(progress), sse(textResult(1, "ok"))]));
    const rows = await rowsOf(() => server.post(toolCall("legacy", 1, "echo")));
    expect(rows.map(({ operation_kind }) => operation_kind)).toEqual(["sampling/createMessage", "tools/call"]);
    const [asked, own] = rows;
    expect(own?.fields).toMatchObject({ events_streamed: 4, progress_count: 2 });
    expect(asked?.fields).toMatchObject({ direction: "server_to_client", jsonrpc_id: "77", progress_count: 0 });
    expect(asked?.parent_id).toBe(own?.operation_id);
    expect(asked?.operation_id).not.toBe(own?.operation_id);
  });

  test("of the client's answer to that", async () => {
    upstream.respond((_request, response) => void response.writeHead(202).end());
    const row = await rowOf(() => server.post({ jsonrpc: "2.0", id: 77, result: { role: "assistant" } }));
    expect(row).toMatchObject({ operation_kind: "response", http_status: 202 });
    expect(row.fields).toMatchObject({ message_type: "response", jsonrpc_id: "77" });
  });

  test("that was refused before anybody knew what it was", async () => {
    const row = await rowOf(() => server.post("{", { key: null }));
    expect(row).toMatchObject({ outcome: "denied", http_status: 401, operation_kind: "", key_id: null });
  });
});
