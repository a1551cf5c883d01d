import { expect, test } from "vitest";
import type { ApiId, Id } from "../../src/kernel/ids.ts";
import type { OpenCatalog } from "./catalog-contract.ts";
import { everyRow } from "./every-row.ts";
import { sampleAudit, sampleKey, sampleResource, sampleSecret, sampleTimeMs } from "./sample-rows.ts";

/** API keys, secrets, the audit trail and settings. */
export function catalogKeyContract(open: OpenCatalog): void {
  test("a key comes back as it was stored, by name and by id, whether its bounds are set or not", async () => {
    await using catalog = await open();
    const unbound = sampleKey({ name: "open" });
    const bound = sampleKey({
      name: "bound",
      displayName: "Bound",
      applicationId: "app_1" as Id<"application">, // any id will do
      environment: "sandbox",
      expiresAtMs: sampleTimeMs + 1,
      permittedReferrers: ["*.example.com/*"],
      allow: ["gpt-*"],
      budgets: [{ measure: "totalTokens", amount: 0, window: "day", timeZone: "UTC" }],
      labels: { department: "sales" },
      revokedAtMs: sampleTimeMs,
      lastUsedAtMs: sampleTimeMs,
    });
    await catalog.transaction(async (tx) => {
      await tx.apiKeys.insert(unbound);
      await tx.apiKeys.insert(bound);
    });
    expect(await catalog.read.apiKeys.find("open")).toEqual(unbound);
    expect(await catalog.read.apiKeys.findById(bound.id)).toEqual(bound);
    expect(await catalog.read.apiKeys.find("other")).toBeUndefined();
  });

  test.each(["name", "publicId", "id"] as const)("a second key with the same %s is a conflict", async (column) => {
    await using catalog = await open();
    const key = sampleKey();
    await catalog.transaction((tx) => tx.apiKeys.insert(key));
    const again = catalog.transaction((tx) => tx.apiKeys.insert(sampleKey({ [column]: key[column] })));
    await expect(again).rejects.toMatchObject({ code: "resource.conflict" });
  });

  test("an update of a key changes all but id, name and team, and only at the expected version", async () => {
    await using catalog = await open();
    const before = sampleKey({ name: "first" });
    await catalog.transaction((tx) => tx.apiKeys.insert(before));
    const after = { ...sampleKey({ id: before.id, hash: "cd".repeat(32), allow: [], version: 2 }), name: "first" };
    const update = { ...after, name: "second", teamId: "team_2" };
    expect(await catalog.transaction((tx) => tx.apiKeys.update(update, 2))).toBe(false);
    expect(await catalog.transaction((tx) => tx.apiKeys.update(update, 1))).toBe(true);
    expect(await catalog.read.apiKeys.findById(before.id)).toEqual(after);
  });

  test("deleting a key needs its version, and takes its references along", async () => {
    await using catalog = await open();
    const key = sampleKey();
    const holder = { holderType: "apiKey", holderId: key.id, holderKind: "ApiKey", holderName: key.name } as const;
    await catalog.transaction(async (tx) => {
      await tx.apiKeys.insert(key);
      await tx.references.replace(holder, [{ toId: "llm_1", path: "api" }]);
    });
    expect(await catalog.transaction((tx) => tx.apiKeys.delete(key.id, 2))).toBe(false);
    expect(await catalog.read.references.to("llm_1", 10)).toHaveLength(1);
    expect(await catalog.transaction((tx) => tx.apiKeys.delete(key.id, 1))).toBe(true);
    expect(await catalog.read.references.to("llm_1", 10)).toEqual([]);
    expect(await catalog.read.apiKeys.findById(key.id)).toBeUndefined();
  });

  test("a list of keys keeps to every part of its filter", async () => {
    await using catalog = await open();
    const apiId = "llm_2" as ApiId; // any id will do
    const applicationId = "app_2" as Id<"application">; // any id will do
    const keys = [
      sampleKey({ name: "plain" }),
      sampleKey({ name: "api", apiId }),
      sampleKey({ name: "app", applicationId, teamId: "team_2" }),
      sampleKey({ name: "both", apiId, applicationId, teamId: "team_2", revokedAtMs: sampleTimeMs }),
    ];
    await catalog.transaction(async (tx) => {
      for (const key of keys) await tx.apiKeys.insert(key);
    });
    const names = async (filter: { teamId?: string; apiId?: string; applicationId?: string }) =>
      (await everyRow((page) => catalog.read.apiKeys.list(filter, page), 1)).map((key) => key.name);
    expect(await names({})).toEqual(["plain", "api", "app", "both"]);
    expect(await names({ apiId })).toEqual(["api", "both"]);
    expect(await names({ applicationId })).toEqual(["app", "both"]);
    expect(await names({ teamId: "team_2", apiId })).toEqual(["both"]);
    expect(await names({ teamId: "team_1" })).toEqual([]);
  });

  test("live keys are all that are not revoked, each once, while others are made and revoked", async () => {
    await using catalog = await open();
    const keys = Array.from({ length: 300 }, (_, index) =>
      sampleKey({ revokedAtMs: index % 10 === 0 ? sampleTimeMs : null }),
    );
    await catalog.transaction(async (tx) => {
      for (const key of keys) await tx.apiKeys.insert(key);
    });
    const seen = await everyRow(
      (page) => catalog.read.apiKeys.live(page),
      50,
      () => catalog.transaction((tx) => tx.apiKeys.insert(sampleKey())),
    );
    const ids = seen.map((key) => key.id);
    const lived = keys.filter((key) => key.revokedAtMs === null).map((key) => key.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(lived.filter((id) => !ids.includes(id))).toEqual([]);
    expect(seen.filter((key) => key.revokedAtMs !== null)).toEqual([]);
    expect(ids).toEqual(ids.toSorted());
  });

  test("a touch moves the time of last use forwards only, leaves the version, and skips unknown keys", async () => {
    await using catalog = await open();
    const [fresh, used] = [sampleKey(), sampleKey({ lastUsedAtMs: sampleTimeMs })];
    await catalog.transaction(async (tx) => {
      await tx.apiKeys.insert(fresh);
      await tx.apiKeys.insert(used);
      await tx.apiKeys.touch([
        { id: fresh.id, atMs: sampleTimeMs + 5 },
        { id: "key_0", atMs: sampleTimeMs },
        { id: used.id, atMs: sampleTimeMs - 1 },
      ]);
    });
    expect(await catalog.read.apiKeys.findById(fresh.id)).toEqual({ ...fresh, lastUsedAtMs: sampleTimeMs + 5 });
    expect(await catalog.read.apiKeys.findById(used.id)).toEqual(used);
  });

  test("a secret is put, replaced under its id, listed and deleted; its name cannot be taken by another", async () => {
    await using catalog = await open();
    const [secret, other] = [sampleSecret({ name: "openai" }), sampleSecret()];
    const replaced = { ...secret, sealed: { ...secret.sealed, kid: "k2" }, version: 2, updatedAtMs: sampleTimeMs + 1 };
    await catalog.transaction(async (tx) => {
      await tx.secrets.put(secret);
      await tx.secrets.put(other);
      await tx.secrets.put(replaced);
    });
    expect(await catalog.read.secrets.find("openai")).toEqual(replaced);
    expect(await everyRow((page) => catalog.read.secrets.list(page), 1)).toEqual([replaced, other]);
    const taken = catalog.transaction((tx) => tx.secrets.put(sampleSecret({ name: "openai" })));
    await expect(taken).rejects.toMatchObject({ code: "resource.conflict" });
    expect(await catalog.transaction((tx) => tx.secrets.delete("openai"))).toBe(true);
    expect(await catalog.transaction((tx) => tx.secrets.delete("openai"))).toBe(false);
    expect(await catalog.read.secrets.find("openai")).toBeUndefined();
  });

  test("the audit trail is listed in the order of writing, of everything or of one resource, also a deleted one", async () => {
    await using catalog = await open();
    const [api, other] = [sampleResource(), sampleResource()];
    const rows = [
      sampleAudit(api),
      sampleAudit(other, { atMs: sampleTimeMs - 1000, detail: { nested: { list: [1] } } }),
      sampleAudit(api, { action: "resource.deleted" }),
    ];
    await catalog.transaction(async (tx) => {
      for (const row of rows) await tx.audit.insert(row);
    });
    expect(await everyRow((page) => catalog.read.audit.list({}, page), 2)).toMatchObject(rows);
    expect(await everyRow((page) => catalog.read.audit.list({ resourceId: api.id }, page), 1)).toMatchObject([
      { ...rows[0], seq: 1 },
      { ...rows[2], seq: 3 },
    ]);
  });

  test("a setting is what was last set", async () => {
    await using catalog = await open();
    expect(await catalog.read.settings.get("pepper")).toBeUndefined();
    await catalog.transaction((tx) => tx.settings.set("pepper", "one"));
    await catalog.transaction((tx) => tx.settings.set("pepper", ""));
    expect(await catalog.read.settings.get("pepper")).toBe("");
  });
}
