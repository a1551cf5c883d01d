import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { createSseUpstream } from "../../../../src/gateway/mcp/channel/sse-upstream.ts";
import { createMcpInspector } from "../../../../src/gateway/mcp/inspect-server.ts";
import type { UpstreamClient } from "../../../../src/gateway/upstream.ts";
import { createUpstreamClient } from "../../../../src/gateway/upstream.ts";
import { Cancellation } from "../../../../src/kernel/cancellation.ts";
import { systemClock } from "../../../../src/kernel/clock.ts";
import { createGuardedLookup, createNetworkPolicy, developmentReach } from "../../../../src/kernel/network-policy.ts";
import type { McpBackend, McpCall, McpContext } from "../../../../src/mcp/backend.ts";
import { eventually } from "../../../kit/eventually.ts";

interface OldServer extends AsyncDisposable {
  readonly origin: string;
  readonly streams: Set<ServerResponse>;
  readonly posted: { readonly url: string; readonly headers: IncomingMessage["headers"] }[];
  say(message: object): void;
}

interface Ways {
  readonly endpoint?: (origin: string) => string;
  readonly onStream?: (response: ServerResponse) => void;
  readonly answer?: (message: { id?: number; method?: string }, server: OldServer) => object | undefined;
  readonly postStatus?: number;
}

const open: (AsyncDisposable | McpBackend)[] = [];

afterEach(async () => {
  for (const each of open.splice(0).toReversed()) {
    if ("dispose" in each) await each.dispose();
    else await each[Symbol.asyncDispose]();
  }
});

