import { expect, test } from "vitest";
import { composeGateway } from "../../src/compose-gateway.ts";
import { generateApiKey, revokeApiKey } from "../../src/core/api-keys.ts";
import type { CoreContext } from "../../src/core/core-context.ts";
import { currentMessages } from "../../src/core/distribution.ts";
import { findKind } from "../../src/core/kinds.ts";
import type { PlaneMessage } from "../../src/core/plane-message.ts";
import { publishApi } from "../../src/core/publishing.ts";
import { getResource, replaceResource } from "../../src/core/resources.ts";
import { createSecretCache } from "../../src/core/secret-cache.ts";
import { mcpSessionKey } from "../../src/core/vault-keys.ts";
import { listen } from "../../src/gateway/listen.ts";
import { createNetworkPolicy, developmentReach } from "../../src/kernel/network-policy.ts";
import type { AnalyticsEvent } from "../../src/pipeline/event.ts";
import { eventually } from "../kit/eventually.ts";
import type { TestApi } from "../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../kit/gatehouse.ts";
import { chunk, done, startMockUpstream } from "../kit/mock-upstream.ts";
import { rawHttp } from "../kit/raw-http.ts";

function ask({ url, key }: TestApi, body: object) {
  const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
  return rawHttp(`${url}/chat/completions`, { headers, body: JSON.stringify(body) });
}

/** An API spec whose target asks for `model`, so that a request shows which revision it was served by. */
function specFor(model: string, context = "/chat") {
  const production = { targets: [{ provider: "chat", model }], breaker: { failures: 0 } };
  return { context, upstream: { production, sandbox: { sameAs: "production" as const } } };
}

/** Answers slowly enough that publishing happens in the middle: whole or as a stream, naming the model asked for. */
async function startSlowModel() {
  const upstream = await startMockUpstream();
  upstream.respond(async (request, response) => {
    const asked = JSON.parse(request.body.toString("utf8")) as { model: string; stream?: boolean }; // our own tests ask
    const pause = () => new Promise((resolve) => setTimeout(resolve, 15));
    if (asked.stream !== true) {
      await pause();
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ model: asked.model, choices: [] }));
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const _ of [1, 2, 3, 4]) {
      response.write(chunk({ content: asked.model }));
      await pause();
    }
    response.end(chunk({}, { finish: "stop" }) + done);
  });
  return upstream;
}

test("publishing twenty times under load fails no request, and each revision holds at once", async () => {
  await using upstream = await startSlowModel();
  await using gatehouse = await startTestGatehouse();
  const api = await gatehouse.llm("chat", `${upstream.url}/v1`, specFor("m-0"));
  let isOver = false;
  const failures: unknown[] = [];
  let served = 0;
  const client = async (stream: boolean): Promise<void> => {
    while (!isOver) {
      const answer = await ask(api, { model: "m", stream });
      served += 1;
      if (answer.status !== 200 || (stream && !answer.text.endsWith(done))) failures.push(answer.text);
    }
  };
  const clients = Array.from({ length: 50 }, (_, at) => client(at % 2 === 0));
  for (let revision = 1; revision <= 20; revision += 1) {
    await gatehouse.put("LlmApi", "chat", specFor(`m-${revision}`));
    const answer = await ask(api, { model: "m" });
    expect(answer.json()).toMatchObject({ model: `m-${revision}` });
  }
  isOver = true;
  await Promise.all(clients);
  expect(failures).toEqual([]);
  expect(served).toBeGreaterThan(100);
});

test("a stream goes on under the revision that it began with", async () => {
  await using upstream = await startSlowModel();
  await using gatehouse = await startTestGatehouse();
  const api = await gatehouse.llm("chat", `${upstream.url}/v1`, specFor("old"));
  const running = ask(api, { model: "m", stream: true });
  await eventually("the stream has begun", () => upstream.seen.length === 1);
  await gatehouse.put("LlmApi", "chat", {
    ...specFor("new"),
    policies: [{ use: "regex", with: { patterns: [{ pattern: "old" }] } }],
  });
  expect((await running).text).toContain(`"content":"old"`);
  expect((await running).text.endsWith(done)).toBe(true);
});

