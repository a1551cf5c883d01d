import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/kernel/clock.ts";
import type { RedisConnection } from "../../../src/store/redis/redis-connection.ts";
import { openRedis } from "../../../src/store/redis/redis-connection.ts";
import { eventually } from "../../kit/eventually.ts";
import { memoryLog } from "../../kit/gatehouse.ts";
import type { RedisServer } from "../../kit/redis-server.ts";
import { startRedisServer, withoutRedis } from "../../kit/redis-server.ts";

const defaults = { cluster: false, keyPrefix: "t:", timeoutMs: 100, connectTimeoutMs: 500 };

describe.skipIf(withoutRedis)("a connection to Redis", () => {
  let server: RedisServer;
  let log: ReturnType<typeof memoryLog>;
  let redis: RedisConnection;

  beforeEach(async () => {
    server = await startRedisServer();
    log = memoryLog();
    redis = openRedis({ ...defaults, url: server.url }, { clock: systemClock, log });
    await redis.settled(2_000);
  });
  afterEach(async () => {
    await redis[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const ping = (): Promise<string> => redis.run((client) => client.ping());
  const refusal = expect.objectContaining({ code: "store.unavailable" });

  test("answers, and says that it is ready", async () => {
    expect(await ping()).toBe("PONG");
    expect(redis.status).toMatchObject({ state: "ready", failure: undefined });
  });

  test("refuses at once while Redis is gone, and is back by itself with one line in the log for each", async () => {
    await server.signal("SIGKILL");
    await eventually("it is seen", () => redis.status.state === "away");
    for (let call = 0; call < 20; call += 1) await expect(ping()).rejects.toEqual(refusal);
    await server.restart();
    await eventually("it is back", async () => (await ping().catch(() => "")) === "PONG", 10_000);
    expect(log.lines.map(({ message }) => message)).toEqual([
      "Redis cannot be used; each policy's onError decides until it can",
      "Redis is back",
    ]);
  });

  test("a Redis that hangs costs its deadline a few times, then nothing, until it answers again", async () => {
    await server.signal("SIGSTOP");
    for (let call = 0; call < 3; call += 1) await expect(ping()).rejects.toEqual(refusal);
    const startedMs = performance.now();
    await Promise.all(Array.from({ length: 1_000 }, () => expect(ping()).rejects.toEqual(refusal)));
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    await server.signal("SIGCONT");
    await eventually("it is back", async () => (await ping().catch(() => "")) === "PONG", 10_000);
  });

  test("hears what is published, also after Redis was restarted", async () => {
    const heard: string[] = [];
    redis.subscribe("t:news", (message) => heard.push(message));
    const publish = (text: string) => redis.run((client) => client.publish("t:news", text)).catch(() => 0);
    await eventually("somebody listens", async () => Number(await publish("one")) === 1, 5_000);
    await eventually("it was heard", () => heard.includes("one"));
    await server.signal("SIGKILL");
    await server.restart();
    await eventually("it listens again", async () => Number(await publish("two")) === 1, 10_000);
    await eventually("it was heard", () => heard.includes("two"));
  });
});

describe.skipIf(withoutRedis)("a Redis that asks for a password", () => {
  test("is opened by the one in the URL; a wrong one is told without the password", async () => {
    await using server = await startRedisServer(["--requirepass", "a-right-one"]);
    const open = (password: string, log = memoryLog()) =>
      openRedis({ ...defaults, url: `redis://:${password}@127.0.0.1:${server.port}` }, { clock: systemClock, log });
    await using right = open("a-right-one");
    await right.settled(2_000);
    expect(await right.run((client) => client.ping())).toBe("PONG");

    const log = memoryLog();
    await using wrong = open("a-wrong-one", log);
    await eventually("it was refused", () => wrong.status.failure !== undefined);
    await expect(wrong.run((client) => client.ping())).rejects.toMatchObject({ code: "store.unavailable" });
    expect(wrong.status.state).toBe("away");
    expect(JSON.stringify([log.lines, wrong.status])).not.toContain("a-wrong-one");
  });
});

test("a Redis that was never there keeps nothing waiting", async () => {
  const log = memoryLog();
  await using redis = openRedis({ ...defaults, url: "redis://127.0.0.1:1" }, { clock: systemClock, log });
  await expect(redis.run((client) => client.ping())).rejects.toMatchObject({ code: "store.unavailable" });
  await eventually("it is told", () => log.lines.length === 1);
});
