import { describe, expect, test } from "vitest";
import { currentMessages } from "../../src/core/distribution.ts";
import {
  createOauthClient,
  deleteOauthClient,
  getOauthClient,
  listOauthClients,
  replaceOauthClient,
} from "../../src/core/oauth-clients.ts";
import { deleteResource } from "../../src/core/resources.ts";
import type { CoreFixture } from "./core-fixture.ts";
import { admin, auditActions, coreFixture, create, kindOf, rejection } from "./core-fixture.ts";

const spec = { environment: "production" };
const make = (core: CoreFixture, changes: object = {}, name = "backend") =>
  createOauthClient(core.context, admin, "bot", { metadata: { name }, spec: { ...spec, ...changes } });

describe("making a client", () => {
  test("tells the gateways whom its tokens count for, and shows the first secret", async () => {
    await using core = await coreFixture();
    const bot = await create(core, "Application", "bot", {});
    core.messages.length = 0;
    const { row, secret } = await make(core, { environment: "sandbox" });
    expect(secret?.secretValue).toMatch(/^ghs_/);
    const record = {
      clientId: row.clientId,
      keyManagerId: row.keyManagerId,
      applicationId: bot.id,
      teamId: bot.teamId,
      environment: "sandbox",
      name: "backend",
      disabled: false,
    };
    expect(core.messages).toEqual([{ type: "client.put", record }]);
    expect(await currentMessages(core.context)).toContainEqual(expect.objectContaining({ clients: [record] }));
    expect(await auditActions(core)).toEqual(
      expect.arrayContaining(["oauthclient.created", "oauthclient.secret-generated"]),
    );
  });

  test("a public client has no secret", async () => {
    await using core = await withBot();
    const { secret } = await make(core, {
      grantTypes: ["authorization_code"],
      redirectUris: ["http://127.0.0.1/cb"],
      applicationType: "native",
      tokenEndpointAuthMethod: "none",
    });
    expect(secret).toBeUndefined();
  });

  test("an application may have many, each under a name of its own", async () => {
    await using core = await withBot();
    const first = await make(core);
    const second = await make(core, { environment: "sandbox" }, "backend-test");
    expect(second.row.clientId).not.toBe(first.row.clientId);
    expect((await rejection(make(core))).code).toBe("resource.conflict");
    const { rows } = await listOauthClients(core.context, "bot", { limit: 10 });
    expect(rows.map(({ name }) => name)).toEqual(["backend", "backend-test"]);
  });

  test("nobody sees another application's client", async () => {
    await using core = await withBot();
    await create(core, "Application", "other", {});
    const { row } = await make(core);
    const address = { application: "other", clientId: row.clientId };
    expect((await rejection(getOauthClient(core.context, address))).code).toBe("resource.not_found");
    expect((await rejection(deleteOauthClient(core.context, admin, address, 1))).code).toBe("resource.not_found");
    expect((await rejection(replaceOauthClient(core.context, admin, address, { spec }, 1))).code).toBe(
      "resource.not_found",
    );
  });
});

