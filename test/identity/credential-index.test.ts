import { createSecretKey } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LastUse } from "../../src/core/last-uses.ts";
import type { CredentialRecord, PlaneMessage, SubscriptionRecord } from "../../src/core/plane-message.ts";
import type { LiveCredentialIndex } from "../../src/identity/credential-index.ts";
import { createCredentialIndex } from "../../src/identity/credential-index.ts";
import { hmacSha256 } from "../../src/kernel/crypto.ts";
import { manualClock } from "../kit/manual-clock.ts";

const pepper = createSecretKey(Buffer.alloc(32, 7));

function record(publicId: string, over: Partial<CredentialRecord> = {}): CredentialRecord {
  return {
    id: `key_${publicId}` as CredentialRecord["id"], // a test's id
    publicId,
    hash: hmacSha256(pepper, `gh_${publicId}`).toString("hex"),
    pepperId: "pep_1",
    apiId: "llm_1" as CredentialRecord["apiId"], // a test's id
    applicationId: "app_1" as NonNullable<CredentialRecord["applicationId"]>, // a test's id
    environment: "production",
    expiresAtMs: null,
    permittedIps: [],
    permittedReferrers: [],
    allow: null,
    teamId: "team_1",
    budgets: [],
    labels: {},
    ...over,
  };
}

function subscription(id: string, applicationId: string, apiId: string, planId: string): SubscriptionRecord {
  return { id, applicationId, apiId, planId, state: "active" } as SubscriptionRecord; // a test's ids
}

function createIndex(onUsed: (used: readonly LastUse[]) => void | Promise<void> = () => {}) {
  const clock = manualClock();
  return { clock, index: createCredentialIndex({ pepper, pepperId: "pep_1", clock, onUsed }) };
}

function applied(...messages: PlaneMessage[]): LiveCredentialIndex {
  const { index } = createIndex();
  for (const message of messages) index.apply(message);
  return index;
}

describe("keys", () => {
  test("a key matches its own record and no other text does", () => {
    const index = applied({
      type: "credential.put",
      record: record("a", { permittedIps: ["10.0.0.0/8"], allow: ["gpt-*"] }),
    });
    const found = index.find("a");
    expect(found).toEqual(record("a", { permittedIps: ["10.0.0.0/8"], allow: ["gpt-*"] }));
    if (found === undefined) throw new Error("the record is gone");
    expect(index.matches(found, "gh_a")).toBe(true);
    for (const wrong of ["gh_b", "gh_a ", "", "GH_A"]) expect(index.matches(found, wrong)).toBe(false);
  });

  test("a record under another pepper matches nothing, even where its hash would", () => {
    const index = applied({ type: "credential.put", record: record("a", { pepperId: "pep_0" }) });
    expect(index.matches(record("a", { pepperId: "pep_0" }), "gh_a")).toBe(false);
  });

  test.each(["", "00", "zz".repeat(32), `${hmacSha256(pepper, "gh_a").toString("hex")}00`])(
    "a damaged hash %j matches nothing",
    (hash) => {
      expect(applied().matches(record("a", { hash }), "gh_a")).toBe(false);
    },
  );

  test("a revoked key is gone at once", () => {
    const index = applied(
      { type: "credential.put", record: record("a") },
      { type: "credential.removed", publicId: "a" },
    );
    expect(index.find("a")).toBeUndefined();
    expect(index.size).toBe(0);
  });

  test("an older value in its overlap is a key too, the same one, that ends sooner", () => {
    const { hash } = record("old");
    const previous = { publicId: "old", hash, pepperId: "pep_1", expiresAtMs: 1_000 };
    const index = applied({ type: "credential.put", record: record("new", { expiresAtMs: 500, previous }) });
    const old = index.find("old");
    if (old === undefined) return expect.unreachable();
    expect([index.matches(old, "gh_old"), index.matches(old, "gh_new")]).toEqual([true, false]);
    expect(index.recognise("gh_old")).toBe(old);
    expect(old).toMatchObject({ id: "key_new", expiresAtMs: 500, apiId: "llm_1" });
    expect(index.find("new")?.expiresAtMs).toBe(500);
    index.apply({ type: "credential.put", record: record("new", { previous }) });
    expect([index.find("old")?.expiresAtMs, index.find("new")?.expiresAtMs]).toEqual([1_000, null]);
  });

  test.each<{ name: string; message: PlaneMessage }>([
    { name: "the key is revoked", message: { type: "credential.removed", publicId: "new" } },
    { name: "only the older value is ended", message: { type: "credential.removed", publicId: "old" } },
    { name: "the key is put without it", message: { type: "credential.put", record: record("new") } },
  ])("an older value is gone at once when $name", ({ message }) => {
    const previous = { publicId: "old", hash: record("old").hash, pepperId: "pep_1", expiresAtMs: 1_000 };
    const index = applied({ type: "credential.put", record: record("new", { previous }) });
    const old = index.find("old");
    if (old !== undefined) index.matches(old, "gh_old");
    index.apply(message);
    expect(index.find("old")).toBeUndefined();
    expect(index.recognise("gh_old")).toBeUndefined();
  });

  test("a full list replaces all keys and subscriptions that were there", () => {
    const index = applied(
      { type: "credential.put", record: record("old") },
      { type: "subscription.put", record: subscription("sub_1", "app_1", "llm_1", "plan_1") },
      {
        type: "credentials",
        records: [record("new")],
        subscriptions: [subscription("sub_2", "app_2", "llm_2", "plan_2")],
      },
    );
    expect(index.find("old")).toBeUndefined();
    expect(index.find("new")).toEqual(record("new"));
    expect(index.subscription("app_1", "llm_1")).toBeUndefined();
    expect(index.subscription("app_2", "llm_2")).toMatchObject({ planId: "plan_2" });
  });

  test("one that cannot be taken over whole changes nothing", () => {
    const index = applied({ type: "credential.put", record: record("old") });
    const broken = [record("new"), null as unknown as CredentialRecord]; // what a faulty sender might send
    expect(() => index.apply({ type: "credentials", records: broken, subscriptions: [] })).toThrow(TypeError);
    expect(index.find("old")).toEqual(record("old"));
    expect(index.find("new")).toBeUndefined();
  });

  test("names that objects inherit are no keys", () => {
    expect(applied().find("constructor")).toBeUndefined();
    expect(applied().find("__proto__")).toBeUndefined();
  });

  test("messages about other things pass", () => {
    const index = applied({ type: "credential.put", record: record("a") }, { type: "secret.changed", name: "openai" });
    expect(index.size).toBe(1);
  });
});

