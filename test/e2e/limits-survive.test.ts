import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { GatehouseProcess } from "../kit/gatehouse-process.ts";
import { startGatehouseProcess } from "../kit/gatehouse-process.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { chunk, startMockUpstream } from "../kit/mock-upstream.ts";

const adminToken = "surviving-admin-token-0123456789";

let dataDir: string;
let upstream: MockUpstream;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "gatehouse-limits-"));
  upstream = await startMockUpstream();
});

afterEach(async () => {
  await upstream[Symbol.asyncDispose]();
  await rm(dataDir, { recursive: true, force: true });
});

test("a day's limit counts on after kill -9, with what was under way; places are free again", async () => {
  let key: string;
  {
    await using first = await start();
    key = await putUpApi(first);
    expect((await chat(first, key)).status).toBe(200);
    expect((await chat(first, key)).status).toBe(200);
    upstream.respond((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(chunk({ content: "never ending" }));
    });
    expect((await chat(first, key, { stream: true })).status).toBe(200); // stands open
    expect((await chat(first, key)).status).toBe(429); // one at a time
    expect(await first.end("SIGKILL")).toEqual({ code: null, signal: "SIGKILL" });
  }
  await upstream[Symbol.asyncDispose]();
  upstream = await startMockUpstream();
  await using second = await start();
  await pointTo(second, upstream.url);
  expect((await chat(second, key)).status).toBe(200);
  const refused = await chat(second, key);
  expect(refused.status).toBe(429);
  expect(refused.headers.get("x-ratelimit-remaining-requests")).toBe("0");
});

test("what a policy counts goes on when its API is published again, and under another limit", async () => {
  await using gatehouse = await start();
  const key = await putUpApi(gatehouse);
  for (let call = 0; call < 4; call += 1) expect((await chat(gatehouse, key)).status).toBe(200);
  await putApi(gatehouse, 4);
  expect((await chat(gatehouse, key)).status).toBe(429);
  await putApi(gatehouse, 5);
  expect((await chat(gatehouse, key)).status).toBe(200);
  expect((await chat(gatehouse, key)).status).toBe(429);
});

function start(): Promise<GatehouseProcess> {
  return startGatehouseProcess({ dataDir, adminToken });
}

async function putUpApi(gatehouse: GatehouseProcess): Promise<string> {
  await pointTo(gatehouse, upstream.url);
  await putApi(gatehouse, 4);
  const spec = { api: { kind: "LlmApi", name: "limited" }, environment: "production" };
  const answer = await gatehouse.control("POST", "/api-keys", { metadata: { name: "one" }, spec });
  expect(answer).toMatchObject({ status: 201 });
  return (answer.json as { key: string }).key; // as the control API promises
}

async function pointTo(gatehouse: GatehouseProcess, baseUrl: string): Promise<void> {
  await apply(gatehouse, "LlmProvider", "far", { use: "openai-compatible", with: { baseUrl } });
}

async function putApi(gatehouse: GatehouseProcess, requests: number): Promise<void> {
  await apply(gatehouse, "LlmApi", "limited", {
    context: "/limited",
    upstream: { production: { targets: [{ provider: "far" }] }, sandbox: { sameAs: "production" } },
    policies: [
      { use: "rate-limit", with: { requests, windowMs: 86_400_000 } },
      { use: "concurrency-limit", with: { requests: 1 } },
    ],
  });
}

async function apply(gatehouse: GatehouseProcess, kind: string, name: string, spec: object): Promise<void> {
  const document = { apiVersion: "gatehouse/v1", kind, metadata: { name }, spec };
  const documents = [{ source: "test", line: 1, value: document }];
  expect(await gatehouse.control("POST", "/apply", { documents })).toMatchObject({ status: 200 });
}

function chat(gatehouse: GatehouseProcess, key: string, more: object = {}): Promise<Response> {
  return fetch(`${gatehouse.gatewayUrl}/limited/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "Hello." }], ...more }),
  });
}