describe("a client is refused", () => {
  const code = { grantTypes: ["authorization_code"] };
  test.each([
    { name: "that would do without PKCE", changes: { pkceRequired: false }, path: "spec.pkceRequired" },
    { name: "with an unknown key manager", changes: { keyManager: "nobody" }, path: "spec.keyManager" },
    { name: "with an id of its own at the resident key manager", changes: { clientId: "me" }, path: "spec.clientId" },
    { name: "without an environment", changes: { environment: undefined }, path: "spec.environment" },
    { name: "with an unknown grant", changes: { grantTypes: ["password"] }, path: "spec.grantTypes[0]" },
    { name: "with no grant", changes: { grantTypes: [] }, path: "spec.grantTypes" },
    { name: "for codes without a redirect URI", changes: code, path: "spec.redirectUris" },
    {
      name: "with a redirect URI with a fragment",
      changes: { ...code, redirectUris: ["https://a.example/cb#x"] },
      path: "spec.redirectUris[0]",
    },
    {
      name: "with a wildcard in a redirect URI",
      changes: { ...code, redirectUris: ["https://a.example/cb", "https://*.example.com/cb"] },
      path: "spec.redirectUris[1]",
    },
    {
      name: "with javascript for a redirect URI",
      changes: { ...code, redirectUris: ["javascript:alert(1)"] },
      path: "spec.redirectUris[0]",
    },
    {
      name: "with the same redirect URI twice",
      changes: { ...code, redirectUris: ["https://a.example/", "https://a.example/"] },
      path: "spec.redirectUris",
    },
    {
      name: "with a pattern that any host matches",
      changes: { ...code, redirectUriPattern: "https://.*/cb" },
      path: "spec.redirectUriPattern",
    },
    {
      name: "with 51 redirect URIs",
      changes: { redirectUris: Array(51).fill("https://a.example/") },
      path: "spec.redirectUris",
    },
    {
      name: "with client credentials and no secret",
      changes: { tokenEndpointAuthMethod: "none" },
      path: "spec.grantTypes",
    },
    {
      name: "with refresh tokens and no code",
      changes: { grantTypes: ["client_credentials", "refresh_token"] },
      path: "spec.grantTypes",
    },
    { name: "with a scope of two words", changes: { scopes: ["read write"] }, path: "spec.scopes[0]" },
    { name: "with access tokens for a second", changes: { accessTokenSeconds: 1 }, path: "spec.accessTokenSeconds" },
    {
      name: "with access tokens for a year",
      changes: { accessTokenSeconds: 31_536_000 },
      path: "spec.accessTokenSeconds",
    },
    { name: "with a field that there is not", changes: { redirect_uris: [] }, path: "spec.redirect_uris" },
  ])("$name", async ({ changes, path }) => {
    await using core = await withBot();
    const error = await rejection(make(core, changes));
    expect(error.code).toBe("resource.invalid");
    expect(error.issues.map((issue) => issue.path)).toContain(path);
    expect((await listOauthClients(core.context, "bot", { limit: 10 })).rows).toEqual([]);
  });

  test("for an application that there is not", async () => {
    await using core = await coreFixture();
    expect((await rejection(make(core))).code).toBe("resource.not_found");
  });

  test("at a key manager that is turned off", async () => {
    await using core = await withBot();
    await create(core, "KeyManager", "old", { use: "oidc", with: {}, enabled: false });
    expect((await rejection(make(core, { keyManager: "old", clientId: "x" }))).message).toMatch(/not enabled/);
  });
});

describe("changing a client", () => {
  test("replaces what may change, and tells the gateways", async () => {
    await using core = await withBot();
    const { row } = await make(core);
    core.messages.length = 0;
    const input = { metadata: { name: "renamed" }, spec: { ...spec, displayName: "Backend", scopes: ["read"] } };
    const after = await replaceOauthClient(core.context, admin, addressOf(row), input, 1);
    expect(after).toMatchObject({
      name: "renamed",
      version: 2,
      metadata: { displayName: "Backend", scopes: ["read"] },
    });
    expect(core.messages).toMatchObject([{ type: "client.put", record: { name: "renamed" } }]);
  });

  test("is refused at another version than the one that was read", async () => {
    await using core = await withBot();
    const { row } = await make(core);
    const error = await rejection(replaceOauthClient(core.context, admin, addressOf(row), { spec }, 2));
    expect(error.code).toBe("resource.changed");
  });

  test.each([
    { changes: { environment: "sandbox" }, path: "spec.environment" },
    { changes: { keyManager: "other" }, path: "spec.keyManager" },
    { changes: { clientId: "other" }, path: "spec.clientId" },
  ])("never touches $path", async ({ changes, path }) => {
    await using core = await withBot();
    const { row } = await make(core);
    const input = { spec: { ...spec, ...changes } };
    const error = await rejection(replaceOauthClient(core.context, admin, addressOf(row), input, 1));
    expect(error.issues).toEqual([{ path, message: "fixed at creation: make another client" }]);
  });
});

describe("deleting", () => {
  test("a client makes its tokens dead everywhere, at once", async () => {
    await using core = await withBot();
    const { row } = await make(core);
    core.messages.length = 0;
    await deleteOauthClient(core.context, admin, addressOf(row), 1);
    const { keyManagerId, clientId } = row;
    const record = { type: "client", id: clientId, keyManagerId, beforeMs: core.clock.now() + 1 };
    expect(core.messages).toMatchObject([
      { type: "client.removed", keyManagerId, clientId },
      { type: "revocation.put", record },
    ]);
    const live = await core.context.catalog.read.revocations.live(core.clock.now(), { limit: 10 });
    expect(live.rows).toMatchObject([record]);
  });

  test("an application that has clients is refused, and says which", async () => {
    await using core = await withBot();
    const { row } = await make(core);
    const error = await rejection(deleteResource(core.context, admin, kindOf("Application"), "bot", 1));
    expect(error).toMatchObject({ code: "resource.in_use" });
    expect(error.message).toContain("OauthClient/backend");
    await deleteOauthClient(core.context, admin, addressOf(row), 1);
    await deleteResource(core.context, admin, kindOf("Application"), "bot", 1);
  });
});

function addressOf({ clientId }: { readonly clientId: string }) {
  return { application: "bot", clientId };
}

async function withBot(): Promise<CoreFixture> {
  const core = await coreFixture();
  await create(core, "Application", "bot", {});
  core.messages.length = 0;
  return core;
}
