import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { z } from "zod";
import { analyticsStatusSchema } from "../../src/analytics/analytics-reader.ts";
import { describeWithEngine } from "../kit/embedded-clickhouse.ts";
import { eventually } from "../kit/eventually.ts";
import type { TestApi, TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import { startMockUpstream } from "../kit/mock-upstream.ts";

const embedded = { "analytics.mode": "embedded" };
const pageSchema = z.looseObject({
  items: z.array(z.looseObject({ exchange_id: z.string() })),
  next: z.string().optional(),
});

async function ask(gatehouse: TestGatehouse, path: string): Promise<unknown> {
  const { controlUrl, adminToken } = gatehouse.running;
  const response = await fetch(`${controlUrl}/api/v1/analytics/${path}`, {
    headers: { authorization: `Bearer ${adminToken}` },
  });
  expect(response.status).toBe(200);
  return response.json();
}

async function status(gatehouse: TestGatehouse) {
  return analyticsStatusSchema.parse(await ask(gatehouse, "status"));
}

async function storedIds(gatehouse: TestGatehouse): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | undefined = ""; cursor !== undefined; ) {
    const more: string = cursor === "" ? "" : `&cursor=${cursor}`;
    const page: z.output<typeof pageSchema> = pageSchema.parse(await ask(gatehouse, `exchanges?limit=200${more}`));
    ids.push(...page.items.map((row) => row.exchange_id));
    cursor = page.next;
  }
  return ids;
}

async function chat({ url, key }: TestApi): Promise<{ readonly status: number; readonly id: string }> {
  const response = await fetch(`${url}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "Hi" }] }),
  });
  await response.arrayBuffer();
  return { status: response.status, id: response.headers.get("x-request-id") ?? "" };
}

describeWithEngine("analytics end to end", () => {
  test("the engine killed under load fails no request and loses no row, and comes back", async () => {
    await using upstream = await startMockUpstream();
    await using gatehouse = await startTestGatehouse(embedded);
    const api = await gatehouse.llm("chat", `${upstream.url}/v1`);
    expect((await status(gatehouse)).state).toBe("idle");

    const answers: { readonly status: number; readonly id: string }[] = [];
    let loading = true;
    const load = Promise.all(
      Array.from({ length: 8 }, async () => {
        while (loading) {
          answers.push(await chat(api));
          await setTimeout(20); // bounded load: the engine, which gives way to everything else, gets its turn
        }
      }),
    );
    try {
      for (let kill = 0; kill < 3; kill += 1) {
        // The engine gives way to everything else: on a busy machine its start alone takes a while.
        await eventually("the engine runs", async () => (await status(gatehouse)).state === "running", 60_000);
        const { pid } = await status(gatehouse);
        if (pid !== null) process.kill(pid, "SIGKILL");
        await eventually("the crash is seen", async () => (await status(gatehouse)).restarts > kill, 20_000);
      }
    } finally {
      loading = false;
      await load;
    }

    expect(answers.length).toBeGreaterThan(100);
    expect(answers.filter((answer) => answer.status !== 200)).toEqual([]);
    await gatehouse.running.spool.flush();
    await eventually("all rows are there", async () => (await status(gatehouse)).backlogBytes === 0, 60_000);
    expect((await storedIds(gatehouse)).toSorted()).toEqual(answers.map(({ id }) => id).toSorted());
    expect(await status(gatehouse)).toMatchObject({ state: "running", restarts: 3, dropped: 0, rejected: 0 });
  }, 330_000);

  test("a row leads back to the configuration that made it", async () => {
    await using upstream = await startMockUpstream();
    await using gatehouse = await startTestGatehouse(embedded);
    const { id } = await chat(await gatehouse.llm("chat", `${upstream.url}/v1`));
    await gatehouse.running.spool.flush();
    await gatehouse.running.analytics.catchUp();
    const { items } = pageSchema.parse(await ask(gatehouse, "exchanges?api=chat"));
    const { hash } = await currentHash(gatehouse);
    expect(items).toEqual([expect.objectContaining({ exchange_id: id, config_hash: hash, api_name: "chat" })]);
  }, 60_000);

  async function currentHash({ running }: TestGatehouse): Promise<{ readonly hash: string }> {
    const response = await fetch(`${running.controlUrl}/api/v1/status`, {
      headers: { authorization: `Bearer ${running.adminToken}` },
    });
    const { configHash } = z.looseObject({ configHash: z.string() }).parse(await response.json());
    return { hash: configHash };
  }
});

test("with analytics off the questions are answered by 501 that names the way out", async () => {
  await using gatehouse = await startTestGatehouse();
  const { controlUrl, adminToken } = gatehouse.running;
  const response = await fetch(`${controlUrl}/api/v1/analytics/traffic`, {
    headers: { authorization: `Bearer ${adminToken}` },
  });
  expect(response.status).toBe(501);
  expect(await response.json()).toMatchObject({
    code: "analytics.not_available",
    detail: expect.stringContaining("CLICKHOUSE_URL"),
  });
});
