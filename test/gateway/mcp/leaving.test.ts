import type { ClientRequest } from "node:http";
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../kit/eventually.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream, Respond } from "../../kit/mock-upstream.ts";
import { startMockUpstream } from "../../kit/mock-upstream.ts";
import type { Era, PublishedServer } from "./published-server.ts";
import { publishServer, sse, toolCall } from "./published-server.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let server: PublishedServer;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  server = await publishServer(gatehouse, "tools", `${upstream.url}/mcp`, { upstream: { timeouts: { idleMs: 150 } } });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const event = sse({ jsonrpc: "2.0", method: "notifications/message", params: { level: "info", data: "x" } });

const streaming: Respond = (_request, response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(event);
};

function open(method: "POST" | "GET", message?: object, era: Era = "legacy"): ClientRequest {
  const { method: rpcMethod } = (message ?? {}) as { method?: string }; // tests write whole messages
  const modern = { "mcp-protocol-version": "2026-07-28", "mcp-method": rpcMethod ?? "" };
  const headers = {
    authorization: `Bearer ${server.key}`,
    accept: "application/json, text/event-stream",
    ...(message !== undefined && { "content-type": "application/json" }),
    ...(era === "modern" ? modern : { "mcp-protocol-version": "2025-11-25" }),
  };
  const call = request(server.url, { method, headers, agent: false });
  call.on("error", () => {}); // we are the ones who leave
  call.end(message === undefined ? undefined : JSON.stringify(message));
  return call;
}

const firstBytes = (call: ClientRequest): Promise<string> =>
  new Promise((resolve) =>
    call.on("response", (response) => response.once("data", (chunk: Buffer) => resolve(String(chunk)))),
  );

const listen = {
  jsonrpc: "2.0",
  id: 1,
  method: "subscriptions/listen",
  params: {
    notifications: {},
    _meta: {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientCapabilities": {},
    },
  },
};

interface Leaver {
  readonly name: string;
  readonly respond: Respond;
  leave(): Promise<ClientRequest>;
}

const leavers: readonly Leaver[] = [
  {
    name: "while it waits for an answer",
    respond: () => undefined,
    async leave() {
      const before = upstream.seen.length;
      const call = open("POST", toolCall("legacy", 1, "slow"));
      await eventually("the call is there", () => upstream.seen.length > before);
      return call;
    },
  },
  {
    name: "while its answer streams",
    respond: streaming,
    async leave() {
      const call = open("POST", toolCall("legacy", 1, "slow"));
      await firstBytes(call);
      return call;
    },
  },
  {
    name: "from the standalone stream",
    respond: streaming,
    async leave() {
      const call = open("GET");
      await firstBytes(call);
      return call;
    },
  },
  {
    name: "from a subscription of the stateless era",
    respond: streaming,
    async leave() {
      const call = open("POST", listen, "modern");
      await firstBytes(call);
      return call;
    },
  },
];

describe("a client that goes away", () => {
  test.each(leavers)("$name ends the upstream's work within 100 ms", async ({ respond, leave }) => {
    upstream.respond(respond);
    const call = await leave();
    const seen = upstream.seen.at(-1);
    const leftAt = performance.now();
    call.destroy();
    await seen?.aborted;
    expect(performance.now() - leftAt).toBeLessThan(100);
  });

  test("in a crowd leaves no connection behind", async () => {
    upstream.respond(streaming);
    await eventually("nothing is open", () => upstream.openSockets === 0);
    const calls = Array.from({ length: 40 }, (_, at) =>
      at % 2 === 0 ? open("GET") : open("POST", toolCall("legacy", 1, "slow")),
    );
    await Promise.all(calls.map(firstBytes));
    expect(upstream.openSockets).toBe(40);
    for (const call of calls) call.destroy();
    await eventually("all connections are closed", () => upstream.openSockets === 0);
  });

  test("has a row that says so", async () => {
    await eventually("the rows are there", async () => {
      const rows = (await gatehouse.events()).filter((row) => row.type === "exchange" && row.outcome === "cancelled");
      return rows.length >= leavers.length + 40;
    });
  });
});

const idleMs = 150;

describe("a stream that is silent for long", () => {
  test.each([
    { name: "the standalone stream", method: "GET" as const, message: undefined, era: "legacy" as const },
    { name: "a subscription", method: "POST" as const, message: listen, era: "modern" as const },
  ])("is not cut: $name", async ({ method, message, era }) => {
    let say: () => void = () => undefined;
    upstream.respond((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.flushHeaders();
      say = () => response.end(event);
    });
    const call = open(method, message, era);
    const bytes = firstBytes(call);
    await new Promise((resolve) => call.on("response", resolve)); // the headers are there before any event
    await new Promise((resolve) => setTimeout(resolve, idleMs * 8)); // undici looks at its timers once a second
    say();
    expect(await bytes).toContain("notifications/message");
  });
});
