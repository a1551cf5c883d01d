import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../kit/eventually.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { startMockUpstream } from "../../kit/mock-upstream.ts";
import type { PublishedServer } from "./published-server.ts";
import { keyFor, publishServer, sse, sseMessages, textResult, toolCall } from "./published-server.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let server: PublishedServer;
/** The server's streams that wait for an end, by the request's id. */
const open = new Map<number, (text?: string) => void>();
const heard: { readonly session: unknown; readonly requestId: unknown }[] = [];

beforeAll(async () => {
  upstream = await startMockUpstream((request, response) => {
    const { id, method, params } = JSON.parse(String(request.body)) as {
      id: number;
      method: string;
      params: { requestId?: unknown };
    }; // the test's own messages
    if (method === "initialize") {
      response.writeHead(200, { "content-type": "application/json", "mcp-session-id": `up-${id}` });
      response.end(JSON.stringify({ jsonrpc: "2.0", id, result: { protocolVersion: "2025-11-25" } }));
    } else if (method === "notifications/cancelled") {
      heard.push({ session: request.headers["mcp-session-id"], requestId: params.requestId });
      response.writeHead(202).end();
    } else {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(": working\n\n");
      open.set(id, (text) => response.end(text));
    }
  });
  gatehouse = await startTestGatehouse();
  server = await publishServer(gatehouse, "tools", `${upstream.url}/mcp`);
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

async function begin(id: number, key = server.key): Promise<string> {
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } };
  const answer = await server.post({ jsonrpc: "2.0", id, method: "initialize", params }, { key });
  return String(answer.headers["mcp-session-id"]);
}

const cancel = (session: string, requestId: unknown, key = server.key) =>
  server.post(
    { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId, reason: "enough" } },
    { headers: { "mcp-session-id": session }, key },
  );

async function rowsOf(id: unknown) {
  return (await gatehouse.events()).filter(({ exchange_id }) => exchange_id === id);
}

test("a cancellation goes to the session of the call, and the call's row says who gave it up", async () => {
  const session = await begin(901);
  const call = server.post(toolCall("legacy", 1, "slow"), { headers: { "mcp-session-id": session } });
  await eventually("the server works", () => open.has(1));
  expect((await cancel(session, 1)).status).toBe(202);
  expect(heard.at(-1)).toEqual({ session: "up-901", requestId: 1 });
  open.get(1)?.(); // as a server does that was told: no answer comes
  const answer = await call;
  expect([answer.status, sseMessages(answer.text)]).toEqual([200, []]);
  const [row, attempt] = await rowsOf(answer.headers["x-request-id"]);
  expect(row).toMatchObject({ outcome: "cancelled", error_code: "client.closed", fields: { cancelled_by: "client" } });
  expect(attempt).toMatchObject({ type: "attempt", error_code: "client.closed" });
});

test("a cancellation that comes too late changes nothing: the answer counts", async () => {
  const session = await begin(902);
  const call = server.post(toolCall("legacy", 2, "slow"), { headers: { "mcp-session-id": session } });
  await eventually("the server works", () => open.has(2));
  await cancel(session, 2);
  open.get(2)?.(sse(textResult(2, "done")));
  const answer = await call;
  expect(sseMessages(answer.text)).toEqual([textResult(2, "done")]);
  const [row] = await rowsOf(answer.headers["x-request-id"]);
  expect(row).toMatchObject({
    outcome: "ok",
    fields: expect.not.objectContaining({ cancelled_by: expect.anything() }),
  });
});

test("nobody cancels a call of another session or of another key, though its id is the same", async () => {
  const session = await begin(903);
  const otherKey = await keyFor(gatehouse, "tools");
  const call = server.post(toolCall("legacy", 3, "slow"), { headers: { "mcp-session-id": session } });
  await eventually("the server works", () => open.has(3));
  await cancel(await begin(904), 3);
  await cancel(await begin(903, otherKey), 3, otherKey);
  await cancel(session, "3");
  expect((await cancel(session, 3, otherKey)).status).toBe(404);
  open.get(3)?.();
  const answer = await call;
  const [row] = await rowsOf(answer.headers["x-request-id"]);
  expect(row).toMatchObject({ outcome: "upstream_error", error_code: "upstream.reset" });
});

test("of a client that leaves the row says so too", async () => {
  const controller = new AbortController();
  const left = fetch(server.url, {
    method: "POST",
    headers: { authorization: `Bearer ${server.key}`, "content-type": "application/json" },
    body: JSON.stringify(toolCall("legacy", 4, "slow")),
    signal: controller.signal,
  });
  await eventually("the server works", () => open.has(4));
  controller.abort();
  await left.catch(() => undefined);
  await eventually("the row is there", async () =>
    (await gatehouse.events()).some((row) => row.type === "exchange" && row.fields["jsonrpc_id"] === "4"),
  );
  const row = (await gatehouse.events()).find((each) => each.type === "exchange" && each.fields["jsonrpc_id"] === "4");
  expect(row).toMatchObject({ outcome: "cancelled", fields: { cancelled_by: "client" } });
});
