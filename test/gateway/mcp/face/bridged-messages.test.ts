import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../../../kit/eventually.ts";
import type { TestGatehouse } from "../../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../../kit/gatehouse.ts";
import type { MockUpstream } from "../../../kit/mock-upstream.ts";
import { startMockUpstream } from "../../../kit/mock-upstream.ts";
import type { RawAnswer } from "../../../kit/raw-http.ts";
import type { PublishedServer } from "../published-server.ts";
import { keyFor, publishServer, rpcOf, sse, sseMessages, toolCall } from "../published-server.ts";
import { ok, sentBy, sessions } from "./session-server.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let server: PublishedServer;

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

beforeEach(async () => {
  count += 1; // each test has a server, and what is known of it, for itself
  server = await publishServer(gatehouse, `bridged-${count}`, `${upstream.url}/mcp`);
  (upstream.seen as unknown[]).length = 0; // the kit's own list
  upstream.respond(sessions(ok));
});

const meta = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": { elicitation: {} },
  "io.modelcontextprotocol/clientInfo": { name: "canary-client", version: "2" },
};

function modernCall(more: object = {}, headers: Record<string, string> = {}): Promise<RawAnswer> {
  const params = { name: "echo", arguments: { a: 1 }, _meta: { ...meta, ...more } };
  return server.post({ jsonrpc: "2.0", id: "own-id", method: "tools/call", params }, { era: "modern", headers });
}

describe("a call of 2026-07-28 at a server of sessions", () => {
  test("runs once: the refusal of its era came before, and nothing that ran is repeated", async () => {
    const answer = await modernCall();
    expect(rpcOf(answer)).toMatchObject({ id: "own-id", result: { resultType: "complete" } });
    const inSession = sent("tools/call").filter(({ headers }) => headers["mcp-session-id"] !== undefined);
    expect(inSession).toHaveLength(1);
    await modernCall();
    expect(sent("server/discover")).toHaveLength(1); // the verdict is kept
    expect(sent("initialize")).toHaveLength(1); // and so is the session
  });

  test("takes the client's name and capabilities up, and none of the reserved keys either way", async () => {
    const answer = await modernCall({ traceparent: "00-1-2-01", mine: true, progressToken: "tok" });
    const handshake = sentBy(sent("initialize")[0] ?? { body: Buffer.alloc(0) }).params;
    expect(handshake).toMatchObject({ clientInfo: { name: "canary-client" }, capabilities: { elicitation: {} } });
    const last = sent("tools/call").at(-1);
    expect(sentBy(last ?? { body: Buffer.alloc(0) }).params?._meta).toEqual({
      traceparent: "00-1-2-01",
      mine: true,
      progressToken: expect.any(Number) as unknown,
    });
    expect(
      Object.keys(last?.headers ?? {})
        .filter((name) => name.startsWith("mcp-"))
        .toSorted(),
    ).toEqual(["mcp-protocol-version", "mcp-session-id"]);
    expect(rpcOf(answer).result?.["_meta"]).toEqual({
      kept: 1,
      "io.modelcontextprotocol/serverInfo": { name: "old", version: "1" },
    });
  });

  test("never takes the client's own credentials up", async () => {
    await modernCall({}, { cookie: "canary=1", "x-api-key": "canary", "mcp-session-id": "canary" });
    for (const { headers, body } of upstream.seen) {
      expect(JSON.stringify(headers)).not.toMatch(/canary=|"canary"/);
      expect(JSON.stringify(headers) + body.toString()).not.toContain(server.key);
    }
  });

  test("begins a new session where the server has forgotten the old one, once", async () => {
    await modernCall();
    let gone = true;
    upstream.respond(
      sessions((request, response) => {
        if (gone) response.writeHead(404).end();
        else void ok(request, response);
        gone = false;
      }),
    );
    expect(rpcOf(await modernCall()).result).toBeDefined();
    expect(sent("initialize")).toHaveLength(2);
    upstream.respond(sessions((_request, response) => void response.writeHead(404).end()));
    const answer = await modernCall();
    expect([answer.status, rpcOf(answer).error?.data?.["code"]]).toEqual([502, "upstream.invalid"]);
  });

  test("ends with an error when the server dies in the middle, and is not repeated", async () => {
    await modernCall();
    const before = sent("tools/call").length;
    upstream.respond(
      sessions((_request, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(sse({ jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: 1 } }));
        setImmediate(() => response.destroy());
      }),
    );
    const answer = await modernCall();
    expect([answer.status, rpcOf(answer).error?.data?.["code"]]).toEqual([502, "upstream.reset"]);
    expect(sent("tools/call")).toHaveLength(before + 1);
  });

  test("is asked no more at once than anybody can keep", async () => {
    upstream.respond(
      sessions((_request, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        for (let id = 1; id <= 40; id += 1) {
          response.write(sse({ jsonrpc: "2.0", id, method: "elicitation/create", params: { message: "?" } }));
        }
      }),
    );
    const parking = await publishServer(gatehouse, `asked-${count}`, `${upstream.url}/mcp`, {
      upstream: { era: "legacy", bridge: { park: true } },
    });
    const params = { name: "echo", arguments: {}, _meta: meta };
    const answer = await parking.post({ jsonrpc: "2.0", id: 1, method: "tools/call", params }, { era: "modern" });
    expect(rpcOf(answer).result?.["resultType"]).toBe("input_required");
    const refused = () => upstream.seen.filter(({ body }) => body.toString().includes("questions wait"));
    await eventually("what was too much is refused", () => refused().length === 8);
  });

  test("gets no answer but its own", async () => {
    upstream.respond(
      sessions((request, response) => {
        const { id = 0 } = sentBy(request);
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(sse({ jsonrpc: "2.0", id: id + 1, result: { content: [{ type: "text", text: "another's" }] } }));
        response.end(sse({ jsonrpc: "2.0", id, result: { content: [{ type: "text", text: "mine" }] } }));
      }),
    );
    expect(JSON.stringify(rpcOf(await modernCall()).result)).toContain("mine");
  });

  test("tells the server that it was given up", async () => {
    await modernCall();
    const work = Promise.withResolvers<void>();
    upstream.respond(sessions(() => work.resolve()));
    const aborter = new AbortController();
    const headers = { "content-type": "application/json", authorization: `Bearer ${server.key}` };
    const { body } = upstream.seen.findLast((request) => sentBy(request).method === "tools/call") ?? {};
    expect(body).toBeDefined();
    const params = { name: "echo", arguments: {}, _meta: meta };
    const call = fetch(server.url, {
      method: "POST",
      signal: aborter.signal,
      headers: {
        ...headers,
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": "echo",
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }),
    });
    await work.promise;
    aborter.abort();
    await expect(call).rejects.toThrow();
    await eventually("the server was told", () => sent("notifications/cancelled").length === 1);
    const running = sentBy(sent("tools/call").at(-1) ?? { body: Buffer.alloc(0) });
    expect(sentBy(sent("notifications/cancelled")[0] ?? { body: Buffer.alloc(0) }).params?.["requestId"]).toBe(
      running.id,
    );
  });
});

