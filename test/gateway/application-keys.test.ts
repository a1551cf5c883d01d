import { afterAll, beforeAll, expect, test } from "vitest";
import { dissociateApiKey, generateApiKey } from "../../src/core/api-keys.ts";
import { currentMessages } from "../../src/core/distribution.ts";
import { regenerateApiKey } from "../../src/core/regenerate-api-key.ts";
import type { TestApi, TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../kit/gatehouse.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { startMockUpstream } from "../kit/mock-upstream.ts";
import { rawHttp } from "../kit/raw-http.ts";

let upstream: MockUpstream;
let gatehouse: TestGatehouse;
let chat: TestApi;
let other: TestApi;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse({ legacyApplicationKeys: "true" });
  chat = await gatehouse.llm("chat", `${upstream.url}/v1`);
  other = await gatehouse.llm("other", `${upstream.url}/v1`);
  await gatehouse.put("Application", "bot", {});
  await gatehouse.put("Plan", "gold", {});
  await gatehouse.put("Subscription", "bot-chat", {
    application: "bot",
    api: { kind: "LlmApi", name: "chat" },
    plan: "gold",
  });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const spec = { application: "bot", environment: "production" };

async function ask({ url }: TestApi, key: string): Promise<number> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
  return (await rawHttp(`${url}/chat/completions`, { headers, body: '{"model":"m"}' })).status;
}

test("a key of an application opens the APIs that the application is subscribed to, and no others", async () => {
  const { key, row } = await generateApiKey(gatehouse.running.context, testActor, { spec });
  expect([row.apiId, row.api]).toEqual([null, null]);
  expect([await ask(chat, key), await ask(other, key)]).toEqual([200, 403]);
});

test("a key without an API names its application, and keeps it", async () => {
  const { context } = gatehouse.running;
  const bare = generateApiKey(context, testActor, { spec: { environment: "production" } });
  await expect(bare).rejects.toMatchObject({ code: "resource.invalid", issues: [{ path: "spec.application" }] });
  const { row } = await generateApiKey(context, testActor, { spec });
  await expect(dissociateApiKey(context, testActor, row.name)).rejects.toMatchObject({ code: "resource.invalid" });
});

test("with the setting off none can be made or renewed, whatever the way, and gateways know none", async () => {
  const { context: on } = gatehouse.running;
  const { row } = await generateApiKey(on, testActor, { spec });
  const sent: unknown[] = [];
  const off = { ...on, legacyApplicationKeys: false, publish: (message: unknown) => void sent.push(message) };
  await expect(generateApiKey(off, testActor, { spec })).rejects.toMatchObject({
    code: "resource.invalid",
    issues: [{ path: "spec.api", message: expect.stringContaining("legacyApplicationKeys") }],
  });
  await expect(regenerateApiKey(off, testActor, row.name)).rejects.toMatchObject({ code: "resource.invalid" });
  expect(JSON.stringify(sent)).not.toContain(row.publicId);
  expect(JSON.stringify(await currentMessages(off))).not.toContain(row.publicId);
  expect(JSON.stringify(await currentMessages(on))).toContain(row.publicId);
});
