import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../kit/eventually.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { json, startMockUpstream } from "../../kit/mock-upstream.ts";
import { answering, keyFor, publishServer, rpcOf, toolCall } from "./published-server.ts";

let gatehouse: TestGatehouse;
let slow: MockUpstream;
let quick: MockUpstream;

beforeAll(async () => {
  slow = await startMockUpstream(() => undefined);
  quick = await startMockUpstream(answering("quick"));
  gatehouse = await startTestGatehouse();
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await slow[Symbol.asyncDispose]();
  await quick[Symbol.asyncDispose]();
});

const call = toolCall("legacy", 1, "echo");

describe("an upstream that does not answer", () => {
  test("holds up no other, however many wait for it", async () => {
    const stuck = await publishServer(gatehouse, "stuck", `${slow.url}/mcp`, {
      upstream: { timeouts: { firstByteMs: 1_500 } },
    });
    const other = await publishServer(gatehouse, "other", `${quick.url}/mcp`);
    const waiting = Array.from({ length: 100 }, () => stuck.post(call));
    await eventually("all of them wait", () => slow.openSockets === 100);
    const startedAt = performance.now();
    expect((await other.post(call)).status).toBe(200);
    expect(performance.now() - startedAt).toBeLessThan(500);
    const statuses = new Set((await Promise.all(waiting)).map(({ status }) => status));
    expect([...statuses]).toEqual([504]);
  });
});

describe("the breaker", () => {
  const openMs = 200;

  test("leaves a failing upstream alone, says how long, and lets it recover", async () => {
    const flaky = await startMockUpstream(json(500, { oops: true }));
    const server = await publishServer(gatehouse, "flaky", `${flaky.url}/mcp`, {
      upstream: { breaker: { failures: 3, openMs } },
    });
    for (let at = 0; at < 3; at += 1) expect((await server.post(call)).status).toBe(500);
    const resting = await server.post(call);
    expect([resting.status, rpcOf(resting).id, rpcOf(resting).error?.code]).toEqual([503, 1, 1_503]);
    expect(resting.headers["retry-after"]).toBe("1");
    expect(flaky.seen).toHaveLength(3);
    flaky.respond(answering("well again"));
    await eventually("it is tried again", async () => (await server.post(call)).status === 200);
    expect((await server.post(call)).status).toBe(200);
    await flaky[Symbol.asyncDispose]();
  });

  test("takes no notice of calls that the server refuses for their own fault", async () => {
    const strict = await startMockUpstream(
      json(400, { jsonrpc: "2.0", id: 1, error: { code: -32_602, message: "no" } }),
    );
    const server = await publishServer(gatehouse, "strict", `${strict.url}/mcp`, {
      upstream: { breaker: { failures: 2, openMs } },
    });
    for (let at = 0; at < 6; at += 1) expect((await server.post(call)).status).toBe(400);
    await strict[Symbol.asyncDispose]();
  });
});

test("a sandbox key reaches the sandbox's upstream and no other", async () => {
  const upstream = { production: { url: `${quick.url}/mcp` }, sandbox: { url: `${slow.url}/sandbox` } };
  const server = await publishServer(gatehouse, "both", `${quick.url}/mcp`);
  await gatehouse.put("McpServer", "both", { context: "/both", upstream });
  const key = await keyFor(gatehouse, "both", { environment: "sandbox" });
  slow.respond(answering("sandbox"));
  expect((await server.post(call, { key })).text).toContain("sandbox");
  expect((await server.post(call)).text).toContain("quick");
  expect(slow.seen.at(-1)?.url).toBe("/sandbox");
});

test("a call is never repeated: tools act", async () => {
  const broken = await startMockUpstream((_request, response) => void response.destroy());
  const server = await publishServer(gatehouse, "acting", `${broken.url}/mcp`);
  expect((await server.post(call)).status).toBe(502);
  expect(broken.seen).toHaveLength(1);
  await broken[Symbol.asyncDispose]();
});
