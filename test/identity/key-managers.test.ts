// long: what the three servers are asked and answer is recorded here, turn by turn, beside what it is to give
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RemoteClientSpec } from "../../src/core/key-manager-connector.ts";
import { asgardeo } from "../../src/identity/asgardeo.ts";
import { asgardeoRoleName } from "../../src/identity/asgardeo-scopes.ts";
import { jwtKeys } from "../../src/identity/jwt-keys.ts";
import { keycloak } from "../../src/identity/keycloak.ts";
import { oidc } from "../../src/identity/oidc.ts";
import type { CompiledKeyManager } from "../../src/pipeline/define-key-manager.ts";
import type { TestKeyManagerTools } from "../kit/key-manager-tools.ts";
import { compiled, keyManagerTools } from "../kit/key-manager-tools.ts";
import type { ReplayServer, Turn } from "../kit/replay-server.ts";
import { startReplayServer } from "../kit/replay-server.ts";

let server: ReplayServer;
let tools: TestKeyManagerTools;

beforeEach(async () => {
  server = await startReplayServer();
  tools = keyManagerTools({ admin: "p@ss:word", registration: "initial-token" });
});

afterEach(async () => {
  await tools[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const bot: RemoteClientSpec = {
  name: "bot",
  environment: "production",
  grantTypes: ["client_credentials", "authorization_code", "refresh_token"],
  redirectUris: ["https://bot.example.com/back"],
  scopes: ["chat:write"],
  tokenEndpointAuthMethod: "client_secret_basic",
  accessTokenSeconds: 900,
};

/** Plays the turns, runs `work`, and holds the server to have been asked just that, in that order. */
async function exchange<Result>(turns: readonly Turn[], work: () => Promise<Result>): Promise<Result> {
  server.play(turns);
  const result = await work();
  expect(server.asked).toMatchObject(
    turns.map(({ method = "GET", url, headers = {}, body }) => ({
      method,
      url,
      headers,
      ...(body === undefined ? {} : { body }),
    })),
  );
  expect(server.left).toBe(0);
  return result;
}

const bearer = { authorization: "Bearer management" };
const basic = { authorization: `Basic ${Buffer.from("gatehouse:p%40ss%3Aword").toString("base64")}` };

function clientsOf(manager: CompiledKeyManager) {
  if (manager.clients === undefined) throw new TypeError("it makes clients");
  return manager.clients;
}

describe("OpenID Connect", () => {
  const discovery = (more: object = {}): Turn => ({
    url: "/.well-known/openid-configuration",
    answer: { issuer: "{url}", jwks_uri: "{url}/keys", registration_endpoint: "{url}/register", ...more },
  });
  const make = (more: object = {}) => compiled(oidc, { issuer: server.url, ...more }, tools);

  test("tells in a test what it found", async () => {
    const keys = { url: "/keys", answer: { keys: [{}, {}] } };
    expect(await exchange([discovery(), keys], () => make().test())).toEqual({
      ok: true,
      steps: [
        { name: "discovery", ok: true, detail: `${server.url}/.well-known/openid-configuration is of ${server.url}` },
        { name: "keys", ok: true, detail: `2 keys at ${server.url}/keys` },
      ],
    });
  });

  test.each([
    ["is of another issuer", { issuer: "https://evil.example.com" }, /evil/],
    ["is of the issuer with a slash", { issuer: "{url}/" }, /is of/],
    ["has no keys", { jwks_uri: undefined }, /jwks_uri/],
    ["names a file", { jwks_uri: "file:///etc/passwd" }, /jwks_uri/],
  ])("does not believe a document that %s", async (_name, more, why) => {
    server.play([discovery(more)]);
    const { ok, steps } = await make().test();
    expect([ok, steps.at(-1)?.detail]).toEqual([false, expect.stringMatching(why)]);
  });

  test("follows no document to another machine of the private network", async () => {
    server.play([discovery({ jwks_uri: "http://127.0.0.2:1/keys" })]);
    const { ok, steps } = await make().test();
    expect([ok, steps.at(-1)]).toMatchObject([
      false,
      { name: "keys", detail: expect.stringContaining("not permitted") },
    ]);
  });

  test("registers, changes and deletes clients", async () => {
    const clients = clientsOf(make({ registration: { initialAccessToken: "${secret:registration}" } }));
    const headers = { authorization: "Bearer initial-token" };
    const metadata = {
      client_name: "bot",
      grant_types: bot.grantTypes,
      redirect_uris: bot.redirectUris,
      token_endpoint_auth_method: "client_secret_basic",
      response_types: ["code"],
      scope: "chat:write",
    };
    const answer = { client_id: "c 1", client_secret: "s" };
    const created = await exchange(
      [discovery(), { method: "POST", url: "/register", headers, body: metadata, status: 201, answer }],
      () => clients.create(bot),
    );
    expect(created).toEqual({ clientId: "c 1", clientSecret: "s" });
    const body = { client_id: "c 1", ...metadata };
    await exchange([{ method: "PUT", url: "/register/c%201", headers, body }], () => clients.update("c 1", bot));
    await exchange([{ method: "DELETE", url: "/register/c%201", headers, status: 204 }], () => clients.delete("c 1"));
    await exchange([{ method: "DELETE", url: "/register/c%201", headers, status: 404 }], () => clients.delete("c 1"));
  });

  test("says that the server refused us, and nothing of the credential", async () => {
    const clients = clientsOf(make({ registration: { initialAccessToken: "${secret:registration}" } }));
    server.play([discovery(), { url: "/register", status: 401, answer: { error: "invalid_token" } }]);
    const error = await clients.create(bot).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "upstream.credentials", detail: "POST /register: 401 invalid_token" });
    expect(JSON.stringify(error)).not.toContain("initial-token");
  });
});

describe("Keycloak", () => {
  const admin = { clientId: "gatehouse", clientSecret: "${secret:admin}" };
  const make = () => compiled(keycloak, { realmUrl: `${server.url}/realms/main`, admin }, tools);
  const token: Turn = {
    method: "POST",
    url: "/realms/main/protocol/openid-connect/token",
    headers: basic,
    body: "grant_type=client_credentials",
    answer: { access_token: "management", expires_in: 60 },
  };
  const found: Turn = {
    url: "/admin/realms/main/clients?clientId=bot",
    headers: bearer,
    answer: [{ id: "u-1", clientId: "bot" }],
  };

  test("makes a client and reads its secret, with one token for both", async () => {
    const created = await exchange(
      [
        token,
        {
          method: "POST",
          url: "/admin/realms/main/clients",
          headers: bearer,
          body: {
            clientId: "bot",
            publicClient: false,
            serviceAccountsEnabled: true,
            standardFlowEnabled: true,
            directAccessGrantsEnabled: false,
            redirectUris: bot.redirectUris,
            attributes: { "pkce.code.challenge.method": "S256", "access.token.lifespan": "900" },
          },
          status: 201,
          answerHeaders: { location: "{url}/admin/realms/main/clients/u-1" },
        },
        {
          url: "/admin/realms/main/clients/u-1/client-secret",
          headers: bearer,
          answer: { type: "secret", value: "theirs" },
        },
      ],
      () => clientsOf(make()).create(bot),
    );
    expect(created).toEqual({ clientId: "bot", clientSecret: "theirs" });
  });

  test("changes, rotates and deletes a client by Keycloak's own id", async () => {
    const clients = clientsOf(make());
    await exchange(
      [token, found, { method: "PUT", url: "/admin/realms/main/clients/u-1", headers: bearer, status: 204 }],
      () => clients.update("bot", bot),
    );
    const secret = { method: "POST", url: "/admin/realms/main/clients/u-1/client-secret", answer: { value: "fresh" } };
    expect(await exchange([found, secret], async () => clients.rotateSecret?.("bot"))).toEqual({
      clientId: "bot",
      clientSecret: "fresh",
    });
    await exchange([found, { method: "DELETE", url: "/admin/realms/main/clients/u-1", status: 204 }], () =>
      clients.delete("bot"),
    );
    await exchange([{ ...found, answer: [] }], () => clients.delete("bot"));
  });

  test("gets another token before the last one ends", async () => {
    const clients = clientsOf(make());
    await exchange([token, { ...found, answer: [] }], () => clients.delete("bot"));
    tools.clock.advance(30_000);
    await exchange([token, { ...found, answer: [] }], () => clients.delete("bot"));
  });

  test("makes scopes and roles that are not there yet", async () => {
    const scopes = make().scopes;
    const turn = (url: string, body: object, status: number): Turn => ({
      method: "POST",
      url,
      headers: bearer,
      body,
      status,
    });
    await exchange(
      [
        token,
        turn("/admin/realms/main/client-scopes", { name: "a", protocol: "openid-connect" }, 201),
        turn("/admin/realms/main/client-scopes", { name: "b", description: "B" }, 409),
        turn("/admin/realms/main/roles", { name: "manager" }, 201),
      ],
      async () =>
        scopes?.register([
          { name: "a", roles: ["manager"] },
          { name: "b", description: "B", roles: ["manager"] },
        ]),
    );
  });

  test("takes access tokens only, and its realm roles for roles", () => {
    const { rules } = make();
    expect(rules.issuers).toEqual([`${server.url}/realms/main`]);
    expect([rules.kindFault?.({ typ: "Bearer" }), rules.kindFault?.({ typ: "ID" }), rules.kindFault?.({})]).toEqual([
      undefined,
      expect.any(String),
      expect.any(String),
    ]);
    expect(rules.rolesClaim).toBe("realm_access.roles");
  });

  test("tells in a test what fails first", async () => {
    const document = {
      url: "/realms/main/.well-known/openid-configuration",
      answer: { issuer: "{url}/realms/main", jwks_uri: "{url}/keys" },
    };
    const turns = [
      document,
      { url: "/keys", answer: { keys: [{}] } },
      { ...token, status: 401, answer: { error: "unauthorized_client" } },
    ];
    const { ok, steps } = await exchange(turns, () => make().test());
    expect(ok).toBe(false);
    expect(steps.map(({ name, ok: went }) => [name, went])).toEqual([
      ["discovery", true],
      ["keys", true],
      ["token", false],
    ]);
    expect(steps.at(-1)?.detail).toContain("unauthorized_client");
  });
});

describe("Asgardeo", () => {
  const make = (more: object = {}) =>
    compiled(
      asgardeo,
      {
        organization: "acme",
        mgmtClientId: "gatehouse",
        mgmtClientSecret: "${secret:admin}",
        globalScopesResource: "Gatehouse scopes",
        baseUrl: `${server.url}/t/acme`,
        ...more,
      },
      tools,
    );
  const token: Turn = {
    method: "POST",
    url: "/t/acme/oauth2/token",
    headers: basic,
    answer: { access_token: "management", expires_in: 3600 },
  };
  const resources = "/t/acme/api/server/v1/api-resources";
  const list = `${resources}?limit=2&filter=name%20eq%20Gatehouse%20scopes`;

  test("is at Asgardeo's own addresses unless a base URL is said", () => {
    const { rules } = make({ baseUrl: undefined });
    expect(rules.issuers).toEqual(["https://api.asgardeo.io/t/acme/oauth2/token"]);
    expect([rules.clientIdClaims, rules.scopeClaims]).toEqual([["azp"], ["scope"]]);
    expect(make({ baseUrl: "https://is.example.com:9443/" }).rules.issuers).toEqual([
      "https://is.example.com:9443/oauth2/token",
    ]);
  });

  test("registers a client whose tokens are JWTs, by a token with the scopes that this takes", async () => {
    const answer = { client_id: "abc", client_secret: "xyz" };
    const body = {
      client_name: "bot",
      token_type_extension: "JWT",
      ext_application_token_lifetime: 900,
      ext_user_token_lifetime: 900,
      ext_pkce_mandatory: true,
      ext_pkce_support_plain: false,
      ext_public_client: false,
    };
    const register = {
      method: "POST",
      url: "/t/acme/api/identity/oauth2/dcr/v1.1/register",
      headers: bearer,
      body,
      status: 201,
      answer,
    };
    expect(await exchange([token, register], () => clientsOf(make()).create(bot))).toEqual({
      clientId: "abc",
      clientSecret: "xyz",
    });
    expect(server.asked[0]?.body).toContain("scope=internal_dcr_create+");
  });

  test("puts all scopes into one API resource, which it makes, and leaves those that are there", async () => {
    const scopes = [{ name: "chat:read" }, { name: "chat:write", displayName: "Write", description: "To write" }];
    await exchange(
      [
        token,
        { url: list, headers: bearer, answer: { totalResults: 0, apiResources: [] } },
        {
          method: "POST",
          url: resources,
          headers: bearer,
          body: { name: "Gatehouse scopes", identifier: "gatehouse-scopes" },
          status: 201,
          answer: { id: "r-1" },
        },
        { url: `${resources}/r-1/scopes`, answer: [{ name: "chat:read" }] },
        {
          method: "PATCH",
          url: `${resources}/r-1`,
          body: { addedScopes: [{ name: "chat:write", displayName: "Write", description: "To write" }] },
          status: 204,
        },
      ],
      async () => make().scopes?.register(scopes),
    );
  });

  test("makes roles where it is told to, and gives those that are there their scopes", async () => {
    const known = [
      { url: list, answer: { apiResources: [{ id: "r-1", name: "Gatehouse scopes" }] } },
      { url: `${resources}/r-1/scopes`, answer: [{ name: "a" }] },
    ];
    const search = (name: string, found: readonly object[]): Turn => ({
      method: "POST",
      url: "/t/acme/scim2/v2/Roles/.search",
      headers: { "content-type": "application/scim+json" },
      body: { filter: `displayName eq ${name}` },
      answer: { Resources: found },
    });
    await exchange(
      [
        token,
        ...known,
        search("apim_primary_manager", []),
        {
          method: "POST",
          url: "/t/acme/scim2/v2/Roles",
          body: { displayName: "apim_primary_manager", permissions: [{ value: "a" }] },
          status: 201,
        },
        search("everyone", [
          { id: "app", displayName: "everyone", audience: { type: "APPLICATION" } },
          { id: "org", displayName: "everyone", audience: { type: "organization" } },
        ]),
        {
          method: "PATCH",
          url: "/t/acme/scim2/v2/Roles/org",
          body: { Operations: [{ op: "add", path: "permissions", value: [{ value: "a" }] }] },
        },
      ],
      async () =>
        make({ roleCreation: true }).scopes?.register([
          { name: "a", roles: ["manager", "Internal/everyone", "Application/x"] },
        ]),
    );
  });

  test("refuses scopes that begin with internal before it asks anybody", async () => {
    await expect(make().scopes?.register([{ name: "internal_login" }])).rejects.toMatchObject({
      code: "resource.invalid",
    });
    expect(server.asked).toEqual([]);
  });

  test.each([
    ["manager", "apim_primary_manager"],
    ["PRIMARY/manager", "apim_primary_manager"],
    ["Internal/manager", "manager"],
    ["Application/manager", undefined],
  ])("calls the role %s %s", (role, there) => {
    expect(asgardeoRoleName(role)).toBe(there);
  });

  test("tells in a test what it found", async () => {
    const document = {
      url: "/t/acme/oauth2/token/.well-known/openid-configuration",
      answer: { issuer: "{url}/t/acme/oauth2/token", jwks_uri: "{url}/t/acme/oauth2/jwks" },
    };
    const turns = [
      document,
      { url: "/t/acme/oauth2/jwks", answer: { keys: [{}] } },
      token,
      { url: `${resources}?limit=1`, headers: bearer, answer: {} },
    ];
    expect(await exchange(turns, () => make().test())).toMatchObject({
      ok: true,
      steps: [{}, {}, {}, { name: "scopes" }],
    });
  });
});

describe("the configuration", () => {
  test.each([
    ["of JWT keys without a key", jwtKeys, { issuer: "x" }],
    [
      "of JWT keys with two sources of keys",
      jwtKeys,
      { issuer: "x", jwksUrl: "https://x.example.com", publicKey: "-----BEGIN PUBLIC KEY-----" },
    ],
    ["of JWT keys with a key for any algorithm", jwtKeys, { issuer: "x", publicKey: "-----BEGIN PUBLIC KEY-----" }],
    ["with a shared secret's algorithm", oidc, { issuer: "https://x.example.com", algorithms: ["HS256"] }],
    ["with no algorithm", oidc, { issuer: "https://x.example.com", algorithms: ["none"] }],
    ["of a realm that is none", keycloak, { realmUrl: "https://x.example.com" }],
    [
      "with a secret in the clear",
      keycloak,
      { realmUrl: "https://x.example.com/realms/a", admin: { clientId: "a", clientSecret: "b" } },
    ],
    [
      "of an organization that is a path",
      asgardeo,
      { organization: "../x", mgmtClientId: "a", mgmtClientSecret: "${secret:a}", globalScopesResource: "r" },
    ],
  ])("%s is refused", (_name, plugin, config) => {
    expect(plugin.config.safeParse(config).success).toBe(false);
  });
});
