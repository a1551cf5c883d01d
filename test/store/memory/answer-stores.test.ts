import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AnswerKeys, KeptAnswer } from "../../../src/pipeline/answer-keeping.ts";
import { createMemoryAnswers } from "../../../src/store/memory/answer-stores.ts";
import { manualClock } from "../../kit/manual-clock.ts";

const apiId = "llm_1";
const wide = { entries: 1_000, bytes: 10_000_000 };
const always = { threshold: 0.9, notBeforeMs: 0 };

function setUp() {
  const clock = manualClock();
  const stores = createMemoryAnswers({ clock });
  const keys = (
    exact: string,
    vectors?: readonly (readonly number[])[],
    more: Partial<AnswerKeys> = {},
  ): AnswerKeys => ({
    apiId,
    generation: 0,
    exact,
    alike: vectors && { group: "g", vectors: vectors.map((vector) => Float32Array.from(vector)) },
    ...more,
  });
  const answer = (text: string, ttlMs = 60_000): KeptAnswer => ({
    status: 200,
    headers: {},
    isStream: false,
    bytes: Buffer.from(text),
    storedAtMs: clock.now(),
    expiresAtMs: clock.now() + ttlMs,
    inputTokens: 1,
    outputTokens: 1,
  });
  const store = stores.at("p");
  const alike = (...vectors: readonly (readonly number[])[]) => ({
    apiId,
    group: "g",
    vectors: vectors.map((vector) => Float32Array.from(vector)),
  });
  const exact = async (key: string, notBeforeMs = 0) => textOf(await store.exact({ apiId, exact: key }, notBeforeMs));
  return { clock, stores, store, keys, answer, alike, exact };
}

function textOf({ answer }: { readonly answer: KeptAnswer | undefined }): string | undefined {
  return answer && Buffer.from(answer.bytes).toString();
}

describe("what is kept", () => {
  test("is found by its key until it expires, and by who wants it fresh only while it is", async () => {
    const { clock, store, keys, answer, exact } = setUp();
    await store.put(keys("a"), answer("one"), wide);
    clock.advance(59_999);
    expect(await exact("a")).toBe("one");
    expect(await exact("a", clock.now() - 59_999)).toBe("one");
    expect(await exact("a", clock.now() - 59_998)).toBeUndefined();
    clock.advance(1);
    expect(await exact("a")).toBeUndefined();
    expect(await exact("b")).toBeUndefined();
  });

  test("is replaced under the same key", async () => {
    const { store, keys, answer, exact, alike } = setUp();
    await store.put(keys("a", [[1, 0]]), answer("one"), wide);
    await store.put(keys("a", [[0, 1]]), answer("two"), wide);
    expect(await exact("a")).toBe("two");
    expect(await store.nearest(alike([1, 0]), always)).toBeUndefined();
  });

  test("makes room for what is newer, what was used last staying longest", async () => {
    const { store, keys, answer, exact } = setUp();
    const bounds = { entries: 2, bytes: 10_000_000 };
    await store.put(keys("a"), answer("a"), bounds);
    await store.put(keys("b"), answer("b"), bounds);
    await exact("a");
    await store.put(keys("c"), answer("c"), bounds);
    expect([await exact("a"), await exact("b"), await exact("c")]).toEqual(["a", undefined, "c"]);
  });

  test("never takes more bytes than it may, and what is larger than all of them is not kept", async () => {
    const { store, keys, answer, exact } = setUp();
    const bounds = { entries: 100, bytes: 9_999 };
    await store.put(keys("a"), answer("a".repeat(4_000)), bounds);
    await store.put(keys("b"), answer("b".repeat(4_000)), bounds);
    expect(await exact("a")).toBeUndefined();
    await store.put(keys("c"), answer("c".repeat(20_000)), bounds);
    expect([await exact("b"), await exact("c")]).toEqual(["b".repeat(4_000), undefined]);
  });

  test("is gone when nobody holds the place any more, and not before", async () => {
    const { stores, store, keys, answer } = setUp();
    const second = stores.at("p");
    await store.put(keys("a"), answer("one"), wide);
    store.release();
    store.release();
    expect(textOf(await second.exact({ apiId, exact: "a" }, 0))).toBe("one");
    second.release();
    expect(textOf(await stores.at("p").exact({ apiId, exact: "a" }, 0))).toBeUndefined();
  });

  test("is not there at another place", async () => {
    const { stores, store, keys, answer } = setUp();
    await store.put(keys("a"), answer("one"), wide);
    expect(textOf(await stores.at("q").exact({ apiId, exact: "a" }, 0))).toBeUndefined();
  });
});

