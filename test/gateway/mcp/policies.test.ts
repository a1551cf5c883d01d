import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { events, json, startMockUpstream } from "../../kit/mock-upstream.ts";
import type { Era, PublishedServer } from "./published-server.ts";
import {
  answering,
  keyFor,
  messageOf,
  publishServer,
  rpcOf,
  sse,
  sseMessages,
  textResult,
  toolCall,
} from "./published-server.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let server: PublishedServer;

const patterns = [
  { pattern: "forbidden", action: "deny" },
  { pattern: "[0-9]{3}-[0-9]{4}", action: "redact", replacement: "[number]" },
];

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  server = await publishServer(gatehouse, "guarded", `${upstream.url}/mcp`, {
    policies: [{ use: "regex", with: { patterns } }],
  });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

beforeEach(() => upstream.respond(answering("fine")));

const argumentsSent = () => messageOf(upstream.seen.at(-1)).params["arguments"];

describe("a guardrail over what goes up", () => {
  test("refuses a call whose argument it forbids, with the call's id, and the upstream hears nothing", async () => {
    const before = upstream.seen.length;
    for (const era of ["legacy", "modern"] as const) {
      const answer = await server.post(toolCall(era, 5, "echo", { deep: [{ role: "a forbidden text" }] }), { era });
      expect([answer.status, rpcOf(answer).id, rpcOf(answer).error?.code]).toEqual([422, 5, 1_422]);
      expect(answer.text).not.toContain("a forbidden text");
    }
    expect(upstream.seen.length).toBe(before);
  });

  test("rewrites arguments whatever they are called, and leaves the protocol's own members alone", async () => {
    const args = {
      type: "call 555-1234",
      role: "555-1234",
      nested: { cursor: "555-1234", data: ["555-1234"] },
      n: 5551234,
    };
    await server.post(toolCall("legacy", 1, "echo", args));
    expect(argumentsSent()).toEqual({
      type: "call [number]",
      role: "[number]",
      nested: { cursor: "[number]", data: ["[number]"] },
      n: 5551234,
    });
  });

  test("rewrites the headers that repeat a rewritten argument, so that nothing goes up beside the body", async () => {
    const headers = {
      "mcp-param-phone": "555-1234",
      "mcp-param-other": "kept",
      "mcp-param-far": `=?base64?${Buffer.from("Łódź 555-1234").toString("base64")}?=`,
    };
    const args = { phone: "555-1234", other: "kept", far: "Łódź 555-1234" };
    await server.post(toolCall("modern", 1, "echo", args), { era: "modern", headers });
    const sent = upstream.seen.at(-1)?.headers ?? {};
    expect(sent["mcp-param-phone"]).toBe("[number]");
    expect(sent["mcp-param-other"]).toBe("kept");
    expect(sent["mcp-param-far"]).toBe(`=?base64?${Buffer.from("Łódź [number]").toString("base64")}?=`);
    expect(argumentsSent()).toEqual({ phone: "[number]", other: "kept", far: "Łódź [number]" });
  });

  test("sees the client's answer to what a server has asked", async () => {
    upstream.respond(json(202, {}));
    const result = { action: "accept", content: { type: "forbidden" } };
    expect((await server.post({ jsonrpc: "2.0", id: 3, result })).status).toBe(422);
    await server.post({ jsonrpc: "2.0", id: 3, result: { action: "accept", content: { role: "555-1234" } } });
    expect(JSON.parse(String(upstream.seen.at(-1)?.body))).toMatchObject({ result: { content: { role: "[number]" } } });
  });
});

describe("a guardrail over what comes down", () => {
  test("rewrites a whole result, and leaves every other byte as it was", async () => {
    const body =
      '{"jsonrpc":"2.0","id":1,  "result":{"content":[{"type":"text","text":"555-1234"}],"structuredContent":{"role":"555-1234","big":12345678901234567890}}}';
    upstream.respond(
      (_request, response) => void response.writeHead(200, { "content-type": "application/json" }).end(body),
    );
    expect((await server.post(toolCall("legacy", 1, "echo"))).text).toBe(body.replaceAll("555-1234", "[number]"));
  });

  test("refuses a whole result", async () => {
    upstream.respond(answering("forbidden"));
    const answer = await server.post(toolCall("legacy", 1, "echo"));
    expect([answer.status, rpcOf(answer).id, rpcOf(answer).error?.code]).toEqual([422, 1, 1_422]);
    expect(answer.text).not.toContain('"text":"forbidden"');
  });

  const log = (data: string) => ({ jsonrpc: "2.0", method: "notifications/message", params: { level: "info", data } });

  test("rewrites each event of a stream, whose names, ids and lines stay", async () => {
    const result = JSON.stringify(textResult(1, "555-1234"), undefined, 1).replaceAll("\n", "\ndata: ");
    upstream.respond(events([sse(log("555-1234"), "7"), `id: 8\nevent: message\ndata: ${result}\n\n`]));
    const { text } = await server.post(toolCall("legacy", 1, "echo"));
    expect(text).not.toContain("555-1234");
    expect(text.startsWith(sse(log("[number]"), "7"))).toBe(true);
    expect(text).toContain("id: 8\n");
    const data = text.split("\n\n")[1]?.match(/^data: .*$/gm) ?? [];
    expect(JSON.parse(data.map((line) => line.slice(6)).join("\n"))).toEqual(textResult(1, "[number]"));
  });

  test.each([{ era: "legacy" }, { era: "modern" }] as const)(
    "ends a stream ($era) at the event that it refuses, with an error to the call",
    async ({ era }) => {
      upstream.respond(events([sse(log("fine"), "1"), sse(log("forbidden"), "2"), sse(textResult(1, "late"), "3")]));
      const answer = await server.post(toolCall(era, 1, "echo"), { era });
      expect(sseMessages(answer.text)).toEqual([
        log("fine"),
        expect.objectContaining({ id: 1, error: expect.objectContaining({ code: 1_422 }) as unknown }),
      ]);
    },
  );

  test("sees what a server asks of the client", async () => {
    const ask = {
      jsonrpc: "2.0",
      id: 0,
      method: "elicitation/create",
      params: { message: "the forbidden word", requestedSchema: {} },
    };
    upstream.respond(events([sse(ask), sse(textResult(1, "late"))]));
    expect((await server.post(toolCall("legacy", 1, "echo"))).text).not.toContain("forbidden word");
  });
});

