import { expect, test } from "vitest";
import type { Id } from "../../src/kernel/ids.ts";
import type { OpenCatalog } from "./catalog-contract.ts";
import { everyRow } from "./every-row.ts";
import { sampleClient, sampleClientSecret, sampleKey, sampleTimeMs, sampleUser } from "./sample-rows.ts";

/** OAuth clients, their secrets, users, and what of keys came with them. */
export function catalogClientContract(open: OpenCatalog): void {
  test("a client comes back as it was stored, by key manager, by application and by id", async () => {
    await using catalog = await open();
    const client = sampleClient({ environment: "sandbox", source: "dynamic" });
    await catalog.transaction((tx) => tx.oauthClients.insert(client));
    const { oauthClients } = catalog.read;
    expect(await oauthClients.find("km_1", client.clientId)).toEqual(client);
    expect(await oauthClients.findOf("app_1", client.clientId)).toEqual(client);
    expect(await oauthClients.findById(client.id)).toEqual(client);
    expect(await oauthClients.find("km_2", client.clientId)).toBeUndefined();
    expect(await oauthClients.findOf("app_2", client.clientId)).toBeUndefined();
  });

  test("a client id is taken in its key manager only, a name in its application only", async () => {
    await using catalog = await open();
    const client = sampleClient();
    const insert = (changes: Parameters<typeof sampleClient>[0]) =>
      catalog.transaction((tx) => tx.oauthClients.insert(sampleClient(changes)));
    await catalog.transaction((tx) => tx.oauthClients.insert(client));
    await insert({ clientId: client.clientId, keyManagerId: "km_2" as Id<"keyManager"> });
    await insert({ name: client.name, applicationId: "app_2" as Id<"application"> });
    await expect(insert({ clientId: client.clientId })).rejects.toMatchObject({ code: "resource.conflict" });
    await expect(insert({ name: client.name })).rejects.toMatchObject({ code: "resource.conflict" });
  });

  test("clients of no application may share a name", async () => {
    await using catalog = await open();
    for (const clientId of ["a", "b"]) {
      await catalog.transaction((tx) =>
        tx.oauthClients.insert(sampleClient({ name: "claude", clientId, applicationId: null })),
      );
    }
    expect((await catalog.read.oauthClients.list({}, { limit: 10 })).rows).toHaveLength(2);
  });

  test("a client is changed at the version that was expected, and at no other", async () => {
    await using catalog = await open();
    const client = sampleClient();
    await catalog.transaction((tx) => tx.oauthClients.insert(client));
    const after = { ...client, name: "other", version: 2, metadata: { ...client.metadata, scopes: ["read"] } };
    expect(await catalog.transaction((tx) => tx.oauthClients.update(after, 2))).toBe(false);
    expect(await catalog.transaction((tx) => tx.oauthClients.update(after, 1))).toBe(true);
    expect(await catalog.read.oauthClients.findById(client.id)).toEqual(after);
  });

  test("a client changes hands and is disabled; everybody else's stay as they were", async () => {
    await using catalog = await open();
    const [client, other] = [sampleClient({ applicationId: null }), sampleClient()];
    for (const row of [client, other]) await catalog.transaction((tx) => tx.oauthClients.insert(row));
    const applicationId = "app_2" as Id<"application">; // a made-up id is as good as any here
    const after = { ...client, applicationId, teamId: "team_2", disabled: true, version: 2 };
    expect(await catalog.transaction((tx) => tx.oauthClients.update(after, 1))).toBe(true);
    expect(await catalog.read.oauthClients.findById(client.id)).toEqual(after);
    expect(await catalog.read.oauthClients.findById(other.id)).toEqual(other);
    const { rows } = await catalog.read.oauthClients.list({ disabled: true }, { limit: 10 });
    expect(rows).toEqual([after]);
  });

  test("clients are listed in the order of creation, by application, team and key manager", async () => {
    await using catalog = await open();
    const clients = [
      sampleClient(),
      sampleClient({ applicationId: "app_2" as Id<"application">, teamId: "team_2" }),
      sampleClient({ keyManagerId: "km_2" as Id<"keyManager">, source: "dynamic" }),
    ];
    for (const client of clients) await catalog.transaction((tx) => tx.oauthClients.insert(client));
    const { oauthClients } = catalog.read;
    expect(await everyRow((page) => oauthClients.list({}, page), 1)).toEqual(clients);
    const of = async (filter: Parameters<typeof oauthClients.list>[0]) => {
      const { rows } = await oauthClients.list(filter, { limit: 10 });
      return rows.map((row) => clients.findIndex(({ id }) => id === row.id));
    };
    expect(await of({ applicationId: "app_1" })).toEqual([0, 2]);
    expect(await of({ teamId: "team_2" })).toEqual([1]);
    expect(await of({ keyManagerId: "km_2" })).toEqual([2]);
    expect(await of({ source: "admin" })).toEqual([0, 1]);
    expect(await of({ clientId: clients[1]?.clientId ?? "" })).toEqual([1]);
    expect(await of({ disabled: false })).toEqual([0, 1, 2]);
  });

  test("a client takes its secrets and references with it", async () => {
    await using catalog = await open();
    const client = sampleClient();
    const secret = sampleClientSecret(client);
    await catalog.transaction(async (tx) => {
      await tx.oauthClients.insert(client);
      await tx.oauthClients.secrets.insert(secret);
      await tx.references.replace(
        { holderType: "oauthClient", holderId: client.id, holderKind: "OauthClient", holderName: client.name },
        [{ toId: "app_1", path: "metadata.application" }],
      );
    });
    expect(await catalog.read.references.to("app_1", 10)).toHaveLength(1);
    expect(await catalog.transaction((tx) => tx.oauthClients.delete(client.id, 2))).toBe(false);
    expect(await catalog.transaction((tx) => tx.oauthClients.delete(client.id, 1))).toBe(true);
    expect(await catalog.read.oauthClients.secrets.findById(secret.id)).toBeUndefined();
    expect(await catalog.read.references.to("app_1", 10)).toEqual([]);
  });

  test("secrets are found by their public id and listed oldest first, the revoked ones too", async () => {
    await using catalog = await open();
    const client = sampleClient();
    const first = sampleClientSecret(client, { description: "first", expiresAtMs: sampleTimeMs + 1 });
    const second = sampleClientSecret(client);
    await catalog.transaction(async (tx) => {
      await tx.oauthClients.insert(client);
      await tx.oauthClients.secrets.insert(first);
      await tx.oauthClients.secrets.insert(second);
    });
    const revoked = { ...first, revokedAtMs: sampleTimeMs, expiresAtMs: sampleTimeMs + 2 };
    expect(await catalog.transaction((tx) => tx.oauthClients.secrets.update(revoked))).toBe(true);
    const { secrets } = catalog.read.oauthClients;
    expect(await secrets.findByPublicId(second.publicId)).toEqual(second);
    expect(await secrets.of(client.id)).toEqual([revoked, second]);
    expect(await catalog.transaction((tx) => tx.oauthClients.secrets.delete(first.id))).toBe(true);
    expect(await secrets.of(client.id)).toEqual([second]);
  });

  test("the last use of a secret only goes forward", async () => {
    await using catalog = await open();
    const client = sampleClient();
    const secret = sampleClientSecret(client);
    await catalog.transaction(async (tx) => {
      await tx.oauthClients.insert(client);
      await tx.oauthClients.secrets.insert(secret);
      await tx.oauthClients.secrets.touch([{ id: secret.id, atMs: 20 }]);
      await tx.oauthClients.secrets.touch([
        { id: secret.id, atMs: 10 },
        { id: "ocs_unknown", atMs: 30 },
      ]);
    });
    expect((await catalog.read.oauthClients.secrets.findById(secret.id))?.lastUsedAtMs).toBe(20);
  });

  test("what ends in a span of time is found, soonest first: not what has ended, was revoked or never ends", async () => {
    await using catalog = await open();
    const client = sampleClient();
    const at = (expiresAtMs: number | null, revokedAtMs: number | null = null) => ({ expiresAtMs, revokedAtMs });
    const ends = [at(30), at(20), at(10), at(null), at(25, 5), at(40)];
    const secrets = ends.map((changes) => sampleClientSecret(client, changes));
    const keys = ends.map((changes) => sampleKey(changes));
    await catalog.transaction(async (tx) => {
      await tx.oauthClients.insert(client);
      for (const secret of secrets) await tx.oauthClients.secrets.insert(secret);
      for (const key of keys) await tx.apiKeys.insert(key);
    });
    expect(await catalog.read.oauthClients.secrets.expiring(10, 40, 10)).toEqual([secrets[1], secrets[0]]);
    expect(await catalog.read.oauthClients.secrets.expiring(10, 40, 1)).toEqual([secrets[1]]);
    expect(await catalog.read.apiKeys.expiring(10, 40, 10)).toEqual([keys[1], keys[0]]);
  });

  test("a key keeps its older value, and loses it again", async () => {
    await using catalog = await open();
    const previous = { publicId: "old", hash: "ab", pepperId: "pepper-1", expiresAtMs: sampleTimeMs };
    const key = sampleKey({ previous });
    await catalog.transaction((tx) => tx.apiKeys.insert(key));
    expect(await catalog.read.apiKeys.findById(key.id)).toEqual(key);
    const { previous: _, ...without } = key;
    await catalog.transaction((tx) => tx.apiKeys.update(without, 1));
    expect(await catalog.read.apiKeys.findById(key.id)).toEqual(without);
  });

  test("a user comes back as stored, is changed at one version only, and a name is taken once", async () => {
    await using catalog = await open();
    const user = sampleUser({ name: "alice", displayName: "Alice", email: "a@example.com", passwordHash: "scrypt$" });
    await catalog.transaction((tx) => tx.users.insert(user));
    expect(await catalog.read.users.find("alice")).toEqual(user);
    const again = catalog.transaction((tx) => tx.users.insert(sampleUser({ name: "alice" })));
    await expect(again).rejects.toMatchObject({ code: "resource.conflict" });
    const disabled = { ...user, disabled: true, email: null, version: 2 };
    expect(await catalog.transaction((tx) => tx.users.update(disabled, 2))).toBe(false);
    expect(await catalog.transaction((tx) => tx.users.update(disabled, 1))).toBe(true);
    expect(await catalog.read.users.findById(user.id)).toEqual(disabled);
    expect((await catalog.read.users.list({ limit: 1 })).rows).toEqual([disabled]);
    expect(await catalog.transaction((tx) => tx.users.delete(user.id, 1))).toBe(false);
    expect(await catalog.transaction((tx) => tx.users.delete(user.id, 2))).toBe(true);
    expect(await catalog.read.users.find("alice")).toBeUndefined();
  });
}