describe("the nearest", () => {
  test("is the one whose furthest piece is nearest, from the threshold on", async () => {
    const { store, keys, answer, alike } = setUp();
    await store.put(
      keys("far", [
        [1, 0],
        [0.8, 0.6],
      ]),
      answer("far"),
      wide,
    );
    await store.put(
      keys("near", [
        [0.96, 0.28],
        [1, 0],
      ]),
      answer("near"),
      wide,
    );
    const found = await store.nearest(alike([1, 0], [1, 0]), { threshold: 0.5, notBeforeMs: 0 });
    expect([found && textOf(found), found?.score.toFixed(2)]).toEqual(["near", "0.96"]);
    expect(await store.nearest(alike([1, 0], [1, 0]), { threshold: 0.97, notBeforeMs: 0 })).toBeUndefined();
  });

  test.each([
    ["of another group", { group: "other" }],
    ["with other dimensions", { vectors: [Float32Array.from([1, 0, 0])] }],
    ["with another number of pieces", { vectors: [Float32Array.from([1, 0]), Float32Array.from([1, 0])] }],
    ["that is no number", { vectors: [Float32Array.from([Number.NaN, 0])] }],
  ])("is none for a question %s", async (_name, wrong) => {
    const { store, keys, answer, alike } = setUp();
    await store.put(keys("a", [[1, 0]]), answer("one"), wide);
    expect(await store.nearest({ ...alike([1, 0]), ...wrong }, always)).toBeUndefined();
    expect(await store.nearest(alike([1, 0]), always)).toMatchObject({ score: 1 });
  });

  test("has its words in the same order where the embedder does not see that", async () => {
    const { store, keys, answer, alike } = setUp();
    const known = { group: "g", vectors: [Float32Array.from([1, 0])], stems: ["dog", "bite", "man"] };
    await store.put(keys("a", undefined, { alike: known }), answer("one"), wide);
    const asked = (...stems: string[]) => store.nearest({ ...alike([1, 0]), stems }, always);
    expect(await asked("man", "bite", "dog")).toBeUndefined();
    expect(await asked("angry", "dog", "bite", "man")).toMatchObject({ score: 1 });
  });

  test("is none of what has expired or is too old for who asks", async () => {
    const { clock, store, keys, answer, alike } = setUp();
    await store.put(keys("a", [[1, 0]]), answer("one"), wide);
    clock.advance(1_000);
    expect(await store.nearest(alike([1, 0]), { threshold: 0.9, notBeforeMs: clock.now() - 999 })).toBeUndefined();
    clock.advance(59_000);
    expect(await store.nearest(alike([1, 0]), always)).toBeUndefined();
  });
});

describe("a purge", () => {
  test("drops what is kept of its API and nothing else, once", async () => {
    const { stores, store, keys, answer, exact } = setUp();
    await store.put(keys("a"), answer("one"), wide);
    await store.put(keys("b", undefined, { apiId: "llm_2" }), answer("two"), wide);
    stores.apply({ type: "answers.purged", purges: [{ apiId, number: 1 }] });
    expect([await exact("a"), textOf(await store.exact({ apiId: "llm_2", exact: "b" }, 0))]).toEqual([
      undefined,
      "two",
    ]);
    const { generation } = await store.exact({ apiId, exact: "a" }, 0);
    await store.put(keys("a", undefined, { generation }), answer("new"), wide);
    stores.apply({ type: "answers.purged", purges: [{ apiId, number: 1 }] });
    expect(await exact("a")).toBe("new");
    stores.apply({ type: "answers.purged", purges: [{ apiId, number: 2 }] });
    expect(await exact("a")).toBeUndefined();
  });

  test("also keeps out the answers that were under way", async () => {
    const { stores, store, keys, answer, exact } = setUp();
    const { generation } = await store.exact({ apiId, exact: "a" }, 0);
    const underWay = keys("a", undefined, { generation });
    stores.apply({ type: "answers.purged", purges: [{ apiId, number: 1 }] });
    await store.put(underWay, answer("old"), wide);
    expect(await exact("a")).toBeUndefined();
  });
});

test("whatever comes in whatever order, the bounds hold and what is found is what was put last", async () => {
  const put = fc.record({ key: fc.integer({ min: 0, max: 9 }), size: fc.integer({ min: 0, max: 3_000 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(put, { maxLength: 60 }), async (puts) => {
      const { store, keys, answer, exact } = setUp();
      const bounds = { entries: 4, bytes: 9_000 };
      const last = new Map<string, string>();
      for (const [at, { key, size }] of puts.entries()) {
        const text = `${at}:${"x".repeat(size)}`;
        await store.put(keys(`k${key}`, [[1, 0]]), answer(text), bounds);
        last.set(`k${key}`, text);
      }
      const found = await Promise.all([...last].map(async ([key, text]) => [await exact(key), text] as const));
      const there = found.filter(([kept]) => kept !== undefined);
      expect(there.every(([kept, text]) => kept === text)).toBe(true);
      expect(there.length).toBeLessThanOrEqual(4);
      expect(there.reduce((sum, [kept]) => sum + (kept?.length ?? 0) + 1_000, 0)).toBeLessThanOrEqual(9_000);
      const lastPut = puts.at(-1);
      if (lastPut !== undefined) expect(await exact(`k${lastPut.key}`)).toBe(last.get(`k${lastPut.key}`));
    }),
    { numRuns: 100 },
  );
});
