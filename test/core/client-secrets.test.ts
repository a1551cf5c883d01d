import { describe, expect, test } from "vitest";
import { authenticateClient } from "../../src/core/authenticate-client.ts";
import {
  clientSecretView,
  generateClientSecret,
  listClientSecrets,
  revokeClientSecret,
} from "../../src/core/client-secrets.ts";
import type { CoreContext } from "../../src/core/core-context.ts";
import { takeReport } from "../../src/core/distribution.ts";
import { createLastUses } from "../../src/core/last-uses.ts";
import type { ClientAddress } from "../../src/core/oauth-client-address.ts";
import { createOauthClient, deleteOauthClient, replaceOauthClient } from "../../src/core/oauth-clients.ts";
import type { OauthSettings } from "../../src/core/oauth-settings.ts";
import { defaultOauthSettings } from "../../src/core/oauth-settings.ts";
import type { CoreFixture } from "./core-fixture.ts";
import { admin, auditActions, coreFixture, create, rejection } from "./core-fixture.ts";

interface Client extends AsyncDisposable {
  readonly core: CoreFixture;
  readonly context: CoreContext;
  readonly address: Extract<ClientAddress, { readonly clientId: string }>;
  readonly first: string;
  generate(input?: object): Promise<string>;
  /** The id of the secret that let the client in. */
  secretIdOf(secretValue: string): Promise<string | undefined>;
  /** States of its secrets, oldest first. */
  states(): Promise<readonly string[]>;
}

async function client(settings: Partial<OauthSettings> = {}): Promise<Client> {
  const core = await coreFixture();
  const context = { ...core.context, oauth: { ...defaultOauthSettings, ...settings } };
  await create(core, "Application", "bot", {});
  const { row, secret } = await createOauthClient(context, admin, "bot", { spec: { environment: "production" } });
  const address = { application: "bot", clientId: row.clientId };
  core.messages.length = 0;
  return {
    core,
    context,
    address,
    first: secret?.secretValue ?? "",
    generate: async (input = {}) => (await generateClientSecret(context, admin, address, input)).secretValue,
    secretIdOf: async (secretValue) => (await authenticateClient(context, row.clientId, secretValue))?.secretId,
    async states() {
      const rows = await listClientSecrets(context, address);
      return rows.map((secretRow) => clientSecretView(secretRow, core.clock.now()).state);
    },
    [Symbol.asyncDispose]: () => core[Symbol.asyncDispose](),
  };
}

