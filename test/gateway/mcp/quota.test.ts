import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { startMockUpstream } from "../../kit/mock-upstream.ts";
import { answering, publishServer, rpcOf, toolCall } from "./published-server.ts";

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

test("a quota counts messages by what they cost, and refuses with the id of the request", async () => {
  const server = await publishServer(gatehouse, "counted", `${upstream.url}/mcp`, {
    policies: [
      {
        use: "quota",
        with: {
          windows: [{ requests: 11, window: "month" }],
          cost: [
            { on: ["heavy"], requests: 10 },
            { on: ["tools/list"], requests: 0 },
          ],
        },
      },
    ],
  });
  upstream.respond(answering("fine"));
  const list = { jsonrpc: "2.0", id: 1, method: "tools/list" };
  const statuses = [
    await server.post(toolCall("legacy", 1, "heavy", {})), // 10
    await server.post(list), // nothing
    await server.post(toolCall("legacy", 2, "light", {})), // 11
    await server.post(list),
  ].map(({ status }) => status);
  expect(statuses).toEqual([200, 200, 200, 200]);
  const refused = await server.post(toolCall("legacy", 7, "light", {}));
  expect(refused.status).toBe(429);
  expect(rpcOf(refused)).toMatchObject({ id: 7, error: { code: 1_429, data: { code: "limit.budget" } } });
});

test("limits on tokens and money leave messages alone that ask no model", async () => {
  const server = await publishServer(gatehouse, "free", `${upstream.url}/mcp`, {
    policies: [
      { use: "token-limit", with: { tokens: 0 } },
      { use: "cost-budget", with: { amount: "0" } },
    ],
  });
  upstream.respond(answering("fine"));
  expect((await server.post(toolCall("legacy", 1, "echo", {}))).status).toBe(200);
});
