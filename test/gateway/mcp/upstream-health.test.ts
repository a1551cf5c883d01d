import { afterAll, beforeAll, expect, test } from "vitest";
import { upstreamsSchema } from "../../../src/control/status-routes.ts";
import { eventually } from "../../kit/eventually.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { chatAnswer, json, startMockUpstream } from "../../kit/mock-upstream.ts";
import { answering, publishServer, toolCall } from "./published-server.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

async function healthOf(name: string) {
  const { controlUrl, adminToken } = gatehouse.running;
  const answer = await fetch(`${controlUrl}/api/v1/upstreams`, { headers: { authorization: `Bearer ${adminToken}` } });
  return upstreamsSchema.parse(await answer.json()).items.filter(({ apiName }) => apiName === name);
}

test("the control plane tells how an upstream is that has failed, and that it is well again", async () => {
  const server = await publishServer(gatehouse, "ill", `${upstream.url}/mcp`, {
    upstream: { breaker: { failures: 2, openMs: 300 } },
  });
  upstream.respond(json(503, {}));
  for (let at = 0; at < 2; at += 1) await server.post(toolCall("legacy", 1, "echo"));
  await eventually(
    "it is told as failing",
    async () => typeof (await healthOf("ill"))[0]?.lastFailure?.code === "string",
    4_000,
  );
  expect(await healthOf("ill")).toEqual([
    expect.objectContaining({
      apiKind: "McpServer",
      environment: "production",
      lastFailure: { at: expect.any(String) as unknown, code: "status 503" },
      lastSuccessAt: null,
      lastProbe: null,
    }),
  ]);
  upstream.respond(answering("well"));
  await eventually("it is called again", async () => (await server.post(toolCall("legacy", 1, "echo"))).status === 200);
  await eventually("it is told as well", async () => (await healthOf("ill"))[0]?.state === "closed", 4_000);
  expect((await healthOf("ill"))[0]?.lastSuccessAt).not.toBeNull();
});

test("a probe finds out without any client that an upstream fails, and that it is well", async () => {
  upstream.respond(json(503, {}));
  await publishServer(gatehouse, "probed", `${upstream.url}/mcp`, {
    upstream: { breaker: { failures: 1, openMs: 3_600_000 }, health: { probe: "ping", everyMs: 1_000 } },
  });
  await eventually("it is told as failing", async () => (await healthOf("probed"))[0]?.state === "open", 6_000);
  upstream.respond((request, response) => {
    const { id } = JSON.parse(String(request.body)) as { id: number }; // the probe sends messages
    return json(200, { jsonrpc: "2.0", id, result: { supportedVersions: ["2026-07-28"] } })(request, response);
  });
  await eventually("it is told as well", async () => (await healthOf("probed"))[0]?.state === "closed", 6_000);
  expect((await healthOf("probed"))[0]?.lastProbe).toMatchObject({ failure: null });
  await gatehouse.put("McpServer", "probed", {
    context: "/probed",
    upstream: { production: { url: `${upstream.url}/mcp` }, sandbox: { sameAs: "production" } },
  });
  const asked = upstream.seen.length;
  await new Promise((resolve) => setTimeout(resolve, 1_300)); // longer than a probe's span: there is none any more
  expect(upstream.seen.length).toBe(asked);
});

test("publishing more often than is probed puts no probe off", async () => {
  await using far = await startMockUpstream(answering("well"));
  const upstreams = { production: { url: `${far.url}/mcp`, health: { probe: "ping", everyMs: 1_000 } } };
  const publish = (description: string) =>
    gatehouse.put("McpServer", "busy", {
      context: "/busy",
      description,
      upstream: { ...upstreams, sandbox: { sameAs: "production" } },
    });
  for (let at = 0; at < 8; at += 1) {
    await publish(`edition ${at}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  expect(far.seen.length).toBeGreaterThan(0);
});

test("a probe of the server that was replaced ends there and then, though a stream of it goes on", async () => {
  await using old = await startMockUpstream((request, response) => {
    if (request.method !== "GET") return void response.writeHead(503).end();
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(": open\n\n");
  });
  upstream.respond(answering("well"));
  const health = { probe: "ping", everyMs: 1_000 };
  const server = await publishServer(gatehouse, "moved", `${old.url}/mcp`, {
    upstream: { health, breaker: { failures: 50, openMs: 60_000 } },
  });
  const left = new AbortController();
  const headers = { authorization: `Bearer ${server.key}`, accept: "text/event-stream" };
  const stream = await fetch(server.url, { headers, signal: left.signal });
  expect(stream.status).toBe(200);
  await gatehouse.put("McpServer", "moved", {
    context: "/moved",
    upstream: { production: { url: `${upstream.url}/mcp` }, sandbox: { sameAs: "production" } },
  });
  const asked = old.seen.length;
  await new Promise((resolve) => setTimeout(resolve, 1_300)); // longer than a probe's span
  expect(old.seen.length).toBe(asked);
  left.abort();
});

test("targets of LLM APIs are told of too", async () => {
  upstream.respond(chatAnswer("Hello."));
  const api = await gatehouse.llm("chat", `${upstream.url}/v1`);
  await fetch(`${api.url}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${api.key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }] }),
  });
  await eventually(
    "its success is told",
    async () => typeof (await healthOf("chat"))[0]?.lastSuccessAt === "string",
    4_000,
  );
});
