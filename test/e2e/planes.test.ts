import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../kit/eventually.ts";
import { refusedStart } from "../kit/gatehouse-process.ts";
import { chunk } from "../kit/mock-upstream.ts";
import { freePort } from "../kit/redis-server.ts";
import type { Processes } from "./plane-processes.ts";
import { addToken, adminToken, call, newKey, open, openProcesses, put } from "./plane-processes.ts";

let processes: Processes;
beforeEach(async () => {
  processes = await openProcesses();
});
afterEach(() => processes[Symbol.asyncDispose]());

const quotaOf = (requests: number) => ({
  policies: [{ use: "quota", with: { windows: [{ requests, window: "month" }] } }],
});

describe("a gateway that runs alone", () => {
  test("holds to another plan, and to a changed one, within a second", async () => {
    const control = await processes.startControl();
    for (const [name, requests] of [["large", 1_000_000] as const, ["closed", 0] as const]) {
      await put(control, "/plans", { metadata: { name }, spec: quotaOf(requests) });
    }
    await processes.putUpApi(control, [], { security: { subscription: "required" } });
    await put(control, "/applications", { metadata: { name: "app" }, spec: {} });
    const subscription = { application: "app", api: { kind: "LlmApi", name: "a" } };
    await put(control, "/subscriptions", { metadata: { name: "sub" }, spec: { ...subscription, plan: "large" } });
    const { key } = await newKey(control, "of-app", { application: "app" });
    const env = { GATEHOUSE_GATEWAY_POLL_MS: "250" }; // half of what it is by default: this machine may be busy
    const gateway = await processes.startGateway("one", control, { token: await addToken(control), env });
    expect(await call(gateway, key)).toBe(200);

    const change = async (path: string, spec: object, status: number): Promise<void> => {
      const body = { metadata: { name: path.split("/")[2] }, spec };
      expect(await control.control("PUT", path, body)).toMatchObject({ status: 200 });
      const changedAtMs = performance.now();
      await eventually(`${path} holds`, async () => (await call(gateway, key)) === status);
      expect(performance.now() - changedAtMs).toBeLessThan(1_000);
    };
    await change("/subscriptions/sub", { ...subscription, plan: "closed" }, 429);
    await change("/plans/closed", quotaOf(500), 200);
    await change("/plans/closed", quotaOf(0), 429);
    await change("/subscriptions/sub", { ...subscription, plan: "large" }, 200);
    await change("/subscriptions/sub", { ...subscription, plan: "large", state: "blocked" }, 403);
  });

  test("forgets what a key has used when an admin says so, as the control plane's own gateway does", async () => {
    const control = await processes.startControl();
    await processes.putUpApi(control);
    const budgets = [{ measure: "requests", amount: 2, window: "month" }];
    const bounded = await newKey(control, "bounded", { budgets });
    const gateway = await processes.startGateway("one", control, { token: await addToken(control) });
    for (const port of [gateway, control]) {
      await eventually("the key is known", async () => (await call(port, bounded.key)) === 200);
      expect([await call(port, bounded.key), await call(port, bounded.key)]).toEqual([200, 429]);
    }
    const reset = { kind: "ApiKey", name: "bounded" };
    expect(await control.control("POST", "/budgets:reset", reset)).toMatchObject({ status: 200 });
    for (const port of [gateway, control]) {
      await eventually("it may call again", async () => (await call(port, bounded.key)) === 200);
    }
  });

  test("frees the place of a stream when its client goes away", async () => {
    const control = await processes.startControl();
    const limit = { use: "concurrency-limit", with: { requests: 1, streamsOnly: true, per: "key" } };
    const key = await processes.putUpApi(control, [limit]);
    const gateway = await processes.startGateway("one", control, { token: await addToken(control) });
    processes.upstream.respond((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(chunk({ content: "never ending" }));
    });
    for (let stream = 0; stream < 3; stream += 1) {
      const client = new AbortController();
      const answer = await eventuallyOpen(gateway, key, client.signal);
      const reader = answer.body?.getReader();
      expect((await reader?.read())?.done).toBe(false);
      const second = await open(gateway, key, { stream: true });
      expect([second.status, await second.text()]).toMatchObject([429, expect.stringContaining("at one time")]);
      client.abort();
      await processes.upstream.seen.at(-1)?.aborted; // and so is what the upstream is still writing
    }
  });
});

/** A stream that was let in, as soon as there is a place for it. */
async function eventuallyOpen(...[gateway, key, signal]: [Parameters<typeof open>[0], string, AbortSignal]) {
  let answer: Response | undefined;
  await eventually("there is a place", async () => {
    answer = await open(gateway, key, { stream: true, signal });
    if (answer.status === 200) return true;
    await answer.text();
    return false;
  });
  if (answer === undefined) throw new Error("no answer");
  return answer;
}

describe("a control plane that runs alone", () => {
  test("serves OAuth and no API, and its gateways serve what it has", async () => {
    const port = await freePort();
    const publicUrl = `http://127.0.0.1:${port}`;
    const control = await processes.startControl({ GATEHOUSE_PUBLIC_URL: publicUrl }, [
      "--planes",
      "control",
      "--port",
      String(port),
    ]);
    const key = await processes.putUpApi(control);
    const refused = await open(control, key);
    expect([refused.status, await refused.text()]).toMatchObject([501, expect.stringContaining("serves no APIs")]);
    for (const path of ["/a", "/a/v1/models", "/nowhere"]) expect((await fetch(publicUrl + path)).status).toBe(501);
    expect((await fetch(`${publicUrl}/readyz`)).status).toBe(200);
    const metadata = await fetch(`${publicUrl}/.well-known/oauth-authorization-server/auth`);
    expect([metadata.status, await metadata.json()]).toMatchObject([200, { issuer: `${publicUrl}/auth` }]);

    const gateway = await processes.startGateway("one", control, { token: await addToken(control) });
    expect(await call(gateway, key)).toBe(200);
    expect(processes.upstream.seen).toHaveLength(1);
  });

  test("is asked for the address of its gateways, without which no URL would be right", async () => {
    const refusal = await refusedStart({ dataDir: processes.root, adminToken, args: ["--planes", "control"] });
    expect(JSON.stringify(refusal)).toContain("where clients reach the gateways");
  });
});
