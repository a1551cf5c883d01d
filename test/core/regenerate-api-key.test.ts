import { describe, expect, test } from "vitest";
import { hashApiKey } from "../../src/core/api-key-format.ts";
import { apiKeyView } from "../../src/core/api-key-spec.ts";
import { generateApiKey, getApiKey, listApiKeys, revokeApiKey, updateApiKey } from "../../src/core/api-keys.ts";
import { currentMessages } from "../../src/core/distribution.ts";
import { regenerateApiKey } from "../../src/core/regenerate-api-key.ts";
import { admin, coreFixture, rejection, storedKey, withChatApi } from "./core-fixture.ts";

const spec = { api: { kind: "LlmApi", name: "chat" }, environment: "production" };

async function withKey(more: object = {}) {
  const core = await coreFixture();
  const { api, bot } = await withChatApi(core);
  const made = await generateApiKey(core.context, admin, { metadata: { name: "k1" }, spec: { ...spec, ...more } });
  return { core, api, bot, made };
}

describe("regenerating", () => {
  test("kills the old value before the new one is put, and keeps name, association and bounds", async () => {
    const { core, bot, made } = await withKey({ application: "bot", permittedIps: ["10.0.0.0/8"], allow: ["gpt-*"] });
    await using _ = core;
    core.messages.length = 0;
    const again = await regenerateApiKey(core.context, admin, "k1");
    expect(again.key).not.toBe(made.key);
    expect(core.messages).toMatchObject([
      { type: "credential.removed", publicId: made.row.publicId },
      { type: "credential.put", record: { publicId: again.row.publicId } },
    ]);
    expect(again.row).toMatchObject({
      id: made.row.id,
      applicationId: bot.id,
      permittedIps: ["10.0.0.0/8"],
      allow: ["gpt-*"],
      version: 2,
    });
    expect((await storedKey(core, "k1")).hash).toBe(hashApiKey(core.context.pepper.key, again.key).toString("hex"));
  });

  test("with an overlap lets the old value go on, told to the gateways in one message", async () => {
    const { core, made } = await withKey();
    await using _ = core;
    core.messages.length = 0;
    const again = await regenerateApiKey(core.context, admin, "k1", { overlapSeconds: 60 });
    const { publicId, hash, pepperId } = made.row;
    const previous = { publicId, hash, pepperId, expiresAtMs: core.clock.now() + 60_000 };
    expect(core.messages).toMatchObject([
      { type: "credential.put", record: { id: made.row.id, publicId: again.row.publicId, previous } },
    ]);
    expect(apiKeyView(again.row).status.previous).toEqual({
      masked: `gh_${publicId.slice(0, 4)}…`,
      expiresAt: new Date(previous.expiresAtMs).toISOString(),
    });
  });

  test("the older value is shown and sent to gateways no more when its overlap is over", async () => {
    const { core } = await withKey();
    await using _ = core;
    await regenerateApiKey(core.context, admin, "k1", { overlapSeconds: 60 });
    expect(apiKeyView(await getApiKey(core.context, "k1")).status.previous).toBeDefined();
    core.clock.advance(60_000);
    expect(apiKeyView(await getApiKey(core.context, "k1")).status.previous).toBeUndefined();
    const [listed] = (await listApiKeys(core.context, {}, { limit: 10 })).rows;
    expect(listed?.previous).toBeUndefined();
    const sent = (await currentMessages(core.context)).find(({ type }) => type === "credentials");
    expect(sent).toMatchObject({ records: [{ id: listed?.id }] });
    expect(JSON.stringify(sent)).not.toContain("previous");
    core.messages.length = 0;
    await updateApiKey(core.context, admin, "k1", { spec: { expiresAt: null, allow: null } }, 2);
    expect(JSON.stringify(core.messages)).not.toContain("previous");
    expect((await storedKey(core, "k1")).previous).toBeUndefined();
  });

  test("again in the overlap ends the oldest value: two work at a time, never three", async () => {
    const { core, made } = await withKey();
    await using _ = core;
    const second = await regenerateApiKey(core.context, admin, "k1", { overlapSeconds: 60 });
    core.messages.length = 0;
    const third = await regenerateApiKey(core.context, admin, "k1", { overlapSeconds: 60 });
    expect(core.messages).toMatchObject([
      { type: "credential.removed", publicId: made.row.publicId },
      { type: "credential.put", record: { previous: { publicId: second.row.publicId } } },
    ]);
    await regenerateApiKey(core.context, admin, "k1");
    expect(await storedKey(core, "k1")).not.toHaveProperty("previous");
    expect(core.messages.at(-2)).toEqual({ type: "credential.removed", publicId: third.row.publicId });
  });

  test("in the overlap a revoked key is dead with its older value", async () => {
    const { core } = await withKey();
    await using _ = core;
    const { row } = await regenerateApiKey(core.context, admin, "k1", { overlapSeconds: 60 });
    const revoked = await revokeApiKey(core.context, admin, "k1");
    expect(revoked).not.toHaveProperty("previous");
    expect(core.messages.at(-1)).toEqual({ type: "credential.removed", publicId: row.publicId });
  });

  test("is refused for a key that has expired, which would be dead at once", async () => {
    const { core } = await withKey({ validitySeconds: 60 });
    await using _ = core;
    core.clock.advance(60_000);
    expect((await rejection(regenerateApiKey(core.context, admin, "k1"))).code).toBe("resource.invalid");
  });

  test("is refused for another version than the stored one", async () => {
    const { core } = await withKey();
    await using _ = core;
    expect((await rejection(regenerateApiKey(core.context, admin, "k1", { expectedVersion: 5 }))).code).toBe(
      "resource.changed",
    );
  });
});
