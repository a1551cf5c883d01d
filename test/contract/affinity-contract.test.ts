import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/kernel/clock.ts";
import type { AffinityOwner, AffinityStore } from "../../src/pipeline/affinity-store.ts";
import { affinityMs } from "../../src/pipeline/affinity-store.ts";
import { createMemoryAffinity } from "../../src/store/memory/affinity-store.ts";
import { createRedisAffinity } from "../../src/store/redis/affinity-store.ts";
import type { RedisConnection } from "../../src/store/redis/redis-connection.ts";
import { openRedis } from "../../src/store/redis/redis-connection.ts";
import { eventually } from "../kit/eventually.ts";
import { memoryLog } from "../kit/gatehouse.ts";
import { manualClock } from "../kit/manual-clock.ts";
import type { RedisServer } from "../kit/redis-server.ts";
import { startRedisServer, withoutRedis } from "../kit/redis-server.ts";

const owner: AffinityOwner = { target: "openai/gpt", provider: "openai", caller: "key_1", model: "gpt" };

/** What every store of owners promises. `reader` may be another gateway's. */
function promises(open: () => { readonly writer: AffinityStore; readonly reader: AffinityStore }): void {
  const known = async (store: AffinityStore, key: string) => store.find(key);

  test("an owner is found until it is put anew or forgotten", async () => {
    const { writer, reader } = open();
    expect(await known(reader, "one")).toBeUndefined();
    writer.put("one", owner);
    await eventually("it is there", async () => (await known(reader, "one")) !== undefined);
    expect(await known(reader, "one")).toEqual(owner);
    writer.put("one", { ...owner, target: "other" });
    await eventually("it is another", async () => (await known(reader, "one"))?.target === "other");
    writer.forget("one");
    await eventually("it is gone", async () => (await known(reader, "one")) === undefined);
  });

  test("of many who claim an entry at once one gets it", async () => {
    const { writer, reader } = open();
    const owed = { ...owner, charged: { inputTokens: 7, outputTokens: 0 } };
    writer.put("owed", owed);
    await eventually("it is there", async () => (await known(reader, "owed")) !== undefined);
    const claimed = await Promise.all(
      Array.from({ length: 20 }, async (_, at) => (at % 2 ? writer : reader).claim("owed")),
    );
    expect(claimed.filter((each) => each !== undefined)).toEqual([owed]);
    expect(await known(reader, "owed")).toBeUndefined();
  });

  test("keys that begin alike are apart", async () => {
    const { writer, reader } = open();
    writer.put("two", owner);
    await eventually("it is there", async () => (await known(reader, "two")) !== undefined);
    expect(await known(reader, "two/more")).toBeUndefined();
  });
}

describe("owners in memory", () => {
  promises(() => {
    const store = createMemoryAffinity({ clock: manualClock(), maxEntries: 10 });
    return { writer: store, reader: store };
  });

  test("are forgotten after their time, and for want of room those that nobody asked for", () => {
    const clock = manualClock();
    const store = createMemoryAffinity({ clock, maxEntries: 2 });
    store.put("a", owner);
    store.put("b", owner);
    expect(store.find("a")).toEqual(owner);
    store.put("c", owner);
    expect([store.find("a"), store.find("b"), store.find("c")]).toEqual([owner, undefined, owner]);
    clock.advance(affinityMs);
    expect(store.find("a")).toBeUndefined();
  });
});

describe.skipIf(withoutRedis)("owners in Redis", () => {
  let server: RedisServer;
  let connections: readonly RedisConnection[];

  beforeAll(async () => {
    server = await startRedisServer();
    const settings = { url: server.url, cluster: false, keyPrefix: "t:", timeoutMs: 2_000, connectTimeoutMs: 2_000 };
    connections = [0, 1].map(() => openRedis(settings, { clock: systemClock, log: memoryLog() }));
    await Promise.all(connections.map((redis) => redis.settled(5_000)));
  });
  afterAll(async () => {
    for (const redis of connections) await redis[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const [writerAt, readerAt] = [0, 1];
  const storeOf = (index: number): AffinityStore => {
    const redis = connections[index];
    if (redis === undefined) throw new Error("two connections are open");
    return createRedisAffinity({ redis });
  };
  promises(() => ({ writer: storeOf(writerAt), reader: storeOf(readerAt) }));

  test("go by themselves after their time", async () => {
    storeOf(0).put("timed", owner);
    const left = async () => Number(await connections[0]?.run((client) => client.pttl("t:affinity:timed"))); // told as text
    await eventually("it is there", async () => (await left()) > 0);
    expect(await left()).toBeLessThanOrEqual(affinityMs);
  });

  test("that make no sense are as if there were none, and a Redis that is away harms nobody", async () => {
    await connections[0]?.run((client) => client.set("t:affinity:odd", '{"target":1}'));
    await connections[0]?.run((client) => client.set("t:affinity:text", "no JSON"));
    expect([await storeOf(0).find("odd"), await storeOf(0).find("text")]).toEqual([undefined, undefined]);
    const away = createRedisAffinity({ redis: { keyPrefix: "", run: () => Promise.reject(new Error("away")) } });
    away.put("x", owner);
    away.forget("x");
    expect([await away.find("x"), await away.claim("x")]).toEqual([undefined, undefined]);
  });
});
