import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { asgardeo } from "../../src/identity/asgardeo.ts";
import type { CompiledKeyManager } from "../../src/pipeline/define-key-manager.ts";
import type { TestKeyManagerTools } from "../kit/key-manager-tools.ts";
import { compiled, keyManagerTools } from "../kit/key-manager-tools.ts";
import type { ReplayServer, Turn } from "../kit/replay-server.ts";
import { startReplayServer } from "../kit/replay-server.ts";

// WSO2 Identity Server 7 has Asgardeo's endpoints at its own root, for its first tenant without a path of an organization.

let server: ReplayServer;
let tools: TestKeyManagerTools;
let manager: CompiledKeyManager;

beforeEach(async () => {
  server = await startReplayServer();
  tools = keyManagerTools({ admin: "p@ss:word" });
  const admin = { mgmtClientId: "gatehouse", mgmtClientSecret: "${secret:admin}" };
  const config = {
    ...admin,
    organization: "carbon.super",
    globalScopesResource: "Gatehouse scopes",
    roleCreation: true,
  };
  manager = compiled(asgardeo, { ...config, baseUrl: `${server.url}/` }, tools);
});

afterEach(async () => {
  await tools[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const bearer = { authorization: "Bearer management" };
const basic = { authorization: `Basic ${Buffer.from("gatehouse:p%40ss%3Aword").toString("base64")}` };
const token: Turn = {
  method: "POST",
  url: "/oauth2/token",
  headers: basic,
  answer: { access_token: "management", expires_in: 3600, token_type: "Bearer" },
};
const clients = "/api/identity/oauth2/dcr/v1.1/register";
const resources = "/api/server/v1/api-resources";

/** Plays the turns, runs `work`, and holds the server to have been asked just that, in that order. */
async function exchange<Result>(turns: readonly Turn[], work: () => Promise<Result> | undefined): Promise<Result> {
  server.play(turns);
  const result = await work();
  if (result === undefined) throw new TypeError("it cannot do that");
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

describe("a WSO2 Identity Server by its base URL", () => {
  test("is the issuer of its token endpoint, and is tried step by step", async () => {
    expect(manager.rules.issuers).toEqual([`${server.url}/oauth2/token`]);
    const document = {
      issuer: "{url}/oauth2/token",
      jwks_uri: "{url}/oauth2/jwks",
      token_endpoint: "{url}/oauth2/token",
      introspection_endpoint: "{url}/oauth2/introspect",
      registration_endpoint: `{url}${clients}`,
    };
    const steps = await exchange(
      [
        { url: "/oauth2/token/.well-known/openid-configuration", answer: document },
        {
          url: "/oauth2/jwks",
          answer: {
            keys: [
              { kty: "RSA", kid: "one" },
              { kty: "RSA", kid: "two" },
            ],
          },
        },
        token,
        { url: `${resources}?limit=1`, headers: bearer, answer: { totalResults: 0, apiResources: [] } },
      ],
      () => manager.test(),
    );
    expect(steps).toMatchObject({ ok: true });
    expect(steps.steps[1]?.detail).toBe(`2 keys at ${server.url}/oauth2/jwks`);
  });

  test("registers a client, changes and deletes it", async () => {
    const bot = {
      name: "bot",
      environment: "production",
      grantTypes: ["client_credentials"],
      redirectUris: [],
      scopes: [],
      tokenEndpointAuthMethod: "client_secret_basic",
    } as const;
    const answer = { client_id: "7Pm1", client_secret: "made there", client_secret_expires_at: 0 };
    await exchange(
      [
        token,
        {
          method: "POST",
          url: clients,
          headers: bearer,
          body: { client_name: "bot", token_type_extension: "JWT" },
          status: 201,
          answer,
        },
        { method: "PUT", url: `${clients}/7Pm1`, headers: bearer, body: { client_name: "robot" }, answer },
        { method: "DELETE", url: `${clients}/7Pm1`, headers: bearer, status: 204 },
      ],
      async () => {
        const made = await manager.clients?.create(bot);
        expect(made).toEqual({ clientId: "7Pm1", clientSecret: "made there" });
        await manager.clients?.update("7Pm1", { ...bot, name: "robot" });
        await manager.clients?.delete("7Pm1");
        return true;
      },
    );
  });

  test("gets the scopes of our APIs, and roles that have them", async () => {
    await exchange(
      [
        token,
        { url: `${resources}?limit=2&filter=name%20eq%20Gatehouse%20scopes`, answer: { apiResources: [] } },
        { method: "POST", url: resources, headers: bearer, status: 201, answer: { id: "r-1" } },
        { url: `${resources}/r-1/scopes`, answer: [] },
        {
          method: "PATCH",
          url: `${resources}/r-1`,
          body: { addedScopes: [{ name: "chat:read" }] },
          status: 204,
        },
        {
          method: "POST",
          url: "/scim2/v2/Roles/.search",
          headers: { "content-type": "application/scim+json" },
          body: { filter: "displayName eq apim_primary_manager" },
          answer: { Resources: [] },
        },
        {
          method: "POST",
          url: "/scim2/v2/Roles",
          body: { displayName: "apim_primary_manager", permissions: [{ value: "chat:read" }] },
          status: 201,
        },
      ],
      async () => {
        await manager.scopes?.register([{ name: "chat:read", roles: ["manager"] }]);
        return true;
      },
    );
  });

  test("tells of an opaque token by introspection", async () => {
    const asked = {
      method: "POST",
      url: "/oauth2/introspect",
      headers: basic,
      body: "token=opaque&token_type_hint=access_token",
    };
    const answer = { active: true, client_id: "7Pm1", scope: "chat:read" };
    const claims = await exchange([{ ...asked, answer }], () => manager.introspect?.("opaque"));
    expect(claims).toMatchObject({ active: true, client_id: "7Pm1" });
  });
});
