import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { deleteApiKey, generateApiKey } from "../src/core/api-keys.ts";
import { application } from "../src/core/application.ts";
import { deleteResource, getResource } from "../src/core/resources.ts";
import { eventually } from "./kit/eventually.ts";
import type { TestGatehouse } from "./kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "./kit/gatehouse.ts";
import { manyTools } from "./kit/many-tools.ts";
import type { MockUpstream } from "./kit/mock-upstream.ts";
import { chatAnswer, startMockUpstream } from "./kit/mock-upstream.ts";
import { rawHttp } from "./kit/raw-http.ts";

let upstream: MockUpstream;
let dataDir = "";
const keys = new Map<string, string>();

beforeAll(async () => {
  upstream = await startMockUpstream(chatAnswer("hello"));
  dataDir = await mkdtemp(join(tmpdir(), "learn-uses-"));
  await using gatehouse = await startTestGatehouse({ dataDir });
  const policies = [{ use: "semantic-tool-filter", with: { limit: 1, learn: true } }];
  await gatehouse.llm("chat", `${upstream.url}/v1`, { policies });
  for (const name of ["first", "second", "third"]) {
    await gatehouse.put("Application", name, {});
    const spec = { api: { kind: "LlmApi", name: "chat" }, application: name, environment: "production" };
    keys.set(name, (await generateApiKey(gatehouse.running.context, testActor, { metadata: { name }, spec })).key);
  }
  expect(await sent(gatehouse, "first", [asked])).not.toContain(learnt);
  for (const name of keys.keys()) await sent(gatehouse, name, [asked, ...called]);
  expect(await sent(gatehouse, "first", [asked])).toContain(learnt);
}, 60_000);

afterAll(async () => {
  await upstream[Symbol.asyncDispose]();
  await rm(dataDir, { recursive: true });
});

const learnt = "translate_recipe";
const asked = { role: "user", content: "get me out of the Thursday trip" };
const called = [
  {
    role: "assistant",
    content: null,
    tool_calls: [{ id: "c1", type: "function", function: { name: learnt, arguments: "{}" } }],
  },
  { role: "tool", tool_call_id: "c1", content: "done" },
];
const tools = [...manyTools(50), { name: learnt, description: "Translates recipes." }].map((tool) => ({
  type: "function",
  function: tool,
}));

/** What goes up for a conversation that an application has. */
async function sent({ running }: TestGatehouse, who: string, messages: readonly object[]): Promise<string> {
  const answer = await rawHttp(`${running.gatewayUrl}/chat/v1/chat/completions`, {
    headers: { "content-type": "application/json", authorization: `Bearer ${keys.get(who)}` },
    body: JSON.stringify({ model: "m", messages, tools }),
  });
  expect(answer.status).toBe(200);
  return upstream.seen.at(-1)?.body.toString() ?? "";
}

const forget = ({ running }: TestGatehouse, body: object) =>
  fetch(`${running.controlUrl}/api/v1/llm-apis/chat/tool-filter:forget`, {
    method: "POST",
    headers: { authorization: `Bearer ${running.adminToken}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });

test("what a filter has learnt outlives the gateway, until it is told to forget, once", async () => {
  {
    await using gatehouse = await startTestGatehouse({ dataDir });
    expect(await sent(gatehouse, "first", [asked])).toContain(learnt);
    expect((await forget(gatehouse, { application: "nobody" })).status).toBe(404);
    expect((await forget(gatehouse, { tool: 1 })).status).toBe(400);
    const { id } = await getResource(gatehouse.running.context, application, "first");
    expect(await kept()).toContain(id);
    expect((await forget(gatehouse, { application: "first", tool: "another" })).status).toBe(202);
    expect((await forget(gatehouse, { application: "first", tool: learnt })).status).toBe(202);
    await eventually("it is off the disk", async () => !(await kept()).includes(id));
    expect(await sent(gatehouse, "second", [asked])).toContain(learnt);
    expect((await forget(gatehouse, {})).status).toBe(202);
    expect(await sent(gatehouse, "second", [asked])).not.toContain(learnt);
    await sent(gatehouse, "first", [asked, ...called]);
  }
  await using gatehouse = await startTestGatehouse({ dataDir });
  expect(await sent(gatehouse, "first", [asked])).toContain(learnt); // it was learnt after what was to be forgotten
});

test("what an application has taught ends with it, on the disk too", async () => {
  await using gatehouse = await startTestGatehouse({ dataDir });
  const { context } = gatehouse.running;
  await sent(gatehouse, "third", [asked, ...called]);
  const third = await getResource(context, application, "third");
  await eventually("it is on the disk", async () => (await kept()).includes(third.id));
  await deleteApiKey(context, testActor, "third", 1);
  await deleteResource(context, testActor, application, "third", third.version);
  await eventually("it is off the disk", async () => !(await kept()).includes(third.id));
  expect(await sent(gatehouse, "first", [asked])).toContain(learnt);
});

/** What is on the disk of what was learnt. */
async function kept(): Promise<string> {
  const folder = join(dataDir, "uses");
  const names = (await readdir(folder)).filter((name) => name.endsWith(".uses"));
  return (await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")))).join("\n");
}
