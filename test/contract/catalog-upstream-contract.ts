import { expect, test } from "vitest";
import type { Catalog } from "../../src/core/catalog.ts";
import { everyRow } from "./every-row.ts";
import { sampleResource, sampleUpstreamClient, sampleUpstreamCredential } from "./sample-rows.ts";

/** What upstream servers have given out. */
export function catalogUpstreamContract(open: () => Promise<Catalog>): void {
  const api = sampleResource();

  const opened = async (): Promise<Catalog> => {
    const catalog = await open();
    await catalog.transaction((tx) => tx.resources.insert(api));
    return catalog;
  };

  test("a credential comes back whole by its holder and by its id, and the next of the holder replaces it", async () => {
    await using catalog = await opened();
    const row = { ...sampleUpstreamCredential(api.id), scopes: ["a", "b"], clients: ["", "editor"] };
    await catalog.transaction((tx) => tx.upstreamCredentials.put(row));
    const { upstreamCredentials } = catalog.read;
    expect(await upstreamCredentials.find(api.id, row.environment, row.holder)).toEqual(row);
    expect(await upstreamCredentials.findById(row.id)).toEqual(row);
    expect(await upstreamCredentials.find(api.id, "sandbox", row.holder)).toBeUndefined();
    const next = { ...sampleUpstreamCredential(api.id), holder: row.holder, issuer: "https://other.example.com" };
    await catalog.transaction((tx) => tx.upstreamCredentials.put(next));
    expect(await upstreamCredentials.find(api.id, row.environment, row.holder)).toEqual(next);
    expect(await upstreamCredentials.findById(row.id)).toBeUndefined();
  });

  test("of two that renew the same version one wins", async () => {
    await using catalog = await opened();
    const row = sampleUpstreamCredential(api.id);
    await catalog.transaction((tx) => tx.upstreamCredentials.put(row));
    const first = { ...row, version: 2, state: "lapsed" } as const;
    expect(await catalog.transaction((tx) => tx.upstreamCredentials.update(first, 1))).toBe(true);
    expect(await catalog.transaction((tx) => tx.upstreamCredentials.update({ ...row, version: 2 }, 1))).toBe(false);
    expect(await catalog.read.upstreamCredentials.findById(row.id)).toEqual(first);
  });

  test("credentials are listed by user, applications and API in pages, deleted once, and go away with their API", async () => {
    await using catalog = await opened();
    const mine = { ...sampleUpstreamCredential(api.id), id: "ucr_1" as never, holder: "1", userId: "usr_1" };
    const ours = { ...sampleUpstreamCredential(api.id), id: "ucr_2" as never, holder: "2", applicationId: "app_1" };
    const other = { ...sampleUpstreamCredential(api.id), id: "ucr_3" as never, holder: "3", userId: "usr_2" };
    for (const row of [mine, ours, other]) await catalog.transaction((tx) => tx.upstreamCredentials.put(row));
    const { upstreamCredentials: table } = catalog.read;
    const filter = { userId: "usr_1", applicationIds: ["app_1", "app_2"] };
    expect(await everyRow((page) => table.list(filter, page), 1)).toEqual([mine, ours]);
    expect(await everyRow((page) => table.list({ userId: "usr_2", applicationIds: [] }, page), 1)).toEqual([other]);
    expect(await everyRow((page) => table.list({ apiId: api.id }, page), 2)).toEqual([mine, ours, other]);
    expect(await everyRow((page) => table.list({ apiId: "mcp_other" }, page), 2)).toEqual([]);
    expect(await catalog.transaction((tx) => tx.upstreamCredentials.delete(mine.id))).toBe(true);
    expect(await catalog.transaction((tx) => tx.upstreamCredentials.delete(mine.id))).toBe(false);
    await catalog.transaction((tx) => tx.upstreamCredentials.deleteOf("usr_2"));
    expect(await everyRow((page) => table.list({}, page), 2)).toEqual([ours]);
    await catalog.transaction((tx) => tx.resources.delete(api.id, api.version));
    expect(await table.findById(ours.id)).toBeUndefined();
  });

  test("a registration is kept for each issuer and redirect URI, and the next one replaces it", async () => {
    await using catalog = await opened();
    const row = sampleUpstreamClient();
    await catalog.transaction((tx) => tx.upstreamClients.put(row));
    const { upstreamClients } = catalog.read;
    expect(await upstreamClients.find(row.issuer, row.redirectUri)).toEqual(row);
    expect(await upstreamClients.find(`${row.issuer}/`, row.redirectUri)).toBeUndefined();
    const next = { ...sampleUpstreamClient(), expiresAtMs: 5 };
    await catalog.transaction((tx) => tx.upstreamClients.put(next));
    expect(await upstreamClients.find(row.issuer, row.redirectUri)).toEqual(next);
    expect(await catalog.transaction((tx) => tx.upstreamClients.delete(row.id))).toBe(false);
    expect(await catalog.transaction((tx) => tx.upstreamClients.delete(next.id))).toBe(true);
  });
}
