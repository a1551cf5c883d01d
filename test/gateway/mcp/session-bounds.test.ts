import { createSecretKey, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createServedSessions } from "../../../src/gateway/mcp/face/served-sessions.ts";
import { openSession, sessionOwner } from "../../../src/gateway/mcp/open-session.ts";
import { createSessionTokens } from "../../../src/mcp/session-token.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { startMockUpstream } from "../../kit/mock-upstream.ts";
import { rawHttp } from "../../kit/raw-http.ts";
import { mcpExchange } from "./mcp-exchange.ts";
import type { PublishedServer } from "./published-server.ts";
import { answering, publishServer, toolCall } from "./published-server.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;

beforeAll(async () => {
  // It forgets no session: what ends here ends by the gateway's doing.
  let begun = 0;
  upstream = await startMockUpstream((seen, response) => {
    if (!seen.body.includes('"initialize"')) {
      if (seen.method === "DELETE") return void response.writeHead(200).end();
      return answering("fine")(seen, response);
    }
    begun += 1;
    const result = {
      protocolVersion: "2025-11-25",
      capabilities: { tools: {} },
      serverInfo: { name: "s", version: "1" },
    };
    response.writeHead(200, { "content-type": "application/json", "mcp-session-id": `upstream-${begun}` });
    return void response.end(
      JSON.stringify({ jsonrpc: "2.0", id: (JSON.parse(String(seen.body)) as { id: number }).id, result }),
    ); // a message of the gateway's
  });
  gatehouse = await startTestGatehouse();
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

describe.each(["relayed", "bridged"])("sessions of a server that is %s", (way) => {
  let server: PublishedServer;

  beforeAll(async () => {
    const bridge = { mode: way === "bridged" ? "always" : "auto" };
    server = await publishServer(gatehouse, `sessions-${way}`, `${upstream.url}/mcp`, {
      limits: { sessionsPerCaller: 2 },
      upstream: { era: "legacy", bridge },
    });
  });

  const begin = async (): Promise<Record<string, string>> => {
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "c", version: "1" } };
    const begun = await server.post({ jsonrpc: "2.0", id: 0, method: "initialize", params });
    return { "mcp-session-id": String(begun.headers["mcp-session-id"]) };
  };
  const use = async (headers: Record<string, string>): Promise<number> =>
    (await server.post(toolCall("legacy", 1, "echo"), { headers })).status;

  test("are as many as sessionsPerCaller says: one more ends the one that was not used for longest", async () => {
    const [first, second, third] = [await begin(), await begin(), await begin()];
    expect([await use(first), await use(second), await use(first)]).toEqual([200, 200, 200]);
    expect(await use(third)).toBe(200);
    expect([await use(first), await use(second), await use(third)]).toEqual([200, 404, 200]);
  });

  test("open no more once they were deleted, also where the server itself forgets nothing", async () => {
    const headers = await begin();
    expect(await use(headers)).toBe(200);
    const auth = { authorization: `Bearer ${server.key}` };
    expect((await rawHttp(server.url, { method: "DELETE", headers: { ...headers, ...auth } })).status).toBe(200);
    expect(await use(headers)).toBe(404);
  });
});

test("a session is open for as long as sessionMs, at any gateway, and not a millisecond longer", () => {
  const exchange = mcpExchange({ sessionMs: 5_000 });
  const key = createSecretKey(randomBytes(32));
  const door = (): Parameters<typeof openSession>[1] => ({
    tokens: createSessionTokens(key),
    served: createServedSessions(),
  });
  const openAt = (ageMs: number) => {
    const unknown = {
      clientName: undefined,
      clientVersion: undefined,
      serverName: undefined,
      serverVersion: undefined,
    };
    const session = {
      id: "s",
      mark: "m",
      beganAtMs: exchange.startedAtMs - ageMs,
      protocolVersion: undefined,
      ...unknown,
    };
    exchange.inbound.headers["mcp-session-id"] = door().tokens.issue(session, sessionOwner(exchange));
    return openSession(exchange, door());
  };
  expect(openAt(5_000)).toMatchObject({ id: "s" });
  expect(openAt(5_001)).toMatchObject({ type: "deny", code: "mcp.session_not_found" });
});
