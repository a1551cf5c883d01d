import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { seededRandom } from "../../scripts/eval/random.ts";
import { analyticsStatusSchema } from "../../src/analytics/analytics-reader.ts";
import { tailSpool } from "../../src/analytics/event-spool.ts";
import { describeWithEngine } from "../kit/embedded-clickhouse.ts";
import { eventually } from "../kit/eventually.ts";
import type { GatehouseProcess } from "../kit/gatehouse-process.ts";
import { startGatehouseProcess } from "../kit/gatehouse-process.ts";
import { startMockUpstream } from "../kit/mock-upstream.ts";

const kills = 20;
const adminToken = "killed-admin-token-0123456789";
/** What a busy machine may need until its engine, which gives way to everything else, has come up. */
const patienceMs = 120_000;

describeWithEngine("kill -9 of a whole gateway", () => {
  test(`${kills} times, under load, loses no row that was spooled and doubles none`, async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "gatehouse-killed-"));
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    await using upstream = await startMockUpstream();
    const random = seededRandom(9);
    let spooled = 0;
    for (let kill = 0; kill < kills; kill += 1) {
      await using gatehouse = await start(dataDir);
      if (kill === 0) await putUpApi(gatehouse, upstream.url);
      const { answered, ended } = load(gatehouse);
      await eventually("a request is answered", () => answered() > 0, patienceMs);
      await stages[kill % stages.length]?.(gatehouse);
      await delay(random() * 1_200); // random moments of real time, around the second that passes between two inserts
      expect(await gatehouse.end("SIGKILL")).toEqual({ code: null, signal: "SIGKILL" });
      await ended;
      const { exchange } = await spooledIds(dataDir);
      expect(exchange.length).toBeGreaterThanOrEqual(spooled);
      spooled = exchange.length;
    }

    const ids = await spooledIds(dataDir);
    await using last = await start(dataDir);
    await eventually("all rows are there", () => hasEverything(last), patienceMs);
    expect(ids.exchange.length).toBeGreaterThan(kills * 5);
    expect(await storedIds(last, "exchanges")).toEqual(ids.exchange);
    expect(await storedIds(last, "attempts")).toEqual(ids.attempt);
  }, 1_800_000);
});

/** How far a process has come when its end is near: just up, its engine up, rows in the store. */
const stages: readonly ((gatehouse: GatehouseProcess) => Promise<void>)[] = [
  () => Promise.resolve(),
  (gatehouse) => eventually("the engine runs", async () => (await status(gatehouse)).state === "running", patienceMs),
  (gatehouse) => eventually("rows are written", async () => (await status(gatehouse)).written > 0, patienceMs),
];

const env = { GATEHOUSE_ANALYTICS_MODE: "embedded", GATEHOUSE_NETWORK_ALLOW_KEYLESS: "true" };

function start(dataDir: string): Promise<GatehouseProcess> {
  return startGatehouseProcess({ dataDir, adminToken, env });
}

async function putUpApi(gatehouse: GatehouseProcess, upstreamUrl: string): Promise<void> {
  const spec = {
    provider: { use: "openai-compatible", with: { baseUrl: upstreamUrl } },
    api: {
      context: "/killed",
      security: { apiKey: false, keyless: true },
      upstream: { production: { targets: [{ provider: "far" }] }, sandbox: { sameAs: "production" } },
    },
  };
  const documents = [
    { apiVersion: "gatehouse/v1", kind: "LlmProvider", metadata: { name: "far" }, spec: spec.provider },
    { apiVersion: "gatehouse/v1", kind: "LlmApi", metadata: { name: "killed" }, spec: spec.api },
  ].map((value) => ({ source: "test", line: 1, value }));
  expect(await gatehouse.control("POST", "/apply", { documents })).toMatchObject({ status: 200 });
}

/** Requests one after the other in two lines, until the process is gone. */
function load(gatehouse: GatehouseProcess): { readonly answered: () => number; readonly ended: Promise<unknown> } {
  let answered = 0;
  const line = async (): Promise<void> => {
    for (;;) {
      const answer = await fetch(`${gatehouse.gatewayUrl}/killed/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "Hello." }] }),
      });
      await answer.text();
      answered += 1;
      await delay(20); // so that the store takes at the end what twenty processes have recorded
    }
  };
  return { answered: () => answered, ended: Promise.allSettled([line(), line()]) };
}

async function status(gatehouse: GatehouseProcess) {
  return analyticsStatusSchema.parse((await gatehouse.control("GET", "/analytics/status")).json);
}

async function hasEverything(gatehouse: GatehouseProcess): Promise<boolean> {
  const { backlogBytes, reason } = await status(gatehouse);
  return backlogBytes === 0 && reason === null;
}

/** The exchanges' ids of all events in the spool, sorted. */
async function spooledIds(dataDir: string): Promise<Readonly<Record<"exchange" | "attempt", readonly string[]>>> {
  const ids = { exchange: [] as string[], attempt: [] as string[] };
  for await (const event of tailSpool({ directory: join(dataDir, "spool"), follow: false })) {
    ids[event.type].push(event.exchange_id);
  }
  return { exchange: ids.exchange.toSorted(), attempt: ids.attempt.toSorted() };
}

const answerSchema = z.looseObject({ data: z.array(z.tuple([z.string()])) });

/** Those of all rows in a table, sorted; of a doubled row twice. */
async function storedIds(gatehouse: GatehouseProcess, table: string): Promise<readonly string[]> {
  const query = `SELECT toString(exchange_id) AS id FROM ${table} ORDER BY id`;
  const answer = await gatehouse.control("POST", "/analytics/sql", { query });
  expect(answer).toMatchObject({ status: 200 });
  return answerSchema.parse(answer.json).data.map(([id]) => id);
}
