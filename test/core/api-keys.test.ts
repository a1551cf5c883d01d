import { describe, expect, test } from "vitest";
import { hashApiKey, parseApiKey } from "../../src/core/api-key-format.ts";
import { apiKeyView } from "../../src/core/api-key-spec.ts";
import {
  associateApiKey,
  deleteApiKey,
  dissociateApiKey,
  generateApiKey,
  getApiKey,
  listApiKeys,
  revokeApiKey,
  updateApiKey,
} from "../../src/core/api-keys.ts";
import { undeployApi } from "../../src/core/publishing.ts";
import { regenerateApiKey } from "../../src/core/regenerate-api-key.ts";
import { deleteResource } from "../../src/core/resources.ts";
import type { CoreFixture } from "./core-fixture.ts";
import {
  admin,
  auditActions,
  coreFixture,
  create,
  kindOf,
  llmApiSpec,
  rejection,
  storedKey,
  withChatApi,
} from "./core-fixture.ts";

const spec = { api: { kind: "LlmApi", name: "chat" }, environment: "production" };

async function withKey(more: object = {}) {
  const core = await coreFixture();
  const { api, bot } = await withChatApi(core);
  const made = await generateApiKey(core.context, admin, { metadata: { name: "k1" }, spec: { ...spec, ...more } });
  return { core, api, bot, made };
}

describe("generating", () => {
  test("stores a hash of the key and not the key, and sends the gateways the same", async () => {
    const { core, api, made } = await withKey();
    await using _ = core;
    const row = await storedKey(core, "k1");
    expect(row.hash).toBe(hashApiKey(core.context.pepper.key, made.key).toString("hex"));
    expect(row).toMatchObject({ apiId: api.id, publicId: parseApiKey(made.key), pepperId: "pepper-1", version: 1 });
    const [message] = core.messages;
    if (message?.type !== "credential.put") return expect.unreachable();
    expect(message.record).toMatchObject({ publicId: row.publicId, hash: row.hash, environment: "production" });
    expect(Object.keys(message.record)).not.toContain("name");
    expect(JSON.stringify([row, core.messages])).not.toContain(made.key.slice(20));
  });

  test("makes up a name where none is given", async () => {
    await using core = await coreFixture();
    await withChatApi(core);
    const { row } = await generateApiKey(core.context, admin, { spec });
    expect(row.name).toMatch(/^key-[0-9a-f]{24}$/);
  });

  test.each([
    { name: "never expires by default", more: {}, afterMs: null },
    { name: "never expires when -1 is given", more: { validitySeconds: -1 }, afterMs: null },
    { name: "expires after the seconds given", more: { validitySeconds: 90 }, afterMs: 90_000 },
    { name: "expires at the moment given", more: { expiresAt: "2026-01-01T00:00:05Z" }, afterMs: 5_000 },
  ])("$name", async ({ more, afterMs }) => {
    const { core, made } = await withKey(more);
    await using _ = core;
    expect(made.row.expiresAtMs).toBe(afterMs === null ? null : core.clock.now() + afterMs);
  });

  test.each([
    { name: "an expiry in the past", more: { expiresAt: "2020-01-01T00:00:00Z" }, path: "spec.expiresAt" },
    { name: "an API that is not there", more: { api: { kind: "LlmApi", name: "none" } }, path: "spec.api" },
    { name: "an API of another kind", more: { api: { kind: "McpServer", name: "chat" } }, path: "spec.api" },
    { name: "an application that is not there", more: { application: "none" }, path: "spec.application" },
  ])("refuses $name", async ({ more, path }) => {
    await using core = await coreFixture();
    await withChatApi(core);
    const error = await rejection(generateApiKey(core.context, admin, { spec: { ...spec, ...more } }));
    expect([error.code, error.issues.map((issue) => issue.path)]).toEqual(["resource.invalid", [path]]);
    expect(core.messages).toEqual([]);
  });

  test("another team's API and application look as if they were not there", async () => {
    await using core = await coreFixture();
    await withChatApi(core);
    await create(core, "Team", "payments", {});
    const input = { metadata: { team: "payments" }, spec: { ...spec, application: "bot" } };
    const error = await rejection(generateApiKey(core.context, admin, input));
    expect(error.issues).toEqual([
      { path: "spec.api", message: "there is no LlmApi named chat in team payments" },
      { path: "spec.application", message: "there is no Application named bot in team payments" },
    ]);
  });

  test("a name that is taken is a conflict", async () => {
    const { core } = await withKey();
    await using _ = core;
    const again = generateApiKey(core.context, admin, { metadata: { name: "k1" }, spec });
    expect((await rejection(again)).code).toBe("resource.conflict");
  });
});