describe("what proves no era", () => {
  test.each([401, 403, 429, 503])("a refusal with %i is not remembered", async (status) => {
    upstream.respond((_request, response) => void response.writeHead(status).end());
    await modernCall();
    upstream.respond(sessions(ok));
    expect(rpcOf(await modernCall()).result).toBeDefined();
  });

  test("a clean answer to server/discover that names other versions is a server of sessions", async () => {
    upstream.respond((request, response) => {
      const { id, method } = sentBy(request);
      if (method !== "server/discover") return sessions(ok)(request, response);
      response.writeHead(200, { "content-type": "application/json" });
      response.end(
        JSON.stringify({ jsonrpc: "2.0", id, result: { supportedVersions: ["2099-01-01"], capabilities: {} } }),
      );
      return undefined;
    });
    const set = await publishServer(gatehouse, `set-${count}`, `${upstream.url}/mcp`, {
      upstream: { bridge: { mode: "always" } },
    });
    const answer = await set.post(toolCall("modern", 1, "echo"), { era: "modern" });
    expect(JSON.stringify(rpcOf(answer).result)).toContain("fine");
  });
});

test("policies judge what a bridge carries, on the way up and down", async () => {
  const guarded = await publishServer(gatehouse, `guarded-${count}`, `${upstream.url}/mcp`, {
    upstream: { bridge: { mode: "always" }, era: "legacy" },
    policies: [
      {
        use: "regex",
        with: {
          patterns: [
            { pattern: "forbidden", action: "deny" },
            { pattern: "fine", action: "redact", replacement: "[text]" },
          ],
        },
      },
    ],
  });
  const refused = await guarded.post(toolCall("modern", 1, "echo", { text: "forbidden" }), { era: "modern" });
  expect(refused.status).toBe(422);
  const answer = await guarded.post(toolCall("modern", 1, "echo"), { era: "modern" });
  expect(JSON.stringify(rpcOf(answer).result)).toContain("[text]");
});

test("a list over a bridge shows what its caller may call", async () => {
  upstream.respond(
    sessions((request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const tools = [{ name: "read_a" }, { name: "write_a" }];
      response.end(sse({ jsonrpc: "2.0", id: sentBy(request).id, result: { tools } }));
    }),
  );
  const name = `bridged-${count}`;
  const some = await keyFor(gatehouse, name, { allow: ["read_*"] });
  const list = { jsonrpc: "2.0", id: 1, method: "tools/list", params: { _meta: meta } };
  const answer = await server.post(list, { era: "modern", key: some });
  expect(rpcOf(answer).result).toMatchObject({ tools: [{ name: "read_a" }], ttlMs: 0, cacheScope: "private" });
  expect(sseMessages(answer.text)).toEqual([]); // nothing came before the reply, so it is a whole answer
});
