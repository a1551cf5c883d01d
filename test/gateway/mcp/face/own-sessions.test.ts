import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../../../kit/eventually.ts";
import type { TestGatehouse } from "../../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../../kit/gatehouse.ts";
import type { MockUpstream } from "../../../kit/mock-upstream.ts";
import { startMockUpstream } from "../../../kit/mock-upstream.ts";
import { rawHttp } from "../../../kit/raw-http.ts";
import { keyFor, publishServer, rpcOf, toolCall } from "../published-server.ts";
import { ok, sentBy, sessions } from "./session-server.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;

const sent = (method: string) => upstream.seen.filter((request) => sentBy(request).method === method);

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

let count = 0;

beforeEach(() => {
  count += 1; // each test has a server for itself
  (upstream.seen as unknown[]).length = 0; // the kit's own list
  upstream.respond(sessions(ok));
});

describe("a session of the gateway's own", () => {
  const initialize = {
    jsonrpc: "2.0",
    id: 0,
    method: "initialize",
    params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "c", version: "1" } },
  };

  test("is nobody else's, ends when its client says so, and is needed", async () => {
    const own = await publishServer(gatehouse, `own-${count}`, `${upstream.url}/mcp`, {
      upstream: { bridge: { mode: "always" }, era: "legacy" },
    });
    const begun = await own.post(initialize);
    const session = String(begun.headers["mcp-session-id"]);
    expect(session).toMatch(/^[\x21-\x7e]{32,}$/);
    const headers = { "mcp-session-id": session };
    const call = toolCall("legacy", 1, "echo");
    expect(rpcOf(await own.post(call, { headers })).result).toBeDefined();
    const other = await keyFor(gatehouse, `own-${count}`);
    expect((await own.post(call, { headers, key: other })).status).toBe(404);
    expect((await own.post(call)).status).toBe(400);
    const auth = { authorization: `Bearer ${own.key}` };
    expect((await rawHttp(own.url, { method: "DELETE", headers: { ...headers, ...auth } })).status).toBe(200);
    await eventually("the server's own session ends too", () =>
      upstream.seen.some(({ method }) => method === "DELETE"),
    );
    expect((await own.post(call, { headers })).status).toBe(404);
  });

  test("outlives a publish that does not change the server", async () => {
    const name = `kept-${count}`;
    const spec = { upstream: { bridge: { mode: "always" }, era: "legacy" } };
    const own = await publishServer(gatehouse, name, `${upstream.url}/mcp`, spec);
    const begun = await own.post(initialize);
    const headers = { "mcp-session-id": String(begun.headers["mcp-session-id"]) };
    await publishServer(gatehouse, `beside-${count}`, `${upstream.url}/mcp`); // everything is compiled anew
    expect(rpcOf(await own.post(toolCall("legacy", 1, "echo"), { headers })).result).toBeDefined();
    expect(sent("initialize")).toHaveLength(1);
  });

  test("holds a batch of the one version that has them", async () => {
    const own = await publishServer(gatehouse, `batch-${count}`, `${upstream.url}/mcp`, {
      upstream: { bridge: { mode: "always" }, era: "legacy" },
    });
    const begun = await own.post(
      { ...initialize, params: { ...initialize.params, protocolVersion: "2025-03-26" } },
      { headers: { "mcp-protocol-version": "2025-03-26" } },
    );
    const headers = { "mcp-session-id": String(begun.headers["mcp-session-id"]), "mcp-protocol-version": "2025-03-26" };
    const answer = await own.post([toolCall("legacy", 1, "echo"), toolCall("legacy", 2, "echo")], { headers });
    expect((answer.json() as { id: number }[]).map(({ id }) => id)).toEqual([1, 2]);
  });
});