describe("revoking", () => {
  test("removes the key at the gateways and keeps the row", async () => {
    const { core, made } = await withKey();
    await using _ = core;
    core.messages.length = 0;
    const row = await revokeApiKey(core.context, admin, "k1");
    expect(core.messages).toEqual([{ type: "credential.removed", publicId: made.row.publicId }]);
    expect(row).toMatchObject({ revokedAtMs: core.clock.now(), version: 2 });
  });

  test("twice tells the gateways again and changes nothing else", async () => {
    const { core } = await withKey();
    await using _ = core;
    const first = await revokeApiKey(core.context, admin, "k1");
    core.messages.length = 0;
    core.clock.advance(1_000);
    expect(await revokeApiKey(core.context, admin, "k1")).toEqual(first);
    expect(core.messages).toHaveLength(1);
    expect((await auditActions(core)).filter((action) => action === "apikey.revoked")).toHaveLength(1);
  });

  test.each([
    { name: "regenerated", work: (core: CoreFixture) => regenerateApiKey(core.context, admin, "k1") },
    { name: "updated", work: (core: CoreFixture) => updateApiKey(core.context, admin, "k1", { spec: {} }, 2) },
    { name: "associated", work: (core: CoreFixture) => associateApiKey(core.context, admin, "k1", "bot") },
    { name: "dissociated", work: (core: CoreFixture) => dissociateApiKey(core.context, admin, "k1") },
  ])("a revoked key cannot be $name", async ({ work }) => {
    const { core } = await withKey();
    await using _ = core;
    await revokeApiKey(core.context, admin, "k1");
    core.messages.length = 0;
    expect((await rejection(work(core))).message).toContain("revoked");
    expect(core.messages).toEqual([]);
  });
});

describe("changing the bounds", () => {
  test("what is absent stays: leaving out a bound never lifts it", async () => {
    const { core, made } = await withKey({ permittedIps: ["10.0.0.0/8"], validitySeconds: 60, allow: ["gpt-*"] });
    await using _ = core;
    const row = await updateApiKey(core.context, admin, "k1", { spec: { displayName: "CI" } }, 1);
    expect(row).toEqual({ ...made.row, displayName: "CI", version: 2 });
  });

  test("null and an empty list lift a bound, and the gateways hear of it", async () => {
    const { core } = await withKey({ permittedIps: ["10.0.0.0/8"], validitySeconds: 60, allow: ["gpt-*"] });
    await using _ = core;
    core.messages.length = 0;
    await updateApiKey(core.context, admin, "k1", { spec: { permittedIps: [], expiresAt: null, allow: null } }, 1);
    expect(core.messages).toMatchObject([
      { type: "credential.put", record: { permittedIps: [], expiresAtMs: null, allow: null } },
    ]);
  });

  test("what was shown can be sent back, also when the key has expired meanwhile", async () => {
    const { core } = await withKey({ application: "bot", validitySeconds: 60, permittedReferrers: ["*.gef.com/*"] });
    await using _ = core;
    core.clock.advance(120_000);
    const shown = apiKeyView(await getApiKey(core.context, "k1"));
    const row = await updateApiKey(core.context, admin, "k1", shown, 1);
    expect({ ...apiKeyView(row), metadata: {} }).toEqual({ ...shown, metadata: {} });
  });

  test("the API, the environment, the application, the name and the team are fixed", async () => {
    const { core } = await withKey();
    await using _ = core;
    await create(core, "LlmApi", "second", llmApiSpec("/second"));
    const other = { api: { kind: "LlmApi", name: "second" }, environment: "sandbox", application: "bot" };
    const input = { metadata: { team: "payments" }, spec: other };
    const error = await rejection(updateApiKey(core.context, admin, "k1", input, 1));
    expect(error.issues.map(({ path }) => path)).toEqual([
      "spec.api",
      "spec.environment",
      "spec.application",
      "metadata.team",
    ]);
    const renamed = { metadata: { name: "k2" }, spec: {} };
    expect((await rejection(updateApiKey(core.context, admin, "k1", renamed, 1))).issues[0]?.path).toBe(
      "metadata.name",
    );
  });

  test("another version than the stored one is refused", async () => {
    const { core } = await withKey();
    await using _ = core;
    expect((await rejection(updateApiKey(core.context, admin, "k1", { spec: {} }, 2))).code).toBe("resource.changed");
  });
});

