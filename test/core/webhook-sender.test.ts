import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import type { CoreContext } from "../../src/core/core-context.ts";
import type { WebhookMessage } from "../../src/core/webhook-sender.ts";
import { createWebhookSender } from "../../src/core/webhook-sender.ts";
import { createNetworkPolicy, developmentReach } from "../../src/kernel/network-policy.ts";
import { parseJson } from "../../src/kernel/parse-json.ts";
import { createSafeFetch } from "../../src/kernel/safe-fetch.ts";
import { openSqliteCatalog } from "../../src/store/sqlite/open-sqlite-catalog.ts";
import { eventually } from "../kit/eventually.ts";
import { memoryLog } from "../kit/gatehouse.ts";
import { manualClock } from "../kit/manual-clock.ts";
import type { Respond } from "../kit/mock-upstream.ts";
import { json, startMockUpstream } from "../kit/mock-upstream.ts";

const hour = 3_600_000;

/** A receiver that answers as told, and a sender on a catalog of its own. */
async function start(...behaviours: Respond[]) {
  const receiver = await startMockUpstream();
  receiver.respond(...behaviours);
  const catalog = await openSqliteCatalog({ path: ":memory:" });
  const fetch = createSafeFetch({ policy: createNetworkPolicy({ allowCidrs: [], operatorReach: developmentReach }) });
  const clock = manualClock();
  const context: Pick<CoreContext, "catalog" | "clock" | "log"> = { catalog, clock, log: memoryLog() };
  const secrets = { read: (name: string) => `value-of-${name}` };
  const open = () => createWebhookSender({ context: () => context, secrets, fetch });
  let sender = open();
  const own: WebhookMessage = {
    source: "Alert/errors",
    teamId: "team_1",
    url: receiver.url,
    secret: "${secret:hook}",
    type: "alert.fired",
    data: { value: 7 },
  };
  return {
    receiver,
    clock,
    own,
    fetch,
    async tell(over: Partial<WebhookMessage> = {}) {
      const write = { nowMs: clock.now() };
      const id = await catalog.transaction((transaction) =>
        sender.enqueue({ ...write, transaction }, { ...own, ...over }),
      );
      sender.wake();
      return id;
    },
    open,
    row: async (id: string) => (await catalog.read.webhookDeliveries.find(id)) ?? { state: "gone", attempts: 0 },
    async restart() {
      await sender[Symbol.asyncDispose]();
      sender = open();
      sender.wake();
    },
    async [Symbol.asyncDispose]() {
      await sender[Symbol.asyncDispose]();
      await fetch[Symbol.asyncDispose]();
      await catalog[Symbol.asyncDispose]();
      await receiver[Symbol.asyncDispose]();
    },
  };
}

test("a webhook is told once, signed as Standard Webhooks are", async () => {
  await using run = await start(json(204, {}));
  const id = await run.tell();
  await eventually("it is delivered", async () => (await run.row(id)).state === "delivered");
  const [seen] = run.receiver.seen;
  const timestamp = String(run.clock.now() / 1_000);
  const body = seen?.body.toString() ?? "";
  const signature = createHmac("sha256", "value-of-hook").update(`${id}.${timestamp}.${body}`).digest("base64");
  expect(seen?.headers).toMatchObject({
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${signature}`,
  });
  expect(parseJson(body)).toEqual({ type: "alert.fired", timestamp: "2026-01-01T00:00:00.000Z", data: { value: 7 } });
  run.clock.advance(48 * hour);
  expect(run.receiver.seen).toHaveLength(1);
});

test("what is not taken is tried again under the same id, after longer pauses", async () => {
  await using run = await start(json(500, {}), json(503, {}), json(200, {}));
  const id = await run.tell();
  await eventually("it was tried once", async () => (await run.row(id)).attempts === 1);
  expect(await run.row(id)).toMatchObject({ state: "pending", lastStatus: 500, nextAtMs: run.clock.now() + 5_000 });
  await eventually("it is tried again", async () => {
    run.clock.advance(1_000);
    return (await run.row(id)).attempts === 2;
  });
  await eventually("it is delivered", async () => {
    run.clock.advance(10_000);
    return (await run.row(id)).state === "delivered";
  });
  expect(new Set(run.receiver.seen.map(({ headers }) => headers["webhook-id"]))).toEqual(new Set([id]));
  expect(run.receiver.seen).toHaveLength(3);
});

test("of two processes one tells", async () => {
  await using run = await start(json(200, {}));
  await using other = run.open();
  const ids: string[] = [];
  for (let number = 0; number < 5; number += 1) {
    const id = run.tell();
    other.wake();
    ids.push(await id);
    other.wake();
  }
  await eventually("all are delivered", async () => {
    const rows = await Promise.all(ids.map(run.row));
    return rows.every(({ state }) => state === "delivered");
  });
  expect(run.receiver.seen.map(({ headers }) => String(headers["webhook-id"])).toSorted()).toEqual(ids.toSorted());
});

test("a receiver is left alone for as long as it asks", async () => {
  await using run = await start(json(429, {}, { "retry-after": "3600" }), json(200, {}));
  const id = await run.tell();
  await eventually("it was tried once", async () => (await run.row(id)).attempts === 1);
  expect(await run.row(id)).toMatchObject({ nextAtMs: run.clock.now() + hour });
});

test("what nobody takes is dead in the end, and stays to be seen", async () => {
  await using run = await start(json(500, {}));
  const id = await run.tell();
  await eventually(
    "it is dead",
    async () => {
      run.clock.advance(hour);
      return (await run.row(id)).state === "dead";
    },
    5_000,
  );
  expect(await run.row(id)).toMatchObject({ attempts: 8, lastError: "it answered 500" });
});

test("a receiver that is gone for good is told no more", async () => {
  await using run = await start(json(410, {}));
  const id = await run.tell();
  await eventually("it is dead", async () => (await run.row(id)).state === "dead");
  expect(await run.row(id)).toMatchObject({ attempts: 1 });
});

test("what a process could not tell, the next one does", async () => {
  await using run = await start(() => undefined);
  const id = await run.tell();
  await eventually("the receiver has it", () => run.receiver.seen.length === 1);
  run.receiver.respond(json(200, {}));
  await run.restart();
  await eventually("it is delivered", async () => {
    run.clock.advance(10_000);
    return (await run.row(id)).state === "delivered";
  });
  expect(run.receiver.seen.map(({ headers }) => headers["webhook-id"])).toEqual([id, id]);
});

test("an address that the network policy refuses is never called", async () => {
  await using run = await start(json(200, {}));
  const id = await run.tell({ url: "http://169.254.169.254/latest" });
  await eventually("it was tried", async () => (await run.row(id)).attempts === 1);
  expect(await run.row(id)).toMatchObject({ lastError: "upstream.refused_address", state: "pending" });
});

test("without a secret it is not signed", async () => {
  await using run = await start(json(200, {}));
  const id = await run.tell({ secret: undefined });
  await eventually("it is delivered", async () => (await run.row(id)).state === "delivered");
  expect(run.receiver.seen[0]?.headers).not.toHaveProperty("webhook-signature");
});
