import { describe, expect, test } from "vitest";
import { associateApiKey, dissociateApiKey, generateApiKey } from "../../src/core/api-keys.ts";
import { deleteResource } from "../../src/core/resources.ts";
import { admin, coreFixture, create, kindOf, rejection, withChatApi } from "./core-fixture.ts";

async function withKey() {
  const core = await coreFixture();
  const { bot } = await withChatApi(core);
  const spec = { api: { kind: "LlmApi", name: "chat" }, environment: "production" };
  await generateApiKey(core.context, admin, { metadata: { name: "k1" }, spec });
  return { core, bot };
}

describe("the association with an application", () => {
  test("is made and ended, holds the application, and reaches the gateways", async () => {
    const { core, bot } = await withKey();
    await using _ = core;
    core.messages.length = 0;
    const row = await associateApiKey(core.context, admin, "k1", "bot");
    expect(row).toMatchObject({ applicationId: bot.id, application: "bot" });
    const inUse = await rejection(deleteResource(core.context, admin, kindOf("Application"), "bot", 1));
    expect(inUse.issues).toEqual([{ path: "ApiKey/k1: spec.application", message: "the key is bound to it" }]);
    expect((await dissociateApiKey(core.context, admin, "k1")).applicationId).toBeNull();
    await deleteResource(core.context, admin, kindOf("Application"), "bot", 1);
    expect(core.messages).toMatchObject([
      { type: "credential.put", record: { applicationId: bot.id } },
      { type: "credential.put", record: { applicationId: null } },
      { type: "uses.forgotten", forgotten: [{ number: 1, applicationId: bot.id }] },
    ]);
  });

  test("with another team's application is refused as if that were not there", async () => {
    const { core } = await withKey();
    await using _ = core;
    await create(core, "Team", "payments", {});
    await create(core, "Application", "theirs", {}, { team: "payments" });
    const error = await rejection(associateApiKey(core.context, admin, "k1", "theirs"));
    expect(error.issues[0]).toEqual({
      path: "spec.application",
      message: "there is no Application named theirs in the key's team",
    });
  });
});
