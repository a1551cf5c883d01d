import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { startMockUpstream } from "../../kit/mock-upstream.ts";
import { rawHttp } from "../../kit/raw-http.ts";
import type { PublishedServer } from "./published-server.ts";
import { answering, publishServer, rpcOf, toolCall } from "./published-server.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let server: PublishedServer;
let port = "";

beforeAll(async () => {
  upstream = await startMockUpstream(answering("fine"));
  gatehouse = await startTestGatehouse();
  server = await publishServer(gatehouse, "tools", `${upstream.url}/mcp`);
  port = new URL(server.url).port;
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const PORT = "{port}";

const refused: readonly { readonly name: string; readonly headers: Record<string, string> }[] = [
  { name: "a host of somebody else", headers: { host: "evil.com" } },
  { name: "a host that only begins like ours", headers: { host: "localhost.evil.com" } },
  { name: "a host that only ends like ours", headers: { host: "evil.localhost.com" } },
  { name: "a host with our name in its port", headers: { host: "evil.com:127" } },
  { name: "an origin of somebody else", headers: { origin: "http://evil.com" } },
  { name: "an origin that only begins like ours", headers: { origin: `http://127.0.0.1.evil.com:${PORT}` } },
  { name: "an origin on another port", headers: { origin: "http://127.0.0.1:1" } },
  { name: "the origin of a sandboxed page", headers: { origin: "null" } },
  { name: "an origin that is a path", headers: { origin: `http://127.0.0.1:${PORT}/page` } },
  { name: "the origin of a file", headers: { origin: "file://" } },
];

const accepted: readonly { readonly name: string; readonly headers: Record<string, string> }[] = [
  { name: "no origin", headers: {} },
  { name: "our own origin", headers: { origin: `http://127.0.0.1:${PORT}` } },
  { name: "localhost", headers: { host: `localhost:${PORT}` } },
  { name: "LOCALHOST", headers: { host: `LOCALHOST:${PORT}` } },
  { name: "localhost and its origin", headers: { host: `localhost:${PORT}`, origin: `http://localhost:${PORT}` } },
  { name: "[::1]", headers: { host: `[::1]:${PORT}` } },
];

const filled = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.replace(PORT, port)]));

describe("403", () => {
  test.each(refused)("$name, before the key is looked at", async ({ headers }) => {
    const before = upstream.seen.length;
    for (const key of [server.key, "no key"]) {
      const answer = await server.post(toolCall("legacy", 1, "echo"), { key, headers: filled(headers) });
      expect([answer.status, rpcOf(answer).error?.code]).toEqual([403, 1_403]);
    }
    expect((await rawHttp(server.url, { method: "GET", headers: filled(headers) })).status).toBe(403);
    expect(upstream.seen.length).toBe(before);
  });
});

describe("200", () => {
  test.each(accepted)("$name", async ({ headers }) => {
    expect((await server.post(toolCall("legacy", 1, "echo"), { headers: filled(headers) })).status).toBe(200);
  });
});