describe("policies on some operations only", () => {
  test("a limit on tool calls counts those, says when to come back, and leaves the rest alone", async () => {
    const policies = [{ use: "rate-limit", on: ["tools/call"], with: { requests: 2, windowMs: 60_000, per: "key" } }];
    const limited = await publishServer(gatehouse, "limited", `${upstream.url}/mcp`, { policies });
    const call = () => limited.post(toolCall("legacy", 9, "echo"));
    expect([(await call()).status, (await call()).status]).toEqual([200, 200]);
    const refused = await call();
    expect([refused.status, rpcOf(refused).id, rpcOf(refused).error?.code]).toEqual([429, 9, 1_429]);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    expect(rpcOf(refused).error?.data).toMatchObject({ code: "limit.exceeded" });
    const list = { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} };
    expect((await limited.post(list)).status).toBe(200);
  });

  test("a guardrail on one tool leaves the others alone", async () => {
    const policies = [{ use: "regex", on: ["danger*"], with: { patterns } }];
    const some = await publishServer(gatehouse, "some", `${upstream.url}/mcp`, { policies });
    expect((await some.post(toolCall("legacy", 1, "dangerous", { a: "forbidden" }))).status).toBe(422);
    expect((await some.post(toolCall("legacy", 1, "harmless", { a: "forbidden" }))).status).toBe(200);
  });
});

describe("a key that may call some tools", () => {
  const tools = [{ name: "read_a", inputSchema: { n: 1 } }, { name: "write_a" }, { name: "read_b" }];
  const list = { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} };
  let key = "";

  beforeAll(async () => {
    key = await keyFor(gatehouse, "guarded", { allow: ["read_*"] });
  });

  test.each([{ era: "legacy" }, { era: "modern" }] as const)(
    "is told of another one what a server says of one that it does not have ($era)",
    async ({ era }: { era: Era }) => {
      const before = upstream.seen.length;
      const answer = await server.post(toolCall(era, 1, "write_a"), { era, key });
      expect(answer.status).toBe(200);
      expect(answer.json()).toEqual({
        jsonrpc: "2.0",
        id: 1,
        error: { code: -32_602, message: "Tool write_a not found" },
      });
      expect(upstream.seen.length).toBe(before);
      expect((await server.post(toolCall(era, 1, "read_a"), { era, key })).status).toBe(200);
    },
  );

  test("sees only those in lists, which are then its own", async () => {
    const result = { tools, ttlMs: 1_000, cacheScope: "public" };
    const own = { tools: [tools[0], tools[2]], ttlMs: 1_000, cacheScope: "private" };
    upstream.respond(json(200, { jsonrpc: "2.0", id: 1, result }));
    expect(rpcOf(await server.post(list, { key })).result).toEqual(own);
    expect(rpcOf(await server.post(list)).result).toEqual(result);
    upstream.respond(events([sse({ jsonrpc: "2.0", id: 1, result }, "4")]));
    const streamed = await server.post(list, { key });
    expect(sseMessages(streamed.text)).toEqual([{ jsonrpc: "2.0", id: 1, result: own }]);
    expect(streamed.text).toContain("id: 4\n");
  });

  test("reads no resource and gets no prompt that is not among them", async () => {
    const before = upstream.seen.length;
    for (const [method, params] of [
      ["resources/read", { uri: "file:///a" }],
      ["resources/subscribe", { uri: "file:///a" }],
      ["prompts/get", { name: "p" }],
    ] as const) {
      expect(rpcOf(await server.post({ jsonrpc: "2.0", id: 1, method, params }, { key })).error?.code).toBe(-32_602);
    }
    expect(upstream.seen.length).toBe(before);
  });
});
