import { describe, expect, test } from "vitest";
import { publishApi } from "../../src/core/publishing.ts";
import { deleteResource, replaceResource } from "../../src/core/resources.ts";
import type { CoreFixture } from "./core-fixture.ts";
import { admin, coreFixture, create, kindOf, llmApiSpec, rejection, withChatApi } from "./core-fixture.ts";

const subscription = kindOf("Subscription");
const spec = { application: "bot", api: { kind: "LlmApi", name: "chat" }, plan: "gold" };

async function subscribed(core: CoreFixture) {
  const { api, bot } = await withChatApi(core);
  const gold = await create(core, "Plan", "gold", {});
  core.messages.length = 0;
  const made = await create(core, "Subscription", "bot-chat", spec);
  return { made, record: { id: made.id, applicationId: bot.id, apiId: api.id, planId: gold.id, state: "active" } };
}

function change(core: CoreFixture, more: object, version = 1) {
  const input = { metadata: { name: "bot-chat" }, spec: { ...spec, ...more } };
  return replaceResource(core.context, admin, subscription, "bot-chat", input, version);
}

describe("a subscription", () => {
  test("reaches the gateways by ids when it is made", async () => {
    await using core = await coreFixture();
    const { record } = await subscribed(core);
    expect(core.messages).toEqual([{ type: "subscription.put", record }]);
  });

  test.each([
    ["blocked", "blocked"],
    ["on-hold", "on-hold"],
    ["suspended", "on-hold"],
  ])("that becomes %s is told of as %s, and as active when it is again", async (state, told) => {
    await using core = await coreFixture();
    const { record } = await subscribed(core);
    core.messages.length = 0;
    await change(core, { state });
    expect(core.messages.at(-1)).toEqual({ type: "subscription.put", record: { ...record, state: told } });
    await change(core, {}, 2);
    expect(core.messages.at(-1)).toEqual({ type: "subscription.put", record });
  });

  test("made on hold reaches the gateways as such, so that they refuse instead of knowing nothing", async () => {
    await using core = await coreFixture();
    await withChatApi(core);
    await create(core, "Plan", "gold", {});
    core.messages.length = 0;
    await create(core, "Subscription", "bot-chat", { ...spec, state: "on-hold" });
    expect(core.messages).toMatchObject([{ type: "subscription.put", record: { state: "on-hold" } }]);
  });

  test("that moves to another API is taken from the first before it is put to the second", async () => {
    await using core = await coreFixture();
    const { made } = await subscribed(core);
    const second = await create(core, "LlmApi", "second", llmApiSpec("/second"));
    await publishApi(core.context, admin, kindOf("LlmApi"), "second");
    core.messages.length = 0;
    await change(core, { api: { kind: "LlmApi", name: "second" } });
    expect(core.messages).toMatchObject([
      { type: "subscription.removed", id: made.id },
      { type: "subscription.put", record: { apiId: second.id } },
    ]);
  });

  test("that is deleted is removed at the gateways", async () => {
    await using core = await coreFixture();
    const { made } = await subscribed(core);
    core.messages.length = 0;
    await deleteResource(core.context, admin, subscription, "bot-chat", 1);
    expect(core.messages).toEqual([{ type: "subscription.removed", id: made.id }]);
  });
});

describe("one per application and API", () => {
  test("a second is a conflict that names the first, and is not kept", async () => {
    await using core = await coreFixture();
    await subscribed(core);
    const error = await rejection(create(core, "Subscription", "again", { ...spec, state: "suspended" }));
    expect(error.code).toBe("resource.conflict");
    expect(error.message).toContain("Subscription/bot-chat");
    expect(await core.context.catalog.read.resources.find("Subscription", "again")).toBeUndefined();
  });

  test("moving one onto another's place is a conflict too", async () => {
    await using core = await coreFixture();
    await subscribed(core);
    await create(core, "Application", "other", {});
    await create(core, "Subscription", "other-chat", { ...spec, application: "other" });
    const input = { metadata: { name: "other-chat" }, spec };
    const moved = replaceResource(core.context, admin, subscription, "other-chat", input, 1);
    expect((await rejection(moved)).code).toBe("resource.conflict");
  });

  test("another application may subscribe to the same API, and the same application to another", async () => {
    await using core = await coreFixture();
    await subscribed(core);
    await create(core, "Application", "other", {});
    await create(core, "LlmApi", "second", llmApiSpec("/second"));
    await create(core, "Subscription", "other-chat", { ...spec, application: "other" });
    await create(core, "Subscription", "bot-second", { ...spec, api: { kind: "LlmApi", name: "second" } });
  });
});
