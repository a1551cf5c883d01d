import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { credentialRecord } from "../../../src/core/api-key-record.ts";
import {
  associateApiKey,
  deleteApiKey,
  dissociateApiKey,
  generateApiKey,
  revokeApiKey,
} from "../../../src/core/api-keys.ts";
import { findKind } from "../../../src/core/kinds.ts";
import { deleteResource, getResource } from "../../../src/core/resources.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { startMockUpstream } from "../../kit/mock-upstream.ts";
import { rawHttp } from "../../kit/raw-http.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  await gatehouse.put("Plan", "two", {
    policies: [{ use: "quota", with: { windows: [{ requests: 2, window: "month" }] } }],
  });
  await gatehouse.put("Plan", "many", {
    policies: [{ use: "quota", with: { windows: [{ requests: 900, window: "month" }] } }],
  });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

/** A key of an application that is subscribed to an API which asks for that. */
async function subscribed(name: string, plan = "many") {
  const api = await gatehouse.llm(name, `${upstream.url}/v1`, { security: { subscription: "required" } });
  await gatehouse.put("Application", name, {});
  const subscription = { application: name, api: { kind: "LlmApi", name }, plan };
  const subscribe = (more: object = {}) => gatehouse.put("Subscription", name, { ...subscription, ...more });
  await subscribe();
  const spec = { api: subscription.api, application: name, environment: "production" };
  const { key } = await generateApiKey(gatehouse.running.context, testActor, { metadata: { name }, spec });
  const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
  const ask = () => rawHttp(`${api.url}/chat/completions`, { headers, body: '{"model":"m"}' });
  return { ask, subscribe };
}

/** The status that calls come to have within a second of a change. */
async function within(ask: () => Promise<{ status: number; text: string }>, status: number): Promise<string> {
  const until = performance.now() + 1_000;
  for (;;) {
    const answer = await ask();
    if (answer.status === status) return answer.text;
    if (performance.now() > until) throw new Error(`still ${answer.status} after a second`);
  }
}

describe("within a second", () => {
  test.each([
    ["blocked", "is blocked"],
    ["on-hold", "is on hold"],
    ["suspended", "is on hold"],
  ])(
    "a subscription that becomes %s closes the API and says so, and opens it when it is active again",
    async (state, told) => {
      const { ask, subscribe } = await subscribed(`state-${state}`);
      expect((await ask()).status).toBe(200);
      await subscribe({ state });
      expect(await within(ask, 403)).toContain(told);
      const refused = await ask();
      expect(refused.headers["x-should-retry"]).toBe("false");
      await subscribe();
      await within(ask, 200);
    },
  );

  test("a key that is dissociated is refused for want of an application, and let in when it has one again", async () => {
    const { ask } = await subscribed("leaving");
    await within(ask, 200);
    const { context } = gatehouse.running;
    await dissociateApiKey(context, testActor, "leaving");
    expect(await within(ask, 403)).toContain("not associated with an application");
    await associateApiKey(context, testActor, "leaving", "leaving");
    await within(ask, 200);
  });

  test("a subscription that is deleted closes the API", async () => {
    const { ask } = await subscribed("ended");
    await within(ask, 200);
    const kind = findKind("Subscription");
    if (kind === undefined) return expect.unreachable();
    const { version } = await getResource(gatehouse.running.context, kind, "ended");
    await deleteResource(gatehouse.running.context, testActor, kind, "ended", version);
    expect(await within(ask, 403)).toContain("not subscribed");
  });

  test("another plan's limits hold, and those of the former no more", async () => {
    const { ask, subscribe } = await subscribed("moving", "two");
    expect([(await ask()).status, (await ask()).status, (await ask()).status]).toEqual([200, 200, 429]);
    await subscribe({ plan: "many" });
    await within(ask, 200);
    await subscribe({ plan: "two" });
    await within(ask, 429);
  });

  test("a plan that changes holds for all who have it", async () => {
    await gatehouse.put("Plan", "changing", { policies: [] });
    const { ask } = await subscribed("held", "changing");
    await within(ask, 200);
    await gatehouse.put("Plan", "changing", {
      policies: [{ use: "quota", with: { windows: [{ requests: 0, window: "day" }] } }],
    });
    await within(ask, 429);
  });

  test("a key that is revoked or deleted is unknown", async () => {
    const [revoked, deleted] = [await subscribed("revoked"), await subscribed("deleted")];
    await revokeApiKey(gatehouse.running.context, testActor, "revoked");
    await within(revoked.ask, 401);
    await deleteApiKey(gatehouse.running.context, testActor, "deleted", 1);
    await within(deleted.ask, 401);
  });
});

describe("of several reasons to refuse, the first is told", () => {
  test.each([
    { name: "an unknown key before all", bounds: {}, unknown: true, status: 401, told: "not valid" },
    {
      name: "its end before its addresses",
      bounds: { permittedIps: ["192.0.2.1"] },
      ended: true,
      status: 401,
      told: "not valid",
    },
    {
      name: "its addresses before the subscription",
      bounds: { permittedIps: ["192.0.2.1"] },
      status: 403,
      told: "may not be used",
    },
    { name: "the subscription at last", bounds: {}, status: 403, told: "not associated with an application" },
  ])("$name", async ({ name, bounds, unknown, ended, status, told }) => {
    const api = `order-${name.length}`;
    await gatehouse.llm(api, `${upstream.url}/v1`, { security: { subscription: "required" } });
    const { context } = gatehouse.running;
    const { key, row } = await generateApiKey(context, testActor, {
      spec: { api: { kind: "LlmApi", name: api }, environment: "production", ...bounds },
    });
    // Nobody can make a key that has ended, so the gateway is told of one.
    if (ended === true)
      context.publish({ type: "credential.put", record: { ...credentialRecord(row), expiresAtMs: 1 } });
    const sent = unknown === true ? key.replace(/^gh_./, "gh_Z") : key;
    const headers = { "content-type": "application/json", authorization: `Bearer ${sent}` };
    const answer = await rawHttp(`${gatehouse.running.gatewayUrl}/${api}/v1/chat/completions`, {
      headers,
      body: '{"model":"m"}',
    });
    expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(told)]);
  });
});
