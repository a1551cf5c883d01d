import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { startMockUpstream } from "../../kit/mock-upstream.ts";
import type { RpcAnswer } from "./published-server.ts";
import { answering, keyFor, publishServer, rpcOf, toolCall } from "./published-server.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;

beforeAll(async () => {
  upstream = await startMockUpstream(answering("fine"));
  gatehouse = await startTestGatehouse();
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const ten = { requests: 10, windowMs: 3_600_000, per: "key" };

test("a batch of a hundred calls against a limit of ten: ten are answered", async () => {
  const server = await publishServer(gatehouse, "batched", `${upstream.url}/mcp`, {
    limits: { batchMessages: 100 },
    policies: [{ use: "rate-limit", with: ten }],
  });
  const headers = { "mcp-protocol-version": "2025-03-26" };
  const batch = (size: number) =>
    JSON.stringify(Array.from({ length: size }, (_, id) => toolCall("legacy", id, "echo")));
  const answers = (await server.post(batch(100), { headers })).json() as readonly RpcAnswer[]; // each is looked at below
  expect(answers.filter(({ error }) => error === undefined)).toHaveLength(10);
  expect(answers.filter(({ error }) => error?.code === 1_429)).toHaveLength(90);
  expect(upstream.seen).toHaveLength(10);
  const refused = await server.post(batch(101), { headers });
  expect(rpcOf(refused).error).toMatchObject({
    code: -32_600,
    data: { limit: "spec.limits.batchMessages", value: 100 },
  });
});

test("a limit is each key's own, at each tool and each server", async () => {
  const two = { ...ten, requests: 2 };
  const policies = ["search", "write"].map((tool) => ({ use: "rate-limit", with: two, on: [tool] }));
  const one = await publishServer(gatehouse, "first", `${upstream.url}/mcp`, { policies });
  const other = await publishServer(gatehouse, "second", `${upstream.url}/mcp`, { policies });
  const second = await keyFor(gatehouse, "first");
  const use = async (server: typeof one, tool: string, key = server.key): Promise<number> =>
    (await server.post(toolCall("legacy", 1, tool), { key })).status;
  expect([await use(one, "search"), await use(one, "search"), await use(one, "search")]).toEqual([200, 200, 429]);
  expect([await use(one, "write"), await use(one, "write"), await use(one, "write")]).toEqual([200, 200, 429]);
  expect(await use(one, "free")).toBe(200);
  expect(await use(one, "search", second)).toBe(200);
  expect(await use(other, "search")).toBe(200);
});
