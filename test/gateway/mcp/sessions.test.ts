import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { startMockUpstream } from "../../kit/mock-upstream.ts";
import type { RawAnswer } from "../../kit/raw-http.ts";
import { rawHttp } from "../../kit/raw-http.ts";
import type { PublishedServer } from "./published-server.ts";
import { keyFor, messageOf, publishServer, rpcOf, sse, textResult, toolCall } from "./published-server.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let server: PublishedServer;
const upstreamSession = "upstream-session-canary";
let alive = true;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  server = await publishServer(gatehouse, "tools", `${upstream.url}/mcp`);
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

// A server of the sessions' era, as far as sessions go.
beforeEach(() => {
  alive = true;
  upstream.respond((request, response) => {
    const isStart = request.method === "POST" && request.body.includes("initialize");
    if (!isStart && (!alive || request.headers["mcp-session-id"] !== upstreamSession)) {
      response.writeHead(404, { "content-type": "text/plain" }).end("Session not found");
    } else if (request.method === "DELETE") {
      alive = false;
      response.writeHead(200).end();
    } else if (request.method === "GET") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(
        sse(
          {
            jsonrpc: "2.0",
            method: "notifications/message",
            params: { after: request.headers["last-event-id"] ?? "" },
          },
          "9",
        ),
      );
    } else {
      response.writeHead(200, { "content-type": "application/json", "mcp-session-id": upstreamSession });
      response.end(JSON.stringify(textResult(messageOf(request).id, "ok")));
    }
  });
});

const initialize = {
  jsonrpc: "2.0",
  id: 0,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } },
};

async function start(): Promise<string> {
  const answer = await server.post(initialize);
  return String(answer.headers["mcp-session-id"]);
}

function traffic(
  method: string,
  session: string,
  more: Record<string, string> = {},
  key = server.key,
): Promise<RawAnswer> {
  const headers = {
    authorization: `Bearer ${key}`,
    "mcp-session-id": session,
    "mcp-protocol-version": "2025-11-25",
    ...more,
  };
  return rawHttp(server.url, { method, headers });
}

describe("a session", () => {
  test("goes by a name of the gateway's own: visible ASCII, another each time, and nothing of the upstream's in it", async () => {
    const [one, two] = [await start(), await start()];
    expect(one).toMatch(/^[\x21-\x7e]{40,}$/);
    expect(one).not.toBe(two);
    expect(Buffer.from(one.slice(4), "base64url").toString("latin1")).not.toContain("canary");
  });

  test("carries its calls to the upstream under the upstream's own id", async () => {
    const session = await start();
    const answer = await server.post(toolCall("legacy", 1, "echo"), { headers: { "mcp-session-id": session } });
    expect(rpcOf(answer).result).toBeDefined();
    expect(upstream.seen.at(-1)?.headers["mcp-session-id"]).toBe(upstreamSession);
    expect(JSON.stringify(answer.headers)).not.toContain("canary");
  });

  test("of another key is not found, for any method, and the upstream hears nothing", async () => {
    const session = await start();
    const thief = await keyFor(gatehouse, "tools");
    const before = upstream.seen.length;
    const call = await server.post(toolCall("legacy", 1, "echo"), {
      key: thief,
      headers: { "mcp-session-id": session },
    });
    const answers = [call, await traffic("GET", session, {}, thief), await traffic("DELETE", session, {}, thief)];
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
    expect(upstream.seen.length).toBe(before);
    expect((await server.post(toolCall("legacy", 1, "echo"), { headers: { "mcp-session-id": session } })).status).toBe(
      200,
    );
  });

  test("of another API is not found", async () => {
    const other = await publishServer(gatehouse, "other", `${upstream.url}/mcp`);
    const session = await start();
    expect((await other.post(toolCall("legacy", 1, "echo"), { headers: { "mcp-session-id": session } })).status).toBe(
      404,
    );
  });

  test("that was ended is gone, and a replay of it too", async () => {
    const session = await start();
    expect((await traffic("DELETE", session)).status).toBe(200);
    const replay = await server.post(toolCall("legacy", 1, "echo"), { headers: { "mcp-session-id": session } });
    expect([replay.status, rpcOf(replay).id, rpcOf(replay).error?.code]).toEqual([404, 1, 1_404]);
    expect((await traffic("GET", session)).status).toBe(404);
  });

  test("opens its stream by GET, and resumes it after the last event", async () => {
    const session = await start();
    const answer = await traffic("GET", session, { accept: "text/event-stream", "last-event-id": "8" });
    expect([answer.status, answer.headers["content-type"]]).toEqual([200, "text/event-stream"]);
    expect(answer.text).toBe(sse({ jsonrpc: "2.0", method: "notifications/message", params: { after: "8" } }, "9"));
  });

  test("is no credential", async () => {
    const session = await start();
    const headers = { "mcp-session-id": session, "content-type": "application/json" };
    expect((await rawHttp(server.url, { headers, body: JSON.stringify(toolCall("legacy", 1, "echo")) })).status).toBe(
      401,
    );
  });

  test("outlives a new revision of its API", async () => {
    const session = await start();
    await gatehouse.put("McpServer", "tools", {
      context: "/tools",
      version: "2",
      upstream: { production: { url: `${upstream.url}/mcp` }, sandbox: { sameAs: "production" } },
    });
    expect((await server.post(toolCall("legacy", 1, "echo"), { headers: { "mcp-session-id": session } })).status).toBe(
      200,
    );
  });
});

test("the stateless era has no sessions: what a client sends is ignored, and what the upstream sends is not shown", async () => {
  upstream.respond((request, response) => {
    response.writeHead(200, { "content-type": "application/json", "mcp-session-id": upstreamSession });
    response.end(JSON.stringify(textResult(messageOf(request).id, "ok")));
  });
  const headers = { "mcp-session-id": "whatever", "last-event-id": "3" };
  const answer = await server.post(toolCall("modern", 1, "echo"), { era: "modern", headers });
  expect(answer.status).toBe(200);
  expect(answer.headers["mcp-session-id"]).toBeUndefined();
  const seen = upstream.seen.at(-1)?.headers ?? {};
  expect([seen["mcp-session-id"], seen["last-event-id"]]).toEqual([undefined, undefined]);
});
