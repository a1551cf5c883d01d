import { afterAll, beforeAll, expect, test } from "vitest";
import type { Actor } from "../../src/core/core-context.ts";
import { getResource } from "../../src/core/resources.ts";
import { settleSuspension } from "../../src/core/suspension.ts";
import { inWrite } from "../../src/core/write.ts";
import { kindOf } from "../core/core-fixture.ts";
import { eventually } from "../kit/eventually.ts";
import type { TestApi, TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { chatAnswer, startMockUpstream } from "../kit/mock-upstream.ts";
import { rawHttp } from "../kit/raw-http.ts";
import { publishServer, rpcOf, toolCall } from "./mcp/published-server.ts";
import { startSmallServer } from "./mcp/virtual/small-server.ts";
import { connect, publishVirtual } from "./mcp/virtual/virtual-kit.ts";

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

const governance: Actor = { type: "system", id: "governance" };
const unsafe = { policies: ["safety"], rules: ["unsafe"] };

/** As the verdict on it does. */
async function suspend(kind: string, name: string, isSuspended: boolean): Promise<void> {
  const { context } = gatehouse.running;
  const { id } = await getResource(context, kindOf(kind), name);
  // The queue looks at what has just been deployed, and would take back what is written beside it.
  await eventually(
    `governance has looked at ${name}`,
    () => context.catalog.transaction(async ({ compliance }) => (await compliance.find(id))?.dueAtMs === null),
    60_000,
  );
  await inWrite(context, governance, async (write) => {
    const row = await write.transaction.compliance.find(id);
    if (row === undefined) throw new TypeError(`nobody looks at ${name}`);
    const suspension = isSuspended ? unsafe : null;
    await write.transaction.compliance.keep({ ...row, suspension });
    await settleSuspension(write, row, suspension);
  });
}

function ask({ url, key }: TestApi) {
  return rawHttp(`${url}/chat/completions`, {
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "hello" }] }),
  });
}

test("callers of a suspended LLM API hear in its dialect why, strangers hear nothing of it, and it goes on when lifted", async () => {
  upstream.respond(chatAnswer("fine"));
  const api = await gatehouse.llm("chat", `${upstream.url}/v1`);
  expect((await ask(api)).status).toBe(200);
  const before = upstream.seen.length;
  await suspend("LlmApi", "chat", true);
  const refused = await ask(api);
  expect(refused.status).toBe(403);
  expect(refused.json()).toMatchObject({
    error: { code: "api_suspended", message: expect.stringMatching(/suspended.*policy safety \(unsafe\)/) },
  });
  const stranger = await ask({ ...api, key: "nobody" });
  expect([stranger.status, stranger.text.includes("suspended")]).toEqual([401, false]);
  expect(upstream.seen.length).toBe(before);
  const rows = (await gatehouse.events()).filter((event) => JSON.stringify(event).includes("api.suspended"));
  expect(rows).toHaveLength(1);

  await suspend("LlmApi", "chat", false);
  expect((await ask(api)).status).toBe(200);
}, 120_000);

test("a suspended MCP server is called neither by its own address nor as a part of another one", async () => {
  await using small = await startSmallServer("desk", ["send"]);
  const desk = await publishServer(gatehouse, "desk", small.url, { upstream: { era: "modern" } });
  const all = await publishVirtual(gatehouse, "all", { servers: [{ server: "desk" }], keepMs: 0 });
  const client = await connect(all, "modern");
  try {
    const viaOther = async () => JSON.stringify(await client.callTool({ name: "desk_send", arguments: {} }));
    const direct = () => desk.post(toolCall("modern", 1, "send"), { era: "modern" });
    expect(await viaOther()).toContain("desk/send");
    expect(rpcOf(await direct()).result).toBeDefined();
    await suspend("McpServer", "desk", true);
    expect(rpcOf(await direct()).error?.message).toContain("suspended");
    const told = await viaOther().catch((error: unknown) => String(error));
    expect(told).not.toContain("desk/send");
    await suspend("McpServer", "desk", false);
    expect(await viaOther()).toContain("desk/send");
  } finally {
    await client.close();
  }
}, 120_000);
