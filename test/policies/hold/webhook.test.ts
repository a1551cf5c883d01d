import { createHmac } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { putSecret } from "../../../src/core/secrets.ts";
import { createWebhookTeller } from "../../../src/policies/hold/tell-webhook.ts";
import { answering, publishServer, rpcOf, toolCall } from "../../gateway/mcp/published-server.ts";
import { eventually } from "../../kit/eventually.ts";
import { buildTools } from "../../kit/exchange.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../../kit/gatehouse.ts";
import type { MockUpstream, SeenRequest } from "../../kit/mock-upstream.ts";
import { json, startMockUpstream } from "../../kit/mock-upstream.ts";
import { approvalsOf, waitingFor } from "./hold-kit.ts";

const key = Buffer.from("a key of the receiver, 32 bytes.");
let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let receiver: MockUpstream;

beforeAll(async () => {
  upstream = await startMockUpstream(answering("done"));
  receiver = await startMockUpstream(json(202, {}));
  gatehouse = await startTestGatehouse();
  const value = `whsec_${key.toString("base64")}`;
  await putSecret(gatehouse.running.context, testActor, { name: "hook", value, team: "default" });
});

afterAll(async () => {
  for (const each of [gatehouse, upstream, receiver]) await each[Symbol.asyncDispose]();
});

const held = (name: string, waitMs: number) => {
  const webhook = { url: `${receiver.url}/approvals`, secret: "${secret:hook}" };
  return publishServer(gatehouse, name, `${upstream.url}/mcp`, {
    policies: [{ use: "hold", with: { waitMs, webhook } }],
  });
};

interface Told {
  readonly type: string;
  readonly data: { readonly id: string; readonly answer: { readonly path: string; readonly token: string } };
}
const told = (seen: SeenRequest | undefined): Told => JSON.parse(String(seen?.body)) as Told; // the tests look at what they use

test("the receiver gets a signed message without values of arguments, and its answer lets the waiting call through", async () => {
  const server = await held("hooked", 60_000);
  receiver.respond(json(200, { decision: "approve" }));
  const answer = await server.post(toolCall("legacy", 1, "wire", { iban: "DE99-canary" }));
  expect(rpcOf(answer).result).toBeDefined();
  const seen = receiver.seen.at(-1);
  const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": signature } = seen?.headers ?? {};
  const signed = createHmac("sha256", key).update(`${String(id)}.${String(at)}.${String(seen?.body)}`);
  expect(signature).toBe(`v1,${signed.digest("base64")}`);
  expect(Math.abs(Number(at) * 1_000 - Date.now())).toBeLessThan(60_000);
  expect(String(seen?.body)).not.toContain("canary");
  expect(told(seen)).toMatchObject({ type: "approval.requested", data: { id, server: "hooked", tool: "wire" } });
});

test("later the receiver answers by its token, once; no other token does, and none is needed by people", async () => {
  receiver.respond(json(202, {}));
  const server = await held("hooked-later", 0);
  const before = receiver.seen.length;
  await server.post(toolCall("legacy", 1, "later"));
  await eventually("the receiver is told", () => receiver.seen.length > before);
  const { path, token } = told(receiver.seen.at(-1)).data.answer;
  const send = async (body: object, at = path): Promise<number> => {
    const headers = { "content-type": "application/json" };
    const url = `${gatehouse.running.controlUrl}${at}`;
    return (await fetch(url, { method: "POST", headers, body: JSON.stringify(body) })).status;
  };
  expect(await send({ token: "wrong", decision: "approve" })).toBe(401);
  expect(await send({ token: "wrong", decision: "approve" }, "/api/v1/approvals/apv_none/answer")).toBe(401);
  expect(await send({ token, decision: "perhaps" })).toBe(400);
  expect((await waitingFor(gatehouse, "later")).state).toBe("pending");
  expect(await send({ token, decision: "deny", reason: "too late" })).toBe(200);
  expect(await send({ token, decision: "approve" })).toBe(409);
  expect(rpcOf(await server.post(toolCall("legacy", 2, "later"))).error?.data?.["code"]).toBe("approval.denied");
  const row = (await approvalsOf(gatehouse)).find(({ tool }) => tool === "later");
  expect(row).toMatchObject({ state: "denied", decidedBy: "webhook", reason: "too late" });
});

test("a receiver that fails is tried four times and no more; a disposed policy tries no more at all", async () => {
  const tools = buildTools({ hook: "plain text" });
  const tries: number[] = [];
  const fetch = () => {
    tries.push(tools.clock.now());
    return Promise.reject(new Error("no way"));
  };
  const config = { url: "https://hooks.example.com", secret: "${secret:hook}" };
  const teller = createWebhookTeller(config, { ...tools, fetch });
  const start = tools.clock.now();
  teller.tell("apv_1", {}, () => {});
  const settled = async (count: number): Promise<void> =>
    eventually("the try is over", async () => {
      await new Promise(setImmediate);
      return tries.length === count;
    });
  await settled(1);
  for (const [at, pauseMs] of [1_000, 5_000, 30_000].entries()) {
    await new Promise(setImmediate);
    tools.clock.advance(pauseMs);
    await settled(at + 2);
  }
  await new Promise(setImmediate);
  tools.clock.advance(3_600_000);
  expect(tries.map((at) => at - start)).toEqual([0, 1_000, 6_000, 36_000]);

  teller.tell("apv_2", {}, () => {});
  await settled(5);
  await new Promise(setImmediate);
  teller.dispose();
  tools.clock.advance(3_600_000);
  await new Promise(setImmediate);
  expect(tries).toHaveLength(5);
});