describe("subscriptions", () => {
  test("one that moved to another API no longer grants the first", () => {
    const index = applied(
      { type: "subscription.put", record: subscription("sub_1", "app_1", "llm_1", "plan_1") },
      { type: "subscription.put", record: subscription("sub_1", "app_1", "llm_2", "plan_1") },
    );
    expect(index.subscription("app_1", "llm_1")).toBeUndefined();
    expect(index.subscription("app_1", "llm_2")).toMatchObject({ planId: "plan_1" });
  });

  test("the end of an older one leaves its successor alone", () => {
    const index = applied(
      { type: "subscription.put", record: subscription("sub_1", "app_1", "llm_1", "plan_1") },
      { type: "subscription.put", record: subscription("sub_2", "app_1", "llm_1", "plan_2") },
      { type: "subscription.removed", id: "sub_1" },
      { type: "subscription.removed", id: "sub_unknown" },
    );
    expect(index.subscription("app_1", "llm_1")).toMatchObject({ planId: "plan_2" });
  });

  test("any order of messages leaves what the last word on each pair says", () => {
    const operations = fc.array(
      fc.record({ id: fc.constantFrom("s1", "s2", "s3"), api: fc.constantFrom("a", "b"), remove: fc.boolean() }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(operations, (list) => {
        const { index } = createIndex();
        let model: { id: string; api: string }[] = [];
        for (const { id, api, remove } of list) {
          model = model.filter((held) => held.id !== id && (remove || held.api !== api));
          if (remove) index.apply({ type: "subscription.removed", id });
          else {
            model.push({ id, api });
            index.apply({ type: "subscription.put", record: subscription(id, "app", api, id) });
          }
        }
        for (const api of ["a", "b"]) {
          expect(index.subscription("app", api)?.planId).toBe(model.find((held) => held.api === api)?.id);
        }
      }),
    );
  });
});

describe("uses", () => {
  test("are reported in batches, each key once with its latest use", () => {
    const batches: (readonly LastUse[])[] = [];
    const { clock, index } = createIndex((used) => void batches.push(used));
    index.used("key_a", 10);
    index.used("key_b", 20);
    index.used("key_a", 30);
    index.used("key_a", 25);
    clock.advance(4_999);
    expect(batches).toEqual([]);
    clock.advance(1);
    clock.advance(60_000);
    expect(batches).toEqual([
      [
        { keyId: "key_a", atMs: 30 },
        { keyId: "key_b", atMs: 20 },
      ],
    ]);
  });

  test("that were flushed are not reported again", () => {
    const batches: unknown[] = [];
    const { clock, index } = createIndex((used) => void batches.push(used));
    index.used("key_a", 10);
    expect(index.flush()).toEqual([{ keyId: "key_a", atMs: 10 }]);
    expect(index.flush()).toEqual([]);
    clock.advance(60_000);
    expect(batches).toEqual([]);
  });

  test("outlive a report that failed", () => {
    let down = true;
    const batches: (readonly LastUse[])[] = [];
    const { clock, index } = createIndex((used) => {
      if (down) throw new Error("the control plane is away");
      batches.push(used);
    });
    index.used("key_a", 10);
    clock.advance(5_000);
    index.used("key_a", 40);
    down = false;
    clock.advance(5_000);
    expect(batches).toEqual([[{ keyId: "key_a", atMs: 40 }]]);
  });

  test("outlive a report that was refused later, and no second one starts meanwhile", async () => {
    const reports: { used: readonly LastUse[]; answer: PromiseWithResolvers<void> }[] = [];
    const { clock, index } = createIndex((used) => {
      const answer = Promise.withResolvers<void>();
      reports.push({ used, answer });
      return answer.promise;
    });
    index.used("key_a", 10);
    clock.advance(5_000);
    index.used("key_b", 20);
    clock.advance(60_000);
    expect(reports).toHaveLength(1);
    reports[0]?.answer.reject(new Error("the store is busy"));
    await new Promise(setImmediate);
    clock.advance(5_000);
    expect(reports[1]?.used).toEqual([
      { keyId: "key_b", atMs: 20 },
      { keyId: "key_a", atMs: 10 },
    ]);
    reports[1]?.answer.resolve();
    await new Promise(setImmediate);
    clock.advance(60_000);
    expect(reports).toHaveLength(2);
  });

  test("cost nothing when there are none: no timer waits", () => {
    const timers: number[] = [];
    const clock = { ...manualClock(), after: (delayMs: number) => (timers.push(delayMs), () => {}) };
    createCredentialIndex({ pepper, pepperId: "pep_1", clock, onUsed: () => {} }).flush();
    expect(timers).toEqual([]);
  });
});
