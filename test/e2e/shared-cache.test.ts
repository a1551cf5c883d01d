import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../kit/eventually.ts";
import type { GatehouseProcess } from "../kit/gatehouse-process.ts";
import { startRedisServer, withoutRedis } from "../kit/redis-server.ts";
import type { Processes } from "./plane-processes.ts";
import { addToken, newKey, openProcesses } from "./plane-processes.ts";

let processes: Processes;

beforeEach(async () => {
  processes = await openProcesses();
});
afterEach(() => processes[Symbol.asyncDispose]());

async function ask(gateway: GatehouseProcess, key: string, content: string): Promise<string> {
  const answer = await fetch(`${gateway.gatewayUrl}/a/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content }] }),
  });
  await answer.arrayBuffer();
  return `${answer.status} ${answer.headers.get("x-gatehouse-cache")}`;
}

describe.skipIf(withoutRedis)("gateways that share a Redis", () => {
  test("share answers, never those of another key, drop them together, and ask the upstream while Redis is away", async () => {
    await using redis = await startRedisServer();
    const env = { GATEHOUSE_REDIS_URL: redis.url, GATEHOUSE_REDIS_TIMEOUT_MS: "5000" };
    const control = await processes.startControl(env);
    const key = await processes.putUpApi(control, [{ use: "semantic-cache", with: { deadlineMs: 10_000 } }]);
    const another = (await newKey(control, "another")).key;
    const token = await addToken(control);
    const one = await processes.startGateway("one", control, { token, env });
    const two = await processes.startGateway("two", control, { token, env });

    expect(await ask(one, key, "How do I reset my password?")).toBe("200 miss");
    await eventually(
      "the other one has it",
      async () => (await ask(two, key, "How do I reset my password?")) === "200 hit",
    );
    expect(await ask(two, key, "How do I reset the password?")).toBe("200 hit");
    expect(await ask(two, another, "How do I reset my password?")).toBe("200 miss");

    expect((await control.control("POST", "/llm-apis/a/cache:purge")).status).toBeLessThan(300);
    // Who hears of it first empties what they share; who asks before either has heard is still given the old one.
    await eventually("it is dropped", async () => (await ask(two, key, "How do I reset my password?")) === "200 miss");

    await redis.signal("SIGKILL");
    await eventually("it is told", async () => (await ask(one, key, "Is it away?")) === "200 bypass", 15_000);
    expect(await ask(one, key, "Is it away?")).toBe("200 bypass");
    await redis.restart();
    await eventually("it is used again", async () => (await ask(one, key, "Is it back?")) === "200 hit", 15_000);
  });
});