test("an API whose context is below another's is served beside it", async () => {
  await using upstream = await startSlowModel();
  await using gatehouse = await startTestGatehouse();
  const outer = await gatehouse.llm("outer", `${upstream.url}/v1`);
  await gatehouse.put("LlmProvider", "chat", { use: "openai-compatible", with: { baseUrl: `${upstream.url}/v1` } });
  await gatehouse.put("LlmApi", "inner", specFor("m", "/outer/v2"));
  const inner = { url: outer.url.replace("/outer/v1", "/outer/v2/v1"), key: await gatehouse.key("inner") };
  expect([(await ask(outer, { model: "m" })).status, (await ask(inner, { model: "m" })).status]).toEqual([200, 200]);
});

test("two gateways serve the same APIs, hear of a revocation within a second, and share nothing", async () => {
  await using upstream = await startSlowModel();
  await using gatehouse = await startTestGatehouse();
  const api = await gatehouse.llm("chat", `${upstream.url}/v1`, {
    ...specFor("m-0"),
    policies: [{ use: "rate-limit", with: { requests: 3, windowMs: 60_000 } }],
  });
  const { context } = gatehouse.running;
  await using second = await startSecondGateway(context);
  const both: CoreContext = { ...context, publish: (message) => (context.publish(message), second.apply(message)) };
  const there = { url: `${second.url}/chat/v1`, key: api.key };

  // Each counts for itself: three here and three there.
  const statuses = [];
  for (const at of [api, api, api, api, there, there, there, there])
    statuses.push((await ask(at, { model: "m" })).status);
  expect(statuses).toEqual([200, 200, 200, 429, 200, 200, 200, 429]);
  expect(second.events.filter(({ type }) => type === "exchange")).toHaveLength(4);

  const kind = findKind("LlmApi");
  if (kind === undefined) throw new Error("no kind LlmApi");
  const { version } = await getResource(both, kind, "chat");
  await replaceResource(both, testActor, kind, "chat", { metadata: { name: "chat" }, spec: specFor("m-1") }, version);
  await publishApi(both, testActor, kind, "chat");
  for (const at of [api, there]) expect((await ask(at, { model: "m" })).json()).toMatchObject({ model: "m-1" });

  const spec = { api: { kind: "LlmApi", name: "chat" }, environment: "production" };
  const { key, row } = await generateApiKey(both, testActor, { spec });
  for (const { url } of [api, there]) expect((await ask({ url, key }, { model: "m" })).status).toBe(200);
  await revokeApiKey(both, testActor, row.name);
  const refused = async ({ url }: TestApi) => (await ask({ url, key }, { model: "m" })).status === 401;
  await eventually("both refuse the key", async () => (await refused(api)) && (await refused(there)), 1_000);
});

async function startSecondGateway(context: CoreContext) {
  const events: AnalyticsEvent[] = [];
  const secrets = createSecretCache(() => context);
  await secrets.load();
  const gateway = composeGateway({
    ...context,
    sink: { isOpen: true, record: (event) => void events.push(event), dropped: 0 },
    secrets,
    sessionKey: mcpSessionKey(context.pepper),
    node: "second",
    network: createNetworkPolicy({ allowCidrs: [], operatorReach: developmentReach }),
    embedding: { use: "built-in", with: {}, cacheBytes: 1_048_576, vectorsPath: undefined },
    stalledMs: 1_000,
    report: async () => {},
  });
  const apply = (message: PlaneMessage): void => gateway.dataPlane.apply(message);
  for (const message of await currentMessages(context)) apply(message);
  const app = gateway.app({ allowedHosts: ["127.0.0.1"], gatewayUrl: "http://127.0.0.1", trustedProxies: [] });
  const port = await listen({
    ...context,
    name: "second",
    host: "127.0.0.1",
    port: 0,
    portSetting: "",
    fetch: app.fetch,
    maxConnections: 100,
    headersTimeoutMs: 5_000,
    requestTimeoutMs: 5_000,
  });
  return {
    url: `http://127.0.0.1:${port.port}`,
    events,
    apply,
    async [Symbol.asyncDispose]() {
      await port.drain(1_000);
      await gateway[Symbol.asyncDispose]();
    },
  };
}
