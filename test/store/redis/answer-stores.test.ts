import { createSecretKey } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/kernel/clock.ts";
import type { AnswerKeys, AnswerStore, KeptAnswer } from "../../../src/pipeline/answer-keeping.ts";
import { createRedisAnswers } from "../../../src/store/redis/answer-stores.ts";
import type { RedisConnection } from "../../../src/store/redis/redis-connection.ts";
import { openRedis } from "../../../src/store/redis/redis-connection.ts";
import { eventually } from "../../kit/eventually.ts";
import { memoryLog } from "../../kit/gatehouse.ts";
import type { RedisServer } from "../../kit/redis-server.ts";
import { startRedisServer, withoutRedis } from "../../kit/redis-server.ts";

const apiId = "llm_1";
const wide = { entries: 1_000, bytes: 10_000_000 };
const always = { threshold: 0.9, notBeforeMs: 0 };
const installation = createSecretKey(Buffer.alloc(32, 7));

describe.skipIf(withoutRedis)("answers that gateways share in Redis", () => {
  let server: RedisServer;
  let redis: RedisConnection;

  beforeAll(async () => {
    server = await startRedisServer();
    const settings = { url: server.url, cluster: false, keyPrefix: "t:", timeoutMs: 10_000, connectTimeoutMs: 10_000 };
    redis = openRedis(settings, { clock: systemClock, log: memoryLog() });
    await redis.settled(15_000);
  });
  beforeEach(() => redis.run((client) => client.flushall()));
  afterAll(async () => {
    await redis[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const gateway = (key = installation) => createRedisAnswers({ redis, clock: systemClock, key });
  const kept = () => redis.run((client) => client.keys("*"));

  test("are found at another gateway, with what is known of them and as they were", async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
    const put = { ...answer(""), bytes, headers: { "content-type": "text/event-stream" }, isStream: true };
    await gateway().at("p").put(keys("a"), put, wide);
    const { answer: found } = await gateway().at("p").exact({ apiId, exact: "a" }, 0);
    expect(found).toMatchObject({ status: 200, headers: put.headers, isStream: true, inputTokens: 3, outputTokens: 4 });
    expect(Buffer.from(found?.bytes ?? []).equals(bytes)).toBe(true);
    expect(found?.storedAtMs).toBeGreaterThan(systemClock.now() - 60_000);
    expect(found?.expiresAtMs).toBeGreaterThan(systemClock.now());
  });

  test("are not found at another place, of another API, or after their time", async () => {
    const stores = gateway();
    await stores.at("p").put(keys("a"), answer("one"), wide);
    await stores.at("p").put(keys("short"), answer("two", 1), wide);
    expect(await textAt(stores.at("p"), "a")).toBe("one");
    expect(await textAt(stores.at("q"), "a")).toBeUndefined();
    expect(await textAt(stores.at("p"), "a", "llm_2")).toBeUndefined();
    await eventually("its time is over", async () => (await textAt(stores.at("p"), "short")) === undefined);
  });

  test("are passed over by who wants one that is fresher, or none", async () => {
    const store = gateway().at("p");
    await store.put(keys("a", [[1, 0]]), answer("one"), wide);
    const nowMs = systemClock.now();
    await eventually("a moment has gone by", () => systemClock.now() > nowMs + 20);
    const fresher = systemClock.now() - 1;
    expect((await store.exact({ apiId, exact: "a" }, fresher)).answer).toBeUndefined();
    expect((await store.exact({ apiId, exact: "a" }, Number.POSITIVE_INFINITY)).answer).toBeUndefined();
    expect(await store.nearest(alike([1, 0]), { threshold: 0.9, notBeforeMs: fresher })).toBeUndefined();
    expect((await store.exact({ apiId, exact: "a" }, nowMs - 600_000)).answer).toBeDefined();
  });

  test("are found by the nearest meaning, with the same words in the same order", async () => {
    const store = gateway().at("p");
    const stems = ["dog", "bite", "man"];
    await store.put(keys("far", [[0.6, 0.8]]), answer("far"), wide);
    await store.put(keys("near", [[0.96, 0.28]]), answer("near"), wide);
    await store.put(keys("words", [[1, 0]], { stems }), answer("words"), wide);
    const asked = { ...alike([1, 0]), stems: ["man", "bite", "dog"] };
    const found = await gateway().at("p").nearest(asked, always);
    expect([found && textOf(found), found?.score.toFixed(2)]).toEqual(["near", "0.96"]);
    expect(await store.nearest({ ...asked, group: "other" }, always)).toBeUndefined();
    expect(await store.nearest({ ...asked, apiId: "llm_2" }, always)).toBeUndefined();
    expect(await store.nearest(asked, { threshold: 0.97, notBeforeMs: 0 })).toBeUndefined();
    const same = await store.nearest({ ...asked, stems }, always);
    expect(same && textOf(same)).toBe("words");
  });

  test("are replaced under the same key, and the former meaning with them", async () => {
    const store = gateway().at("p");
    await store.put(keys("a", [[1, 0]]), answer("one"), wide);
    expect(await store.nearest(alike([1, 0]), always)).toMatchObject({ score: 1 });
    await store.put(keys("a", [[0, 1]]), answer("two"), wide);
    expect(await textAt(store, "a")).toBe("two");
    expect(await store.nearest(alike([1, 0]), always)).toBeUndefined();
  });

  test("make room for newer ones, those that were used last staying longest", async () => {
    const store = gateway().at("p");
    const two = { entries: 2, bytes: 10_000_000 };
    for (const each of ["a", "b"]) await store.put(keys(each), answer(each), two);
    await textAt(store, "a");
    await store.put(keys("c"), answer("c"), two);
    expect(await Promise.all(["a", "b", "c"].map((each) => textAt(store, each)))).toEqual(["a", undefined, "c"]);
    const narrow = { entries: 10, bytes: 3_000 };
    await store.put(keys("d"), answer("d".repeat(1_000)), narrow);
    expect(await Promise.all(["a", "c", "d"].map((each) => textAt(store, each)))).toEqual([
      undefined,
      undefined,
      "d".repeat(1_000),
    ]);
    await store.put(keys("e"), answer("e".repeat(5_000)), narrow);
    expect(await textAt(store, "e")).toBeUndefined();
    expect(await textAt(store, "d")).toBeDefined();
  });

  test("leave no key in Redis that does not end by itself", async () => {
    const store = gateway().at("p");
    await store.put(keys("a", [[1, 0]]), answer("one", 50_000), wide);
    const names = await kept();
    expect(names.length).toBeGreaterThanOrEqual(6);
    const lives = await Promise.all(names.map((name) => redis.run((client) => client.pttl(name)).then(Number)));
    for (const life of lives) expect(life).toBeGreaterThan(0);
    expect(lives.filter((life) => life > 50_000)).toHaveLength(1); // the number of the last purge
  });

  test("cannot be read in Redis, nor their questions, nor moved or made up there", async () => {
    const store = gateway().at("p");
    await store.put(keys("a", [[1, 0]], { stems: ["stemofaquestion"] }), answer("the answer itself"), wide);
    await store.put(keys("b"), answer("another answer"), wide);
    const names = await kept();
    const answers = names.find((name) => name.endsWith(":a")) ?? "";
    const all = await redis.run((client) => client.hgetall(answers));
    const questions = await redis.run((client) => client.hgetall(answers.replace(/a$/, "v")));
    const readable = [...Object.values(all), ...Object.values(questions)].map((text) =>
      Buffer.from(text, "base64").toString("latin1"),
    );
    expect(readable).toHaveLength(3);
    for (const text of readable) expect(text).not.toMatch(/answer|stemof/);
    const [first, second] = Object.entries(all);
    if (first === undefined || second === undefined) throw new Error("two answers are kept");
    await redis.run((client) =>
      client.hset(answers, { [second[0]]: first[1], [first[0]]: `AAAA${first[1].slice(4)}` }),
    );
    expect([await textAt(store, "a"), await textAt(store, "b")]).toEqual([undefined, undefined]);
  });

  test("are nobody's who has another key", async () => {
    await gateway().at("p").put(keys("a"), answer("one"), wide);
    const stranger = gateway(createSecretKey(Buffer.alloc(32, 8))).at("p");
    expect(await textAt(stranger, "a")).toBeUndefined();
  });

  test("are dropped by a purge that any gateway has heard of, those under way at another one too", async () => {
    const [one, two] = [gateway(), gateway()];
    const [first, second] = [one.at("p"), two.at("p")];
    const other = keys("z", undefined, {}, { apiId: "llm_2" });
    await first.put(keys("a", [[1, 0]]), answer("one"), wide);
    await first.put(other, answer("other"), wide);
    const { generation } = await second.exact({ apiId, exact: "b" }, 0);
    one.apply({ type: "answers.purged", purges: [{ apiId, number: 5 }] });
    expect(await textAt(first, "a")).toBeUndefined();
    expect(await first.nearest(alike([1, 0]), always)).toBeUndefined();
    await second.put(keys("b", undefined, {}, { generation }), answer("old"), wide);
    expect(await textAt(second, "b")).toBeUndefined();
    expect(await textAt(second, "z", "llm_2")).toBe("other");
    const asked = await second.exact({ apiId, exact: "b" }, 0);
    await second.put(keys("b", undefined, {}, { generation: asked.generation }), answer("new"), wide);
    two.apply({ type: "answers.purged", purges: [{ apiId, number: 5 }] });
    expect([await textAt(first, "b"), await textAt(second, "b")]).toEqual(["new", "new"]);
  });

  test("are dropped at once by a gateway that has looked at them, though nobody asks", async () => {
    const stores = gateway();
    await stores.at("p").put(keys("a"), answer("one"), wide);
    await textAt(stores.at("p"), "a");
    stores.apply({ type: "answers.purged", purges: [{ apiId, number: 1 }] });
    await eventually("they are gone", async () => (await kept()).every((name) => name.endsWith(":s")));
  });

  test("are compared with the newest five hundred of their group, and with no others", async () => {
    const store = gateway().at("p");
    const many = { entries: 2_000, bytes: 100_000_000 };
    await store.put(keys("old", [[1, 0]]), answer("old"), many);
    const putOthers = async (from: number, until: number) => {
      for (let at = from; at < until; at += 1) await store.put(keys(`k${at}`, [[0, 1]]), answer(`${at}`), many);
    };
    await putOthers(0, 499);
    expect(await store.nearest(alike([1, 0]), always)).toMatchObject({ score: 1 });
    await putOthers(499, 700); // many more, for those of one millisecond have no order
    expect(await store.nearest(alike([1, 0]), always)).toBeUndefined();
    expect(await store.nearest(alike([0, 1]), always)).toMatchObject({ score: 1 });
  });
});

function keys(
  exact: string,
  vectors?: readonly (readonly number[])[],
  { stems }: { readonly stems?: readonly string[] } = {},
  more: Partial<AnswerKeys> = {},
): AnswerKeys {
  const compared = vectors && { ...alike(...vectors), ...(stems && { stems }) };
  return { apiId, generation: 0, exact, alike: compared, ...more };
}

function alike(...vectors: readonly (readonly number[])[]) {
  return { apiId, group: "g", vectors: vectors.map((vector) => Float32Array.from(vector)) };
}

function answer(text: string, ttlMs = 600_000): KeptAnswer {
  const nowMs = systemClock.now();
  const tokens = { inputTokens: 3, outputTokens: 4 };
  const times = { storedAtMs: nowMs, expiresAtMs: nowMs + ttlMs };
  return { status: 200, headers: {}, isStream: false, bytes: Buffer.from(text), ...tokens, ...times };
}

function textOf({ answer: found }: { readonly answer: KeptAnswer | undefined }): string | undefined {
  return found && Buffer.from(found.bytes).toString();
}

async function textAt(store: AnswerStore, exact: string, ofApi = apiId): Promise<string | undefined> {
  return textOf(await store.exact({ apiId: ofApi, exact }, 0));
}