/** A server of HTTP+SSE: a stream at `/sse`, whose first event says where messages go. */
async function startOld(ways: Ways = {}): Promise<OldServer> {
  const streams = new Set<ServerResponse>();
  const http = createServer((request, response) => {
    if (request.method === "POST" && request.url === "/sse") return void response.writeHead(405).end();
    if (request.method === "GET") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      if (ways.onStream !== undefined) return ways.onStream(response);
      streams.add(response);
      response.on("close", () => streams.delete(response));
      const place = ways.endpoint?.(server.origin) ?? `/messages?session=${streams.size}`;
      return void response.write(`event: endpoint\ndata: ${place}\n\n`);
    }
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      server.posted.push({ url: request.url ?? "", headers: request.headers });
      response.writeHead(ways.postStatus ?? 202).end();
      const message = JSON.parse(Buffer.concat(chunks).toString()) as { id?: number; method?: string }; // ours
      const said = ways.answer?.(message, server) ?? usual(message);
      if (said !== undefined) server.say(said);
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const server: OldServer = {
    origin: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, // a TCP server that listens has one
    streams,
    posted: [],
    say(message) {
      for (const stream of streams) stream.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
    },
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  open.push(server);
  return server;
}

function usual({ id, method }: { id?: number; method?: string }): object | undefined {
  const begun = {
    protocolVersion: "2024-11-05",
    capabilities: { tools: {} },
    serverInfo: { name: "old", version: "1" },
  };
  if (method === "initialize") return { jsonrpc: "2.0", id, result: begun };
  return method === "tools/list" ? { jsonrpc: "2.0", id, result: { tools: [{ name: "a" }] } } : undefined;
}

function client(): UpstreamClient {
  const network = createNetworkPolicy({ allowCidrs: [], operatorReach: developmentReach });
  const upstream = createUpstreamClient({
    lookup: createGuardedLookup(network, "operator"),
    assertHost: (host) => network.assertHost(host, "operator"),
    clock: systemClock,
  });
  open.push(upstream);
  return upstream;
}

function backendAt({ origin }: OldServer, more: { maxBytes?: number; firstByteMs?: number } = {}): McpBackend {
  const { maxBytes = 1_000_000, firstByteMs = 5_000 } = more;
  const upstream = client();
  const credential = { show: () => ({ headers: { authorization: "Bearer of-the-gateway" } }) };
  const backend = createSseUpstream({
    endpoint: { origin, path: "/sse", credential },
    upstream,
    clock: systemClock,
    timeouts: { connectMs: 1_000, firstByteMs, idleMs: 5_000 },
    maxBytes,
  });
  open.push(backend);
  return backend;
}

function context(more: Partial<McpContext> = {}): McpContext {
  return {
    exchange: undefined,
    owner: "ada",
    session: undefined,
    client: { era: "legacy", protocolVersion: "2025-11-25", info: undefined, capabilities: {}, logLevel: undefined },
    cancellation: new Cancellation(),
    headers: {},
    progressToken: undefined,
    notify: () => undefined,
    ask: async () => ({ result: {} }),
    ...more,
  };
}

const list: McpCall = { method: "tools/list", params: {} };

test("messages go where the stream says, with the gateway's credential, and answers come on the stream", async () => {
  const server = await startOld();
  const backend = backendAt(server);
  expect((await backend.facts(context())).versions).toEqual(["2024-11-05"]);
  expect(await backend.request(list, context())).toEqual({ result: { tools: [{ name: "a" }] } });
  expect(new Set(server.posted.map(({ url }) => url))).toEqual(new Set(["/messages?session=1"]));
  expect(new Set(server.posted.map(({ headers }) => headers.authorization))).toEqual(
    new Set(["Bearer of-the-gateway"]),
  );
  expect(server.streams.size).toBe(1);
});

test.each([
  { name: "another host", place: () => "http://169.254.169.254/latest" },
  { name: "another port", place: () => "http://127.0.0.1:1/messages" },
  { name: "another scheme", place: (origin: string) => origin.replace("http:", "https:") },
  { name: "somebody's name", place: (origin: string) => origin.replace("//", "//user:pass@") },
  { name: "no scheme, another host", place: () => "//evil.example/messages" },
  { name: "a script", place: () => "javascript:alert(1)" },
])("an endpoint at $name is refused, and nothing is sent there", async ({ place }) => {
  const server = await startOld({ endpoint: place });
  await expect(backendAt(server).request(list, context())).rejects.toMatchObject({ code: "upstream.invalid" });
  expect(server.posted).toEqual([]);
  await eventually("the stream is let go", () => server.streams.size === 0);
});

test("a stream that names no endpoint first, or none in time, is refused", async () => {
  const other = await startOld({ onStream: (response) => void response.write("data: {}\n\n") });
  await expect(backendAt(other).facts(context())).rejects.toMatchObject({ code: "upstream.invalid" });
  const silent = await startOld({ onStream: (response) => void response.write(": hello\n\n") });
  const backend = backendAt(silent, { firstByteMs: 50 });
  await expect(backend.facts(context())).rejects.toMatchObject({ code: "upstream.timeout" });
});

test("a stream that breaks fails the calls on it, and the next call opens another", async () => {
  const server = await startOld({
    answer: ({ method }, { streams }) => {
      if (method !== "tools/call") return undefined;
      for (const stream of streams) stream.destroy();
      return {};
    },
  });
  const backend = backendAt(server);
  await backend.facts(context());
  const call = backend.request({ method: "tools/call", params: { name: "a" } }, context());
  await expect(call).rejects.toMatchObject({ code: "upstream.reset" });
  expect(await backend.request(list, context())).toEqual({ result: { tools: [{ name: "a" }] } });
  expect(server.posted.filter(({ url }) => url.startsWith("/messages")).length).toBeGreaterThan(3);
});

test("an event that is too large, and a refused message, are told", async () => {
  const huge = await startOld({
    answer: ({ id, method }) =>
      method === "tools/list" ? { jsonrpc: "2.0", id, result: { tools: ["x".repeat(5_000)] } } : undefined,
  });
  const small = backendAt(huge, { maxBytes: 2_000 });
  await expect(small.request(list, context())).rejects.toMatchObject({ code: "upstream.too_large" });
  const refusing = await startOld({ postStatus: 401 });
  await expect(backendAt(refusing).facts(context())).rejects.toMatchObject({ code: "upstream.credentials" });
});

test("two callers have streams of their own", async () => {
  const server = await startOld();
  const backend = backendAt(server);
  await backend.facts(context());
  await backend.facts(context({ owner: "bob" }));
  expect(server.streams.size).toBe(2);
});

test("a look at a server finds out by itself that it is of that kind", async () => {
  const server = await startOld();
  const inspect = createMcpInspector({ upstream: client(), clock: systemClock });
  const found = await inspect({ url: `${server.origin}/sse`, era: "auto" });
  expect(found).toMatchObject({ transport: "http+sse", era: "legacy", tools: [{ name: "a" }] });
  await eventually("the stream is let go", () => server.streams.size === 0);
  const neither = await startOld({ onStream: (response) => void response.end() });
  await expect(inspect({ url: `${neither.origin}/sse`, era: "auto" })).rejects.toMatchObject({
    code: "upstream.invalid",
    message: expect.stringContaining("405") as unknown,
  });
});