describe("authentication", () => {
  test("succeeds with any secret that is alive, as the same client, and says which it was", async () => {
    await using c = await client();
    const second = await c.generate({ description: "second" });
    const [one, two] = await Promise.all([
      authenticateClient(c.context, c.address.clientId, c.first),
      authenticateClient(c.context, c.address.clientId, second),
    ]);
    expect(one?.client).toEqual(two?.client);
    const rows = await listClientSecrets(c.context, c.address);
    expect([one?.secretId, two?.secretId]).toEqual(rows.map(({ id }) => id));
  });

  test("fails with another client's secret, a wrong one, none and an unknown client", async () => {
    await using c = await client();
    const other = await createOauthClient(c.context, admin, "bot", { spec: { environment: "sandbox" } });
    expect(await c.secretIdOf(other.secret?.secretValue ?? "")).toBeUndefined();
    expect(await c.secretIdOf(`${c.first}x`)).toBeUndefined();
    expect(await c.secretIdOf("")).toBeUndefined();
    expect(await authenticateClient(c.context, "nobody", c.first)).toBeUndefined();
    expect(await c.secretIdOf(c.first)).toBeDefined();
  });

  test("fails from the moment on in which a secret expires", async () => {
    await using c = await client();
    const brief = await c.generate({ expiresInSeconds: 60 });
    c.core.clock.advance(59_999);
    expect(await c.secretIdOf(brief)).toBeDefined();
    c.core.clock.advance(1);
    expect(await c.secretIdOf(brief)).toBeUndefined();
    expect(await c.states()).toEqual(["active", "expired"]);
  });

  test("fails with a secret that was revoked, while its siblings go on", async () => {
    await using c = await client();
    const second = await c.generate();
    const [row] = await listClientSecrets(c.context, c.address);
    await revokeClientSecret(c.context, admin, c.address, row?.id ?? "");
    expect(await c.secretIdOf(c.first)).toBeUndefined();
    expect(await c.secretIdOf(second)).toBeDefined();
    expect(c.core.messages).toEqual([]);
  });

  test("fails with every secret of a client that was deleted or became public", async () => {
    await using c = await client();
    const publicSpec = {
      environment: "production",
      grantTypes: ["authorization_code"],
      redirectUris: ["https://a.example/cb"],
      tokenEndpointAuthMethod: "none",
    };
    await replaceOauthClient(c.context, admin, c.address, { spec: publicSpec }, 1);
    expect(await c.secretIdOf(c.first)).toBeUndefined();
    expect((await rejection(c.generate())).code).toBe("resource.invalid");
    await deleteOauthClient(c.context, admin, c.address, 2);
    expect(await c.secretIdOf(c.first)).toBeUndefined();
  });

  test("notes the last use of the secret, in batches", async () => {
    await using c = await client();
    const { clock } = c.core;
    const secretUses = createLastUses({
      clock,
      onUsed: (used) => takeReport(c.context, { type: "credentials.used", used }),
    });
    await authenticateClient({ ...c.context, secretUses }, c.address.clientId, c.first);
    const usedAtMs = clock.now();
    const lastUse = async () => (await listClientSecrets(c.context, c.address))[0]?.lastUsedAtMs;
    expect(await lastUse()).toBeNull();
    clock.advance(5_000);
    await expect.poll(lastUse).toBe(usedAtMs);
  });
});

describe("generating", () => {
  test("says what was said of it and never shows the value again", async () => {
    await using c = await client();
    const value = await c.generate({ description: "laptop", expiresInSeconds: 60 });
    const views = (await listClientSecrets(c.context, c.address)).map((row) => clientSecretView(row, 0));
    expect(views[1]).toMatchObject({ description: "laptop", masked: `${value.slice(0, 8)}…` });
    expect(JSON.stringify(views)).not.toContain(value.slice(9));
    expect(JSON.stringify(await c.context.catalog.read.oauthClients.secrets.of("x"))).not.toContain(value);
  });

  test("one more than there may be is refused, and one that has ended leaves room", async () => {
    await using c = await client({ secretCount: 2 });
    await c.generate({ expiresInSeconds: 60 });
    const error = await rejection(c.generate());
    expect(error).toMatchObject({ code: "resource.conflict" });
    expect(error.message).toContain("2 secrets");
    c.core.clock.advance(60_000);
    await c.generate();
    expect(await c.states()).toEqual(["active", "expired", "active"]);
  });

  test("takes the place of the one before where clients have one secret", async () => {
    await using c = await client({ multipleSecrets: false });
    const second = await c.generate();
    expect(await c.secretIdOf(c.first)).toBeUndefined();
    expect(await c.secretIdOf(second)).toBeDefined();
    expect(await c.states()).toEqual(["revoked", "active"]);
  });

  test("remembers the last twenty that have ended, and no more", async () => {
    await using c = await client({ multipleSecrets: false });
    for (let made = 0; made < 30; made += 1) await c.generate();
    expect((await c.states()).length).toBeLessThanOrEqual(22);
  });

  test.each([
    { name: "an expiry in the past", input: { expiresInSeconds: -1 }, path: "expiresInSeconds" },
    { name: "an expiry at once", input: { expiresInSeconds: 0 }, path: "expiresInSeconds" },
    { name: "an expiry in a thousand years", input: { expiresInSeconds: 31_536_000_000 }, path: "expiresInSeconds" },
    { name: "half a second", input: { expiresInSeconds: 0.5 }, path: "expiresInSeconds" },
    { name: "a huge number", input: { expiresInSeconds: 1e300 }, path: "expiresInSeconds" },
    { name: "an overlap of a year", input: { overlapSeconds: 31_536_000 }, path: "overlapSeconds" },
    { name: "a negative overlap", input: { overlapSeconds: -1 }, path: "overlapSeconds" },
    { name: "a description without end", input: { description: "x".repeat(501) }, path: "description" },
    { name: "a value of one's own", input: { secretValue: "mine" }, path: "secretValue" },
  ])("$name is refused", async ({ input, path }) => {
    await using c = await client();
    const error = await rejection(c.generate(input));
    expect(error.code).toBe("resource.invalid");
    expect(new Set(error.issues.map((issue) => issue.path))).toEqual(new Set([path]));
    expect(await c.states()).toEqual(["active"]);
  });
});

