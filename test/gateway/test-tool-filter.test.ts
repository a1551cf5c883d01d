import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import { manyTools } from "../kit/many-tools.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { chatAnswer, startMockUpstream } from "../kit/mock-upstream.ts";
import { publishServer } from "./mcp/published-server.ts";
import type { SmallServer } from "./mcp/virtual/small-server.ts";
import { startSmallServer } from "./mcp/virtual/small-server.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let small: SmallServer;

const policies = [{ use: "semantic-tool-filter", with: { limit: 3 } }];

beforeAll(async () => {
  upstream = await startMockUpstream(chatAnswer("hello"));
  small = await startSmallServer("small");
  for (const { name, parameters } of manyTools(40)) small.tools.set(name, parameters);
  gatehouse = await startTestGatehouse();
  await gatehouse.llm("filtered", `${upstream.url}/v1`, { policies });
  await gatehouse.llm("plain", `${upstream.url}/v1`);
  await publishServer(gatehouse, "tools", small.url, { policies });
  await publishServer(gatehouse, "bare", small.url);
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
  await small[Symbol.asyncDispose]();
});

async function tested(path: string, body: object) {
  const answer = await fetch(`${gatehouse.running.controlUrl}/api/v1/${path}/tool-filter:test`, {
    method: "POST",
    headers: { authorization: `Bearer ${gatehouse.running.adminToken}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }; // a result or a problem
}

const tools = manyTools(200).map((tool) => ({ type: "function", function: tool }));
const request = { model: "m", messages: [{ role: "user", content: "cancel my flight" }], tools };

describe("a request whose tools are filtered and not sent", () => {
  test("is told what would be left, and why", async () => {
    const before = upstream.seen.length;
    const { status, body } = await tested("llm-apis/filtered", { request });
    expect({ status, ...body }).toMatchObject({
      status: 200,
      selection: "rank",
      reason: "filtered",
      total: 200,
      keptCount: 3,
    });
    expect(body["kept"]).toContain("cancel_flight");
    expect(body["scores"]).toHaveLength(20);
    expect(Number(body["tokensAfter"])).toBeLessThan(Number(body["tokensBefore"]) / 20);
    expect(upstream.seen).toHaveLength(before);
    expect(await gatehouse.events()).toEqual([]);
  });

  test.each([
    { name: "without tools", path: "llm-apis/filtered", body: { request: { ...request, tools: [] } }, status: 400 },
    { name: "that its endpoint would refuse", path: "llm-apis/filtered", body: { request: {} }, status: 400 },
    { name: "to an API without a filter", path: "llm-apis/plain", body: { request }, status: 409 },
    { name: "to an API that is not there", path: "llm-apis/none", body: { request }, status: 404 },
  ])("is refused $name", async ({ path, body, status }) => {
    expect((await tested(path, body)).status).toBe(status);
  });
});

describe("a list that is filtered for a task", () => {
  test("is the server's own", async () => {
    const { status, body } = await tested("mcp-servers/tools", { task: "cancel my flight" });
    expect({ status, ...body }).toMatchObject({ status: 200, total: 40, keptCount: 3 });
    expect(body["kept"]).toContain("cancel_flight");
  });

  test("or one that is given", async () => {
    const given = manyTools(10).map(({ parameters, ...rest }) => ({ ...rest, inputSchema: parameters }));
    const { body } = await tested("mcp-servers/tools", { task: "create an invoice", tools: given });
    expect(body).toMatchObject({ total: 10, keptCount: 3 });
    expect(body["kept"]).toContain("create_invoice");
  });

  test("is refused of a server without a filter, and without a task", async () => {
    expect((await tested("mcp-servers/bare", { task: "cancel" })).status).toBe(409);
    expect((await tested("mcp-servers/tools", { task: "" })).status).toBe(400);
  });
});
