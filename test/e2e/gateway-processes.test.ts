import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../kit/eventually.ts";
import type { GatehouseProcess } from "../kit/gatehouse-process.ts";
import { refusedStart, startGatehouseProcess } from "../kit/gatehouse-process.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { startMockUpstream } from "../kit/mock-upstream.ts";
import { startRedisServer, withoutRedis } from "../kit/redis-server.ts";

const adminToken = "processes-admin-token-0123456789";
const upstreamSecret = "sk-of-the-upstream-0123456789";

let root: string;
let upstream: MockUpstream;
let open: AsyncDisposableStack;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "gatehouse-processes-"));
  upstream = await startMockUpstream();
  open = new AsyncDisposableStack();
});
afterEach(async () => {
  await open.disposeAsync();
  await upstream[Symbol.asyncDispose]();
  await rm(root, { recursive: true, force: true });
});

async function startControl(
  env: Readonly<Record<string, string>> = {},
  args: readonly string[] = [],
): Promise<GatehouseProcess> {
  const dataDir = join(root, "control");
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  return open.use(await startGatehouseProcess({ dataDir, adminToken, env, args }));
}

/** A gateway that runs alone, with a token of its own or a given one. */
async function startGateway(
  name: string,
  control: GatehouseProcess,
  options: { readonly token?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<GatehouseProcess> {
  return open.use(await startGatehouseProcess(await gatewayOptions(name, control, options)));
}

async function gatewayOptions(
  name: string,
  control: GatehouseProcess,
  { token, env }: { readonly token?: string; readonly env?: Readonly<Record<string, string>> } = {},
) {
  const dataDir = join(root, name);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const tokenFile = join(root, `${name}.token`);
  if (token !== undefined) await writeFile(tokenFile, `${token}\n`, { mode: 0o600 });
  const args = ["--planes", "gateway", "--control-url", control.controlUrl, "--gateway-token-file", tokenFile];
  const encryption = { GATEHOUSE_ENCRYPTION_KEY: "c3".repeat(32) }; // its own, not the control plane's
  const own = { GATEHOUSE_GATEWAY_NODE: name, ...encryption, ...env };
  return { dataDir, adminToken, args, env: own };
}

async function addToken(control: GatehouseProcess, gateway = "default"): Promise<string> {
  const { status, json } = await control.control("POST", `/gateways/${gateway}/tokens`);
  expect(status).toBe(201);
  return (json as { token: string }).token; // the status was looked at
}

async function put(control: GatehouseProcess, path: string, body: unknown): Promise<void> {
  const { status, text } = await control.control("POST", path, body);
  expect({ path, status, text: status < 300 ? "" : text }).toEqual({ path, status: 201, text: "" });
}

/** An API whose upstream wants a secret, a plan of many requests a minute, and a key. */
async function putUpApi(control: GatehouseProcess, policies: readonly unknown[] = []): Promise<string> {
  await control.control("PUT", "/secrets/upstream-key", { value: upstreamSecret });
  const config = { baseUrl: `${upstream.url}/v1`, apiKey: "${secret:upstream-key}" };
  await put(control, "/llm-providers", { metadata: { name: "p" }, spec: { use: "openai-compatible", with: config } });
  const target = { production: { targets: [{ provider: "p" }] }, sandbox: { sameAs: "production" } };
  await put(control, "/llm-apis", { metadata: { name: "a" }, spec: { context: "/a", upstream: target, policies } });
  expect((await control.control("POST", "/llm-apis/a/publish")).status).toBeLessThan(300);
  return (await newKey(control, "first")).key;
}

async function newKey(control: GatehouseProcess, name: string): Promise<{ readonly key: string }> {
  const spec = { api: { kind: "LlmApi", name: "a" }, environment: "production" };
  const { json } = await control.control("POST", "/api-keys", { metadata: { name }, spec });
  return json as { key: string }; // a call with it fails where there is none
}

async function call(gateway: GatehouseProcess, key: string): Promise<number> {
  const response = await fetch(`${gateway.gatewayUrl}/a/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "Hello" }] }),
  });
  await response.arrayBuffer();
  return response.status;
}

async function filesBelow(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return (await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), "latin1")))).join("\n");
}

describe("gateways that run alone", () => {
  test("serve what their control plane has, and a revocation holds at all of them within a second", async () => {
    const control = await startControl();
    const key = await putUpApi(control);
    const [one, two] = [
      await startGateway("one", control, { token: await addToken(control) }),
      await startGateway("two", control, { token: await addToken(control) }),
    ];
    for (const gateway of [one, two]) expect(await call(gateway, key)).toBe(200);
    expect(upstream.seen.at(-1)?.headers["authorization"]).toBe(`Bearer ${upstreamSecret}`);

    const later = await newKey(control, "later");
    await eventually("the new key opens both", async () => {
      return (await call(one, later.key)) === 200 && (await call(two, later.key)) === 200;
    });
    expect((await control.control("POST", "/api-keys/first/revoke")).status).toBeLessThan(300);
    const revokedAtMs = performance.now();
    await eventually("both refuse it", async () => (await call(one, key)) === 401 && (await call(two, key)) === 401);
    expect(performance.now() - revokedAtMs).toBeLessThan(1_000);
    expect(await call(one, later.key)).toBe(200);
  });

  test("go on without their control plane, also after a restart, and keep nothing readable on the disk", async () => {
    const control = await startControl();
    const key = await putUpApi(control);
    const token = await addToken(control);
    const first = await startGateway("one", control, { token });
    const later = await newKey(control, "later");
    expect((await control.control("POST", "/api-keys/first/revoke")).status).toBeLessThan(300);
    await eventually("the changes are there", async () => {
      return (await call(first, later.key)) === 200 && (await call(first, key)) === 401;
    });
    await control.end("SIGKILL");
    expect([await call(first, later.key), await call(first, key)]).toEqual([200, 401]);

    await first.end("SIGKILL");
    const again = await startGateway("one", control);
    expect([await call(again, later.key), await call(again, key)]).toEqual([200, 401]);
    expect(again.printed.err).toContain("started from the copy");
    const kept = await filesBelow(join(root, "one"));
    for (const secret of [upstreamSecret, token, key, later.key]) expect(kept).not.toContain(secret);

    const back = await startControl({}, ["--control-port", new URL(control.controlUrl).port]);
    const newest = await newKey(back, "newest");
    await eventually("it hears again", async () => (await call(again, newest.key)) === 200, 10_000);
  });

  test("a copy that was tampered with, cut off or is of another key is not served", async () => {
    const control = await startControl();
    await putUpApi(control);
    const gateway = await startGateway("one", control, { token: await addToken(control) });
    const { key } = await newKey(control, "later");
    await eventually("the change is there", async () => (await call(gateway, key)) === 200);
    await gateway.end("SIGTERM");
    // The control plane goes on, but refuses: nothing but the copy could be served.
    const options = await gatewayOptions("one", control, { token: "ghgw_wrong-token-of-nobody" });
    const changes = join(root, "one", "feed", "changes.jsonl");
    const untouched = await readFile(changes, "utf8");
    await truncate(changes, 0);
    expect((await refusedStart(options)).err).toContain("There is no copy");
    await writeFile(changes, untouched.replace(/"data":"..../, '"data":"AAAA'));
    expect((await refusedStart(options)).err).toContain("There is no copy");
    await writeFile(changes, untouched);
    const otherKey = { ...options.env, GATEHOUSE_ENCRYPTION_KEY: "99".repeat(32) };
    expect((await refusedStart({ ...options, env: otherKey })).err).toContain("There is no copy");
    const served = open.use(await startGatehouseProcess(options));
    expect(await call(served, key)).toBe(200);
  });

  test("a wrong token starts nothing; a revoked one is told, and the next in the file is taken up", async () => {
    const control = await startControl();
    const key = await putUpApi(control);
    const refused = await refusedStart(await gatewayOptions("one", control, { token: "ghgw_wrong-token-of-nobody" }));
    expect(refused.code).not.toBe(0);
    expect(refused.err).toMatch(/refuses this gateway's token/);

    const token = await addToken(control);
    const next = await addToken(control);
    expect((await control.control("POST", "/gateways/default/tokens")).status).toBe(409);
    const gateway = await startGateway("one", control, { token });
    const { json } = await control.control("GET", "/gateways/default/tokens");
    const [first] = (json as { items: { id: string }[] }).items; // both were made above
    expect((await control.control("DELETE", `/gateways/default/tokens/${first?.id}`)).status).toBe(204);
    await eventually("it is told", () => gateway.printed.err.includes("refuses this gateway's token"), 5_000);
    expect(await call(gateway, key)).toBe(200);
    await writeFile(join(root, "one.token"), next);
    await eventually("it is heard again", () => gateway.printed.err.includes("answers again"), 10_000);
  });

  test("report when keys were used", async () => {
    const control = await startControl();
    const key = await putUpApi(control);
    const gateway = await startGateway("one", control, { token: await addToken(control) });
    expect(await call(gateway, key)).toBe(200);
    await gateway.end("SIGTERM");
    const { json } = await control.control("GET", "/api-keys/first");
    expect(json).toMatchObject({ status: { lastUsedAt: expect.stringMatching(/^20/) } });
  });
});

describe.skipIf(withoutRedis)("gateways that share a Redis", () => {
  test("admit together what one limit admits, and hear of changes by it", async () => {
    await using redis = await startRedisServer();
    const env = {
      GATEHOUSE_REDIS_URL: redis.url,
      GATEHOUSE_GATEWAY_POLL_MS: "60000",
      GATEHOUSE_REDIS_TIMEOUT_MS: "2000",
    };
    const control = await startControl(env);
    const limit = { use: "rate-limit", with: { requests: 10, windowMs: 86_400_000, per: "api" } };
    const key = await putUpApi(control, [limit]);
    const [one, two] = [
      await startGateway("one", control, { token: await addToken(control), env }),
      await startGateway("two", control, { token: await addToken(control), env }),
    ];
    const statuses = await Promise.all(Array.from({ length: 40 }, (_, at) => call(at % 2 === 0 ? one : two, key)));
    expect(statuses.filter((status) => status === 200)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(30);

    expect((await control.control("POST", "/api-keys/first/revoke")).status).toBeLessThan(300);
    await eventually("both have heard", async () => (await call(one, key)) === 401 && (await call(two, key)) === 401);

    const other = await newKey(control, "other");
    await eventually("it is known", async () => (await call(one, other.key)) === 429);
    await redis.signal("SIGKILL");
    await eventually("the policy's onError decides", async () => (await call(one, other.key)) === 503, 5_000);
    for (const gateway of [one, two]) expect((await fetch(`${gateway.gatewayUrl}/readyz`)).status).toBe(200);
    await redis.restart();
    await eventually("it counts again", async () => (await call(one, other.key)) === 200, 10_000);
  });
});