describe("rotating", () => {
  test("lets the ones before go on for the overlap, and ends them by themselves", async () => {
    await using c = await client();
    const second = await c.generate({ overlapSeconds: 3_600 });
    expect(await c.secretIdOf(c.first)).toBeDefined();
    c.core.clock.advance(3_600_000);
    expect(await c.secretIdOf(c.first)).toBeUndefined();
    expect(await c.secretIdOf(second)).toBeDefined();
  });

  test("never gives an older secret more time than it had", async () => {
    await using c = await client();
    const brief = await c.generate({ expiresInSeconds: 60 });
    await c.generate({ overlapSeconds: 3_600 });
    c.core.clock.advance(60_000);
    expect(await c.secretIdOf(brief)).toBeUndefined();
    expect(await c.secretIdOf(c.first)).toBeDefined();
  });

  test("with no overlap ends them at once", async () => {
    await using c = await client();
    await c.generate({ overlapSeconds: 0 });
    expect(await c.states()).toEqual(["revoked", "active"]);
  });

  test("goes ahead at the limit, and however often it happens, few old ones go on", async () => {
    await using c = await client({ secretCount: 1 });
    for (let rotated = 0; rotated < 5; rotated += 1) await c.generate({ overlapSeconds: 3_600 });
    expect((await c.states()).filter((state) => state === "active")).toHaveLength(2);
  });
});

describe("revoking", () => {
  test("the newest secret that works is refused, and says why, unless forced", async () => {
    await using c = await client();
    const [row] = await listClientSecrets(c.context, c.address);
    const id = row?.id ?? "";
    const error = await rejection(revokeClientSecret(c.context, admin, c.address, id));
    expect(error).toMatchObject({ code: "resource.in_use" });
    expect(error.message).toContain("newest");
    await revokeClientSecret(c.context, admin, c.address, id, { force: true });
    expect(await c.states()).toEqual(["revoked"]);
    await revokeClientSecret(c.context, admin, c.address, id);
    expect(await auditActions(c.core)).toContain("oauthclient.secret-revoked");
  });

  test("an older one is not the newest because the newer one has expired or was revoked", async () => {
    await using c = await client();
    await c.generate({ expiresInSeconds: 60 });
    c.core.clock.advance(60_000);
    const [row] = await listClientSecrets(c.context, c.address);
    expect((await rejection(revokeClientSecret(c.context, admin, c.address, row?.id ?? ""))).code).toBe(
      "resource.in_use",
    );
  });

  test("takes the tokens along when asked to, by the secret's id, also after it was revoked", async () => {
    await using c = await client();
    await c.generate();
    const [row] = await listClientSecrets(c.context, c.address);
    const id = row?.id ?? "";
    await revokeClientSecret(c.context, admin, c.address, id);
    expect(c.core.messages).toEqual([]);
    await revokeClientSecret(c.context, admin, c.address, id, { revokeTokens: true });
    expect(c.core.messages).toMatchObject([
      { type: "revocation.put", record: { type: "secret", id, beforeMs: c.core.clock.now() + 1 } },
    ]);
  });

  test("another client's secret is not there", async () => {
    await using c = await client();
    const other = await createOauthClient(c.context, admin, "bot", { spec: { environment: "sandbox" } });
    const secretId = other.secret?.row?.id ?? "";
    expect((await rejection(revokeClientSecret(c.context, admin, c.address, secretId))).code).toBe(
      "resource.not_found",
    );
  });
});
