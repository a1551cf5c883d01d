import { readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { vaultKeyring } from "../../src/core/vault-keys.ts";
import { eventually } from "../kit/eventually.ts";
import { refusedStart } from "../kit/gatehouse-process.ts";
import { chatAnswer } from "../kit/mock-upstream.ts";
import { startRedisServer, withoutRedis } from "../kit/redis-server.ts";
import type { Processes } from "./plane-processes.ts";
import { addToken, call, newKey, openProcesses, upstreamSecret } from "./plane-processes.ts";

let processes: Processes;

beforeEach(async () => {
  processes = await openProcesses();
});
afterEach(() => processes[Symbol.asyncDispose]());

async function filesBelow(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return (await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), "latin1")))).join("\n");
}

describe("gateways that run alone", () => {
  test("serve what their control plane has, and a revocation holds at all of them within a second", async () => {
    const control = await processes.startControl();
    const key = await processes.putUpApi(control);
    const [one, two] = [
      await processes.startGateway("one", control, { token: await addToken(control) }),
      await processes.startGateway("two", control, { token: await addToken(control) }),
    ];
    for (const gateway of [one, two]) expect(await call(gateway, key)).toBe(200);
    expect(processes.upstream.seen.at(-1)?.headers["authorization"]).toBe(`Bearer ${upstreamSecret}`);

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
    const control = await processes.startControl();
    const key = await processes.putUpApi(control);
    const token = await addToken(control);
    const first = await processes.startGateway("one", control, { token });
    const later = await newKey(control, "later");
    expect((await control.control("POST", "/api-keys/first/revoke")).status).toBeLessThan(300);
    await eventually("the changes are there", async () => {
      return (await call(first, later.key)) === 200 && (await call(first, key)) === 401;
    });
    await control.end("SIGKILL");
    expect([await call(first, later.key), await call(first, key)]).toEqual([200, 401]);

    await first.end("SIGKILL");
    const again = await processes.startGateway("one", control);
    expect([await call(again, later.key), await call(again, key)]).toEqual([200, 401]);
    expect(again.printed.err).toContain("started from the copy");
    const kept = await filesBelow(join(processes.root, "one"));
    for (const secret of [upstreamSecret, token, key, later.key]) expect(kept).not.toContain(secret);

    const back = await processes.startControl({}, ["--control-port", new URL(control.controlUrl).port]);
    const newest = await newKey(back, "newest");
    await eventually("it hears again", async () => (await call(again, newest.key)) === 200, 10_000);
  });

  test("a copy that was tampered with, cut off or is of another key is not served", async () => {
    const control = await processes.startControl();
    await processes.putUpApi(control);
    const gateway = await processes.startGateway("one", control, { token: await addToken(control) });
    const { key } = await newKey(control, "later");
    await eventually("the change is there", async () => (await call(gateway, key)) === 200);
    await gateway.end("SIGTERM");
    // The control plane goes on, but refuses: nothing but the copy could be served.
    const options = await processes.gatewayOptions("one", control, { token: "ghgw_wrong-token-of-nobody" });
    const changes = join(processes.root, "one", "feed", "changes.jsonl");
    const untouched = await readFile(changes, "utf8");
    await truncate(changes, 0);
    expect((await refusedStart(options)).err).toContain("There is no copy");
    await writeFile(changes, untouched.replace(/"data":"..../, '"data":"AAAA'));
    expect((await refusedStart(options)).err).toContain("There is no copy");
    await writeFile(changes, untouched);
    const otherKey = { ...options.env, GATEHOUSE_ENCRYPTION_KEY: "99".repeat(32) };
    const refused = await refusedStart({ ...options, env: otherKey });
    expect(refused.err).toContain("There is no copy");
    const [given] = vaultKeyring(otherKey.GATEHOUSE_ENCRYPTION_KEY).ids;
    const [needed] = vaultKeyring(String(options.env?.["GATEHOUSE_ENCRYPTION_KEY"])).ids;
    for (const id of [given, needed]) expect(refused.err).toContain(id);
    const served = await processes.start(options);
    expect(await call(served, key)).toBe(200);
  });

  test("a wrong token starts nothing; a revoked one is told, and the next in the file is taken up", async () => {
    const control = await processes.startControl();
    const key = await processes.putUpApi(control);
    const refused = await refusedStart(
      await processes.gatewayOptions("one", control, { token: "ghgw_wrong-token-of-nobody" }),
    );
    expect(refused.code).not.toBe(0);
    expect(refused.err).toMatch(/refuses this gateway's token/);

    const token = await addToken(control);
    const next = await addToken(control);
    expect((await control.control("POST", "/gateways/default/tokens")).status).toBe(409);
    const gateway = await processes.startGateway("one", control, { token });
    const { json } = await control.control("GET", "/gateways/default/tokens");
    const [first] = (json as { items: { id: string }[] }).items; // both were made above
    expect((await control.control("DELETE", `/gateways/default/tokens/${first?.id}`)).status).toBe(204);
    await eventually("it is told", () => gateway.printed.err.includes("refuses this gateway's token"), 5_000);
    expect(await call(gateway, key)).toBe(200);
    await writeFile(join(processes.root, "one.token"), next);
    await eventually("it is heard again", () => gateway.printed.err.includes("answers again"), 10_000);
  });

  test("report when keys were used", async () => {
    const control = await processes.startControl();
    const key = await processes.putUpApi(control);
    const gateway = await processes.startGateway("one", control, { token: await addToken(control) });
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
    const control = await processes.startControl(env);
    const limit = { use: "rate-limit", with: { requests: 10, windowMs: 86_400_000, per: "api" } };
    const key = await processes.putUpApi(control, [limit]);
    const [one, two] = [
      await processes.startGateway("one", control, { token: await addToken(control), env }),
      await processes.startGateway("two", control, { token: await addToken(control), env }),
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

  test("leave an upstream alone together that asks for it, each by itself while Redis is away", async () => {
    await using redis = await startRedisServer();
    const env = { GATEHOUSE_REDIS_URL: redis.url, GATEHOUSE_REDIS_TIMEOUT_MS: "2000" };
    const control = await processes.startControl(env);
    const key = await processes.putUpApi(control);
    const [one, two] = [
      await processes.startGateway("one", control, { token: await addToken(control), env }),
      await processes.startGateway("two", control, { token: await addToken(control), env }),
    ];
    expect(await call(two, key)).toBe(200);
    processes.upstream.respond((_request, response) => {
      response.writeHead(429, { "content-type": "application/json", "retry-after": "3600" });
      response.end('{"error":{"message":"slow down","type":"rate_limit","param":null,"code":null}}');
    });
    expect(await call(one, key)).toBe(429);
    processes.upstream.respond(chatAnswer("Hello."));
    await eventually("the other one has heard", async () => (await call(two, key)) !== 200, 10_000);
    const seen = processes.upstream.seen.length;
    await redis.signal("SIGKILL");
    for (const gateway of [one, two]) expect(await call(gateway, key)).toBe(503);
    expect(processes.upstream.seen).toHaveLength(seen);
    await eventually("it is told", () => two.printed.err.includes("Redis cannot be used"), 10_000);
  });
});
