import { describe, expect, test } from "vitest";
import { loadConfig } from "../src/config.ts";
import type { KeyManagerConnectors } from "../src/core/key-manager-connector.ts";
import { createKeyManagerConnectors } from "../src/identity/key-manager-connectors.ts";
import { plainHttpOf } from "../src/network-reach.ts";
import type { CoreFixture } from "./core/core-fixture.ts";
import { coreFixture, create } from "./core/core-fixture.ts";
import { keyManagerTools } from "./kit/key-manager-tools.ts";

/** What `plainHttpOf` makes of the configuration. */
function reachOf(env: string, allowCidrs?: string): (hostname: string) => boolean {
  const flags = { env, ...(allowCidrs !== undefined && { "network.allowCidrs": allowCidrs }) };
  return plainHttpOf(loadConfig({ flags, env: {}, cwd: "/" }));
}

describe("plain http to a key manager", () => {
  const rows = [
    { name: "is fine in development", env: "development", hosts: ["login.example.com", "127.0.0.1"], permitted: true },
    { name: "is none in production", env: "production", hosts: ["login.example.com", "127.0.0.1"], permitted: false },
    {
      name: "is fine in production at listed addresses",
      env: "production",
      allowCidrs: "10.0.0.0/8,127.0.0.0/8,::1/128",
      hosts: ["10.1.2.3", "[::1]", "localhost"],
      permitted: true,
    },
    {
      name: "is none in production at names, other addresses, and a localhost of which half is listed",
      env: "production",
      allowCidrs: "10.0.0.0/8,127.0.0.0/8",
      hosts: ["keycloak.internal", "192.168.0.1", "localhost", "10.1.2.3.example.com", "[::ffff:192.168.0.1]"],
      permitted: false,
    },
  ];
  test.each(rows)("$name", ({ env, allowCidrs, hosts, permitted }) => {
    const reach = reachOf(env, allowCidrs);
    expect(hosts.map((host) => [host, reach(host)])).toEqual(hosts.map((host) => [host, permitted]));
  });
});

describe("a key manager that is written in production", () => {
  const write = async (use: string, config: object): Promise<CoreFixture> => {
    const core = await coreFixture({ production: true });
    await using tools = keyManagerTools({});
    const keyManagers: KeyManagerConnectors = createKeyManagerConnectors(tools);
    const context = { ...core.context, keyManagers, plainHttp: reachOf("production", "10.0.0.0/8") };
    await create({ ...core, context }, "KeyManager", "far", { use, with: config });
    return core;
  };
  const refused = [
    { use: "oidc", config: { issuer: "http://login.example.com" }, path: "spec.with.issuer" },
    {
      use: "oidc",
      config: { issuer: "https://login.example.com", jwksUrl: "http://keys.example.com/jwks" },
      path: "spec.with.jwksUrl",
    },
    { use: "keycloak", config: { realmUrl: "http://login.example.com/realms/main" }, path: "spec.with.realmUrl" },
    {
      use: "jwt-keys",
      config: { issuer: "http://old.example.com", jwksUrl: "http://old.example.com/jwks" },
      path: "spec.with.jwksUrl",
    },
  ];
  test.each(refused)("is refused as $use with $path over plain http", async ({ use, config, path }) => {
    await expect(write(use, config)).rejects.toMatchObject({
      code: "resource.invalid",
      issues: [{ path, message: expect.stringContaining("network.allowCidrs") }],
    });
  });

  const taken = [
    { name: "at a listed address", use: "oidc", config: { issuer: "http://10.0.0.7/realms/main" } },
    {
      name: "whose issuer is a name that nobody calls",
      use: "jwt-keys",
      config: { issuer: "http://old.example.com", jwksUrl: "https://old.example.com/jwks" },
    },
    {
      name: "whose keys are all that is fetched",
      use: "oidc",
      config: { issuer: "http://login.example.com", jwksUrl: "https://login.example.com/jwks" },
    },
  ];
  test.each(taken)("is taken $name", async ({ use, config }) => {
    await using core = await write(use, config);
    expect(await core.context.catalog.read.resources.find("KeyManager", "far")).toBeDefined();
  });
});
