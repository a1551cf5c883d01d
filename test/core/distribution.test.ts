import { describe, expect, test } from "vitest";
import { generateApiKey, getApiKey, revokeApiKey } from "../../src/core/api-keys.ts";
import type { CoreContext } from "../../src/core/core-context.ts";
import { currentMessages, takeReport } from "../../src/core/distribution.ts";
import { publishApi } from "../../src/core/publishing.ts";
import { admin, coreFixture, create, kindOf, withChatApi } from "./core-fixture.ts";

const spec = { api: { kind: "LlmApi", name: "chat" }, environment: "production" };

describe("a gateway that connects", () => {
  test("hears the pins, the artifacts, then every live key and every subscription with its state, and of no other keys", async () => {
    await using core = await coreFixture();
    const { api, bot } = await withChatApi(core);
    const gold = await create(core, "Plan", "gold", {});
    const subscription = { application: "bot", api: spec.api, plan: "gold" };
    const active = await create(core, "Subscription", "active", subscription);
    const other = await create(core, "Application", "other", {});
    const asleep = await create(core, "Subscription", "asleep", {
      ...subscription,
      application: "other",
      state: "suspended",
    });
    const live = await generateApiKey(core.context, admin, { metadata: { name: "live" }, spec });
    await generateApiKey(core.context, admin, { metadata: { name: "dead" }, spec });
    await revokeApiKey(core.context, admin, "dead");

    const [pins, held, artifacts, credentials, ...more] = await currentMessages(core.context);
    const { configHash } = await publishApi(core.context, admin, kindOf("LlmApi"), "chat");
    expect(pins).toEqual({ type: "mcp-pins", pins: [] }); // before the artifacts that may ask for them
    expect(held).toEqual({ type: "mcp-held", held: [] });
    expect(artifacts).toMatchObject({ type: "artifacts", set: { hash: configHash, apis: [{ id: api.id }] } });
    if (credentials?.type !== "credentials") return expect.unreachable();
    expect(credentials.records.map(({ publicId }) => publicId)).toEqual([live.row.publicId]);
    expect(Object.keys(credentials.records[0] ?? {})).not.toContain("displayName");
    expect(credentials.subscriptions).toEqual([
      { id: active.id, applicationId: bot.id, apiId: api.id, planId: gold.id, state: "active" },
      { id: asleep.id, applicationId: other.id, apiId: api.id, planId: gold.id, state: "on-hold" },
    ]);
    expect(more).toMatchObject([
      { type: "identity", keyManagers: [{ name: "resident", use: "resident" }], clients: [], revocations: [] },
      { type: "uses.forgotten", forgotten: [] },
      { type: "answers.purged", purges: [] },
    ]);
  });

  test("hears all keys when there are more than a page of them", async () => {
    await using core = await coreFixture();
    await withChatApi(core);
    for (let count = 0; count < 450; count += 1) await generateApiKey(core.context, admin, { spec });
    const credentials = (await currentMessages(core.context)).find(({ type }) => type === "credentials");
    expect(credentials?.type === "credentials" && new Set(credentials.records.map(({ id }) => id)).size).toBe(450);
  });
});

describe("a gateway's report", () => {
  test("sets when a key was last used, never back, and leaves its version alone", async () => {
    await using core = await coreFixture();
    await withChatApi(core);
    const { row } = await generateApiKey(core.context, admin, { metadata: { name: "k1" }, spec });
    core.clock.advance(10_000);
    const usedAtMs = core.clock.now() - 1_000;
    await takeReport(core.context, { type: "credentials.used", used: [{ keyId: row.id, atMs: usedAtMs }] });
    await takeReport(core.context, { type: "credentials.used", used: [{ keyId: row.id, atMs: usedAtMs - 5_000 }] });
    expect(await getApiKey(core.context, "k1")).toMatchObject({ lastUsedAtMs: usedAtMs, version: 1 });
  });

  test("cannot write the future, and unknown keys are skipped", async () => {
    await using core = await coreFixture();
    await withChatApi(core);
    const { row } = await generateApiKey(core.context, admin, { metadata: { name: "k1" }, spec });
    const used = [
      { keyId: row.id, atMs: core.clock.now() + 1e9 },
      { keyId: "key_gone", atMs: core.clock.now() },
    ];
    await takeReport(core.context, { type: "credentials.used", used });
    expect((await getApiKey(core.context, "k1")).lastUsedAtMs).toBe(core.clock.now());
  });

  test("of many keys lets a revocation through before all of them are noted", async () => {
    await using core = await coreFixture();
    await withChatApi(core);
    await generateApiKey(core.context, admin, { metadata: { name: "k1" }, spec });
    const order: string[] = [];
    const { catalog } = core.context;
    const watched: CoreContext = {
      ...core.context,
      catalog: {
        ...catalog,
        transaction: async (work) => {
          const result = await catalog.transaction(work);
          order.push("slice");
          return result;
        },
      },
    };
    const used = Array.from({ length: 1_600 }, (_, index) => ({ keyId: `key_${index}`, atMs: core.clock.now() }));
    const report = takeReport(watched, { type: "credentials.used", used });
    const revocation = revokeApiKey(core.context, admin, "k1").then(() => order.push("revoked"));
    await Promise.all([report, revocation]);
    expect(order).toEqual(["slice", "revoked", "slice", "slice", "slice"]);
  });
});