describe("deleting", () => {
  test("ends the key at the gateways and lets go of its API", async () => {
    const { core, made } = await withKey();
    await using _ = core;
    await undeployApi(core.context, admin, kindOf("LlmApi"), "chat");
    const held = await rejection(deleteResource(core.context, admin, kindOf("LlmApi"), "chat", 1));
    expect(held.issues.map(({ path }) => path)).toEqual(["ApiKey/k1: spec.api"]);
    core.messages.length = 0;
    await deleteApiKey(core.context, admin, "k1", 1);
    expect(core.messages).toEqual([{ type: "credential.removed", publicId: made.row.publicId }]);
    expect((await rejection(getApiKey(core.context, "k1"))).code).toBe("resource.not_found");
    await deleteResource(core.context, admin, kindOf("LlmApi"), "chat", 1);
  });

  test("of another version than the stored one is refused, and the key lives on with all it holds", async () => {
    const { core } = await withKey();
    await using _ = core;
    core.messages.length = 0;
    expect((await rejection(deleteApiKey(core.context, admin, "k1", 4))).code).toBe("resource.changed");
    expect(core.messages).toEqual([]);
    await undeployApi(core.context, admin, kindOf("LlmApi"), "chat");
    const held = await rejection(deleteResource(core.context, admin, kindOf("LlmApi"), "chat", 1));
    expect(held.code).toBe("resource.in_use");
  });
});

test("a list can be narrowed to a team, an API or an application", async () => {
  const { core, bot } = await withKey({ application: "bot" });
  await using _ = core;
  await create(core, "LlmApi", "second", llmApiSpec("/second"));
  const second = { kind: "LlmApi", name: "second" };
  await generateApiKey(core.context, admin, { metadata: { name: "k2" }, spec: { ...spec, api: second } });
  const names = async (filter: Parameters<typeof listApiKeys>[1]) =>
    (await listApiKeys(core.context, filter, { limit: 10 })).rows.map(({ name }) => name);
  expect(await names({})).toEqual(["k1", "k2"]);
  expect(await names({ api: second })).toEqual(["k2"]);
  expect(await names({ application: "bot" })).toEqual(["k1"]);
  expect(await names({ teamId: bot.teamId })).toEqual(["k1", "k2"]);
  expect((await rejection(names({ application: "none" }))).code).toBe("resource.not_found");
});

test("what is shown of a key has names and a mask, and neither hash nor key", async () => {
  const { core, made } = await withKey({ application: "bot", validitySeconds: 60 });
  await using _ = core;
  const view = apiKeyView(await getApiKey(core.context, "k1"));
  expect(view).toMatchObject({
    metadata: { name: "k1", team: "default" },
    spec: { api: { kind: "LlmApi", name: "chat" }, application: "bot", expiresAt: "2026-01-01T00:01:00.000Z" },
    status: { masked: `gh_${made.row.publicId.slice(0, 4)}…`, state: "active", lastUsedAt: null },
  });
  const text = JSON.stringify([view, await core.context.catalog.read.audit.list({}, { limit: 200 })]);
  for (const canary of [made.key.slice(20, 63), made.row.hash, made.row.publicId]) expect(text).not.toContain(canary);
});
