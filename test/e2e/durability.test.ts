import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { tailSpool } from "../../src/analytics/event-spool.ts";
import { eventually } from "../kit/eventually.ts";
import type { GatehouseProcess } from "../kit/gatehouse-process.ts";
import { refusedStart, startGatehouseProcess } from "../kit/gatehouse-process.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { chunk, done, startMockUpstream } from "../kit/mock-upstream.ts";

const kills = 20;
const adminToken = "durable-admin-token-0123456789";

let dataDir: string;
let upstream: MockUpstream;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "gatehouse-durability-"));
  upstream = await startMockUpstream();
});

afterEach(async () => {
  await upstream[Symbol.asyncDispose]();
  await rm(dataDir, { recursive: true, force: true });
});

test(`${kills} times kill -9 at any moment loses no acknowledged write of the control API`, async () => {
  const acknowledged = nothingYet();
  for (let kill = 0; kill < kills; kill += 1) {
    await using gatehouse = await start();
    if (kill === 0) await putUpApi(gatehouse);
    else await expectEverything(gatehouse, acknowledged);
    const writing = [writeApplications(gatehouse, acknowledged, kill), writeKeys(gatehouse, acknowledged, kill)];
    writing.push(writeSecret(gatehouse, acknowledged));
    const revokedBefore = acknowledged.revoked.length;
    // Every fourth is killed at its first writes, the others once all writers have got through.
    if (kill % 4 > 0) await eventually("a write", () => acknowledged.revoked.length > revokedBefore, 10_000);
    // The moment has to be a random one of real time; nothing waits for it to be long enough.
    await delay(Math.random() * 100);
    expect(await gatehouse.end("SIGKILL")).toEqual({ code: null, signal: "SIGKILL" });
    await Promise.all(writing);
  }
  await using last = await start();
  await expectEverything(last, acknowledged);
  expect(acknowledged.applications.size).toBeGreaterThan(kills / 2);
  expect(acknowledged.live.length).toBeGreaterThan(kills / 2);
  expect(acknowledged.revoked.length).toBeGreaterThan(kills / 2);
  expect(acknowledged.secret).toBeGreaterThan(kills / 2);
}, 120_000);

test("a second start keeps every resource, every key and every row", async () => {
  let key: string;
  let before: unknown[];
  const ids: (string | null)[] = [];
  {
    await using first = await start();
    await putUpApi(first);
    key = await generateKey(first, "kept");
    for (let call = 0; call < 30; call += 1) ids.push((await chat(first, key)).headers.get("x-request-id"));
    before = await shown(first);
    expect(await first.end("SIGTERM")).toEqual({ code: 0, signal: null });
  }
  await using second = await start();
  expect((await chat(second, key)).status).toBe(200);
  expect(withoutLastUse(await shown(second))).toEqual(withoutLastUse(before));
  const rows = await recordedExchanges();
  expect(ids.filter((id) => id === null || !rows.includes(id))).toEqual([]);
  expect(new Set(rows).size).toBe(rows.length);
});

