import { expect, test } from "vitest";
import { takeReport } from "../../src/core/distribution.ts";
import { expireClients } from "../../src/core/expire-clients.ts";
import { storeRegisteredClient } from "../../src/core/registered-client.ts";
import type { CoreFixture } from "./core-fixture.ts";
import { coreFixture } from "./core-fixture.ts";

const dayMs = 86_400_000;

function register(core: CoreFixture, clientId: string, source: "dynamic" | "metadata-document" = "dynamic") {
  return storeRegisteredClient(core.context, {
    clientId,
    source,
    displayName: clientId,
    secretValue: undefined,
    metadata: {
      grantTypes: ["authorization_code"],
      redirectUris: ["http://127.0.0.1/callback"],
      tokenEndpointAuthMethod: "none",
      tokenLifetimes: {},
      applicationType: "native",
    },
  });
}

async function left(core: CoreFixture): Promise<readonly string[]> {
  const { rows } = await core.context.catalog.read.oauthClients.list({}, { limit: 200 });
  return rows.map(({ clientId }) => clientId);
}

test("a client that registered itself goes after thirty days without a token; gateways hear of it and the audit says so", async () => {
  await using core = await coreFixture();
  const idle = await register(core, "idle");
  const used = await register(core, "used");
  await register(core, "https://client.example.com/c.json", "metadata-document");
  core.clock.advance(20 * dayMs);
  const seen = [{ keyId: used.id, atMs: core.clock.now() }];
  await takeReport(core.context, { type: "credentials.used", used: seen });
  await register(core, "young");
  core.clock.advance(10 * dayMs);
  expect(await expireClients(core.context)).toBe(0);
  core.clock.advance(1);
  core.messages.length = 0;
  expect(await expireClients(core.context)).toBe(1);
  expect(await left(core)).toEqual(["used", "https://client.example.com/c.json", "young"]);
  expect(core.messages).toEqual([{ type: "client.removed", keyManagerId: idle.keyManagerId, clientId: "idle" }]);
  const { rows } = await core.context.catalog.read.audit.list({ action: "oauthclient.expired" }, { limit: 10 });
  expect(rows).toMatchObject([{ resourceId: idle.id, actor: "upkeep", detail: { clientId: "idle", idleDays: 30 } }]);
});

test.each([{ name: "an administrator has changed it", change: { version: 2 } }])(
  "one stays when $name",
  async ({ change }) => {
    await using core = await coreFixture();
    const row = await register(core, "kept");
    await core.context.catalog.transaction((tx) => tx.oauthClients.update({ ...row, ...change }, row.version));
    core.clock.advance(400 * dayMs);
    expect(await expireClients(core.context)).toBe(0);
  },
);

test("none goes while a refresh token of it could live, nor where the setting is 0", async () => {
  await using core = await coreFixture();
  await register(core, "long");
  const oauth = { multipleSecrets: true, expiryWarningDays: 14 };
  core.clock.advance(59 * dayMs);
  expect(await expireClients({ ...core.context, oauth: { ...oauth, refreshTokenSeconds: 60 * 86_400 } })).toBe(0);
  expect(await expireClients({ ...core.context, oauth: { ...oauth, registrationIdleDays: 0 } })).toBe(0);
  expect(await expireClients({ ...core.context, oauth })).toBe(1);
});

test("many go in slices", async () => {
  await using core = await coreFixture();
  for (let index = 0; index < 230; index += 1) await register(core, `c${index}`);
  core.clock.advance(31 * dayMs);
  expect(await expireClients(core.context)).toBe(230);
  expect(await left(core)).toEqual([]);
});
