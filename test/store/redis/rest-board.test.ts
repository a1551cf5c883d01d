import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/kernel/clock.ts";
import { GatewayError } from "../../../src/kernel/errors.ts";
import type { TargetRest } from "../../../src/pipeline/rest-board.ts";
import type { RedisConnection } from "../../../src/store/redis/redis-connection.ts";
import { openRedis } from "../../../src/store/redis/redis-connection.ts";
import { createRedisRestBoard } from "../../../src/store/redis/rest-board.ts";
import { eventually } from "../../kit/eventually.ts";
import { memoryLog } from "../../kit/gatehouse.ts";
import { manualClock } from "../../kit/manual-clock.ts";
import type { RedisServer } from "../../kit/redis-server.ts";
import { startRedisServer, withoutRedis } from "../../kit/redis-server.ts";

const patienceMs = 15_000;
const longRest: TargetRest = { target: "api_1/production/p", model: "m", restMs: 600_000, asked: false };

describe.skipIf(withoutRedis)("rests that gateways tell each other by Redis", () => {
  let server: RedisServer;
  let connections: readonly RedisConnection[] = [];

  beforeAll(async () => {
    server = await startRedisServer();
    const settings = { url: server.url, cluster: false, keyPrefix: "t:", timeoutMs: 5_000, connectTimeoutMs: 5_000 };
    connections = [0, 1].map(() => openRedis(settings, { clock: systemClock, log: memoryLog() }));
    await Promise.all(connections.map((redis) => redis.settled(patienceMs)));
  });
  beforeEach(() => connectionAt(0).run((client) => client.flushall()));
  afterAll(async () => {
    for (const redis of connections) await redis[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  function connectionAt(index: number): RedisConnection {
    const redis = connections[index];
    if (redis === undefined) throw new Error("two connections are open");
    return redis;
  }
  const boardAt = (index: number) => createRedisRestBoard({ redis: connectionAt(index), clock: systemClock });

  test("reach another gateway with what is left of them, and so does their being called off", async () => {
    const heard: TargetRest[] = [];
    using _following = boardAt(1).follow((rest) => heard.push(rest));
    const teller = boardAt(0);
    teller.tell(longRest);
    await eventually("it is heard", () => heard.length === 1, patienceMs);
    expect(heard[0]).toMatchObject({ target: longRest.target, model: "m", asked: false });
    expect(heard[0]?.restMs).toBeLessThanOrEqual(600_000);
    expect(heard[0]?.restMs).toBeGreaterThan(500_000);
    teller.tell({ ...longRest, restMs: 0 });
    await eventually("its end is heard", () => heard.length === 2, patienceMs);
    expect(heard[1]).toEqual({ ...longRest, restMs: 0 });
  });

  test("reach a gateway that begins later, those that were asked for as such", async () => {
    boardAt(0).tell({ ...longRest, asked: true });
    await eventually("it is kept", async () => (await kept()).length === 1, patienceMs);
    const heard: TargetRest[] = [];
    using _following = boardAt(1).follow((rest) => heard.push(rest));
    await eventually("it is heard", () => heard.length === 1, patienceMs);
    expect(heard[0]).toMatchObject({ target: longRest.target, model: "m", asked: true });
  });

  test("are told once each, however often the gateway looks, and not at all when they run out", async () => {
    const [clock, heard] = [manualClock(), [] as TargetRest[]];
    let reads = 0;
    const counting = {
      keyPrefix: "t:",
      subscribe: () => {},
      run: (call: Parameters<RedisConnection["run"]>[0]) =>
        connectionAt(1)
          .run(call)
          .finally(() => {
            reads += 1;
          }),
    } as Pick<RedisConnection, "run" | "subscribe" | "keyPrefix">; // the same generic call, counted
    boardAt(0).tell({ ...longRest, restMs: 300 });
    boardAt(0).tell({ ...longRest, model: "other" });
    await eventually("they are kept", async () => (await kept()).length === 2, patienceMs);
    using _following = createRedisRestBoard({ redis: counting, clock }).follow((rest) => heard.push(rest));
    for (let read = 1; read <= 4; read += 1) {
      if (read === 3) await eventually("the short one has run out", async () => (await left()) === 1, patienceMs);
      await eventually(`read ${read}`, () => (clock.advance(2_000), reads >= read), patienceMs);
    }
    expect(heard.filter(({ model }) => model === "other")).toHaveLength(1);
    expect(heard.filter(({ restMs }) => restMs === 0)).toEqual([]);
  });

  test("of another make, or longer than any may be, harm nobody", async () => {
    const heard: TargetRest[] = [];
    const endMs = String(Date.now() + 90 * 86_400_000);
    await connectionAt(0).run((client) =>
      client.zadd("t:rests", endMs, "fno JSON", endMs, 'f["a","b"]', endMs, "f[1]"),
    );
    using _following = boardAt(1).follow((rest) => heard.push(rest));
    await eventually("one is heard", () => heard.length > 0, patienceMs);
    expect(heard).toEqual([{ target: "a", model: "b", restMs: 3_600_000, asked: false }]);
  });

  const kept = async () => connectionAt(0).run((client) => client.zrange("t:rests", "0", "-1"));
  const left = async () =>
    connectionAt(0).run(async (client) => Number(await client.zcount("t:rests", Date.now(), "+inf")));
});

test("a Redis that is away costs nobody anything: telling and following go on, and it is asked again", async () => {
  const clock = manualClock();
  let asked = 0;
  const away = {
    keyPrefix: "",
    subscribe: () => {},
    run: () => {
      asked += 1;
      return Promise.reject(new GatewayError("store.unavailable", "away"));
    },
  };
  const board = createRedisRestBoard({ redis: away, clock });
  const following = board.follow(() => expect.unreachable("nothing was told"));
  board.tell(longRest);
  expect(asked).toBe(1);
  clock.advance(20);
  expect(asked).toBe(2);
  await eventually("it is asked again", () => (clock.advance(2_000), asked >= 3));
  following[Symbol.dispose]();
  const atEnd = asked;
  clock.advance(10_000);
  expect(asked).toBe(atEnd);
});