test("a SIGTERM lets a running stream end, and takes no new request meanwhile", async () => {
  await using gatehouse = await start();
  await putUpApi(gatehouse);
  const key = await generateKey(gatehouse, "stream");
  const goOn = Promise.withResolvers<void>();
  upstream.respond(async (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(chunk({ content: "first" }));
    await goOn.promise;
    response.end(chunk({ content: "last" }, { finish: "stop" }) + done);
  });
  const answer = await chat(gatehouse, key, { stream: true });
  const reader = (answer.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader();
  const first = await reader.read();
  expect(first.value).toContain("first");
  const ended = gatehouse.end("SIGTERM");
  await refusesNewRequests(gatehouse);
  goOn.resolve();
  let rest = "";
  for (let next = await reader.read(); !next.done; next = await reader.read()) rest += next.value;
  expect(rest).toMatch(/last[^]*data: \[DONE\]\n\n$/);
  expect(await ended).toEqual({ code: 0, signal: null });
  expect(gatehouse.printed.err).toMatch(/draining[^]*Stopped/);
});

test("a second process on the same data directory is refused, and told who holds it", async () => {
  await using gatehouse = await start();
  const { code, err } = await refusedStart({ dataDir, adminToken });
  expect(code).toBe(1);
  expect(err).toContain(dataDir);
  expect(err).toContain(String(gatehouse.pid));
  expect(err).not.toContain("    at "); // a sentence, not a stack
  expect((await gatehouse.control("GET", "/teams")).status).toBe(200);
});

/** What the process has said yes to. */
interface Acknowledged {
  /** Applications by name, with the highest number written into each. */
  readonly applications: Map<string, number>;
  readonly live: string[];
  readonly revoked: string[];
  /** Number in the value of the provider's secret. */
  secret: number;
}

function nothingYet(): Acknowledged {
  return { applications: new Map(), live: [], revoked: [], secret: 0 };
}

function start(): Promise<GatehouseProcess> {
  return startGatehouseProcess({ dataDir, adminToken });
}

async function putUpApi(gatehouse: GatehouseProcess): Promise<void> {
  expect((await gatehouse.control("PUT", "/secrets/far", { value: "value-0" })).status).toBe(201);
  const spec = {
    provider: { use: "openai-compatible", with: { baseUrl: upstream.url, apiKey: "${secret:far}" } },
    api: {
      context: "/durable",
      upstream: { production: { targets: [{ provider: "far" }] }, sandbox: { sameAs: "production" } },
    },
  };
  const documents = [
    { apiVersion: "gatehouse/v1", kind: "LlmProvider", metadata: { name: "far" }, spec: spec.provider },
    { apiVersion: "gatehouse/v1", kind: "LlmApi", metadata: { name: "durable" }, spec: spec.api },
  ].map((value) => ({ source: "test", line: 1, value }));
  expect(await gatehouse.control("POST", "/apply", { documents })).toMatchObject({ status: 200 });
}

async function writeApplications(gatehouse: GatehouseProcess, acknowledged: Acknowledged, kill: number): Promise<void> {
  await untilKilled(async (turn) => {
    const name = `app-${kill}-${turn}`;
    const created = await gatehouse.control("POST", "/applications", application(name, turn));
    expect(created).toMatchObject({ status: 201 });
    acknowledged.applications.set(name, turn);
    const replaced = await gatehouse.control("PUT", `/applications/${name}`, application(name, turn + 1_000));
    expect(replaced).toMatchObject({ status: 200 });
    acknowledged.applications.set(name, turn + 1_000);
  });
}

async function writeKeys(gatehouse: GatehouseProcess, acknowledged: Acknowledged, kill: number): Promise<void> {
  await untilKilled(async (turn) => {
    acknowledged.live.push(await generateKey(gatehouse, `live-${kill}-${turn}`));
    const revoked = await generateKey(gatehouse, `revoked-${kill}-${turn}`);
    expect(await gatehouse.control("POST", `/api-keys/revoked-${kill}-${turn}/revoke`)).toMatchObject({ status: 200 });
    acknowledged.revoked.push(revoked);
  });
}

async function writeSecret(gatehouse: GatehouseProcess, acknowledged: Acknowledged): Promise<void> {
  await untilKilled(async () => {
    const next = acknowledged.secret + 1;
    expect(await gatehouse.control("PUT", "/secrets/far", { value: `value-${next}` })).toMatchObject({ status: 200 });
    acknowledged.secret = next;
  });
}

/** Turn after turn until the process does not answer any more. A wrong answer is no such end. */
async function untilKilled(write: (turn: number) => Promise<void>): Promise<void> {
  for (let turn = 0; ; turn += 1) {
    try {
      await write(turn);
    } catch (error) {
      const isGone = error instanceof TypeError && /^(fetch failed|terminated)$/.test(error.message);
      if (!isGone) throw error;
      return;
    }
  }
}

async function expectEverything(gatehouse: GatehouseProcess, acknowledged: Acknowledged): Promise<void> {
  const stored = new Map<string, number>();
  for (const item of await list(gatehouse, "/applications")) {
    const { metadata, spec } = item as ReturnType<typeof application>;
    stored.set(metadata.name, Number(spec.displayName));
  }
  const lost = [...acknowledged.applications].filter(([name, number]) => !((stored.get(name) ?? -1) >= number));
  expect(lost).toEqual([]);
  const dead = await Promise.all(acknowledged.live.map((key) => models(gatehouse, key)));
  expect(dead.filter((status) => status !== 200)).toEqual([]);
  const risen = await Promise.all(acknowledged.revoked.map((key) => models(gatehouse, key)));
  expect(risen.filter((status) => status !== 401)).toEqual([]);
  const [key] = acknowledged.live;
  if (key === undefined) return;
  expect((await chat(gatehouse, key)).status).toBe(200);
  const sent = upstream.seen.at(-1)?.headers.authorization ?? "";
  expect(Number(/^Bearer value-(\d+)$/.exec(sent)?.[1])).toBeGreaterThanOrEqual(acknowledged.secret);
  acknowledged.secret = Number(sent.slice("Bearer value-".length)); // one more may have been stored unacknowledged
}

async function refusesNewRequests(gatehouse: GatehouseProcess): Promise<void> {
  for (;;) {
    const ready = await fetch(`${gatehouse.gatewayUrl}/readyz`).catch(() => undefined);
    if (ready === undefined || ready.status === 503) return;
    await delay(5);
  }
}

async function generateKey(gatehouse: GatehouseProcess, name: string): Promise<string> {
  const spec = { api: { kind: "LlmApi", name: "durable" }, environment: "production" };
  const answer = await gatehouse.control("POST", "/api-keys", { metadata: { name }, spec });
  expect(answer).toMatchObject({ status: 201 });
  return (answer.json as { key: string }).key;
}

function chat(gatehouse: GatehouseProcess, key: string, more: object = {}): Promise<Response> {
  return fetch(`${gatehouse.gatewayUrl}/durable/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "Hello." }], ...more }),
  });
}

async function models(gatehouse: GatehouseProcess, key: string): Promise<number> {
  const answer = await fetch(`${gatehouse.gatewayUrl}/durable/v1/models`, { headers: { apikey: key } });
  await answer.text();
  return answer.status;
}

/** Everything that the control API lists. */
async function shown(gatehouse: GatehouseProcess): Promise<unknown[]> {
  const paths = ["/teams", "/llm-providers", "/llm-apis", "/api-keys", "/secrets", "/plans", "/audit"];
  return Promise.all(paths.map((path) => list(gatehouse, path)));
}

async function list(gatehouse: GatehouseProcess, path: string): Promise<unknown[]> {
  const items: unknown[] = [];
  let next: string | undefined = `${path}?limit=200`;
  while (next) {
    const page = await gatehouse.control("GET", next);
    expect(page).toMatchObject({ status: 200 });
    const body = page.json as { items: unknown[]; next?: string }; // as the OpenAPI document says
    items.push(...body.items);
    next = body.next && `${path}?limit=200&cursor=${encodeURIComponent(body.next)}`;
  }
  return items;
}

/** When a key was last used changes with its use. */
function withoutLastUse(lists: unknown[]): unknown {
  return JSON.parse(JSON.stringify(lists, (name, value: unknown) => (name === "lastUsedAt" ? undefined : value)));
}

async function recordedExchanges(): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const event of tailSpool({ directory: join(dataDir, "spool"), follow: false })) {
    if (event.type === "exchange") found.push(event.exchange_id);
  }
  return found;
}

function application(name: string, number: number) {
  return { metadata: { name }, spec: { displayName: String(number) } };
}
