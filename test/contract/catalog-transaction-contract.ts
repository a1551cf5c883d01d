import { expect, test } from "vitest";
import type { CatalogTransaction } from "../../src/core/catalog.ts";
import type { OpenCatalog } from "./catalog-contract.ts";
import { everyRow } from "./every-row.ts";
import { sampleAudit, sampleKey, sampleResource } from "./sample-rows.ts";

/** All or nothing, one writer after the other, and readers that see what is committed. */
export function catalogTransactionContract(open: OpenCatalog): void {
  test("a transaction gives back what its work gave", async () => {
    await using catalog = await open();
    expect(await catalog.transaction(async () => 7)).toBe(7);
  });

  test("work sees its own writes; when it throws, nothing of it stays, and its error comes out as it was", async () => {
    await using catalog = await open();
    const api = sampleResource();
    const error = new Error("the work broke");
    const broken = catalog.transaction(async (tx) => {
      await tx.resources.insert(api);
      await tx.audit.insert(sampleAudit(api));
      await tx.apiKeys.insert(sampleKey());
      expect(await tx.resources.findById(api.id)).toEqual(api);
      throw error;
    });
    await expect(broken).rejects.toBe(error);
    expect(await catalog.read.resources.findById(api.id)).toBeUndefined();
    expect((await catalog.read.audit.list({}, { limit: 10 })).rows).toEqual([]);
    expect((await catalog.read.apiKeys.live({ limit: 10 })).rows).toEqual([]);
  });

  test("a write that is refused takes the writes before it and its audit row with it", async () => {
    await using catalog = await open();
    const api = sampleResource({ name: "chat" });
    await catalog.transaction((tx) => tx.resources.insert(api));
    const [fresh, twin] = [sampleResource(), sampleResource({ name: "chat" })];
    const refused = catalog.transaction(async (tx) => {
      await tx.audit.insert(sampleAudit(fresh));
      await tx.resources.insert(fresh);
      await tx.resources.insert(twin);
    });
    await expect(refused).rejects.toMatchObject({ code: "resource.conflict" });
    expect(await catalog.read.resources.all("LlmApi")).toEqual([api]);
    expect((await catalog.read.audit.list({}, { limit: 10 })).rows).toEqual([]);
    await catalog.transaction((tx) => tx.resources.insert(fresh));
    expect(await catalog.read.resources.findById(fresh.id)).toEqual(fresh);
  });

  test("reads beside a transaction see none of it before it is committed, and all of it afterwards", async () => {
    await using catalog = await open();
    const api = sampleResource();
    const written = Promise.withResolvers<void>();
    const mayEnd = Promise.withResolvers<void>();
    const transaction = catalog.transaction(async (tx) => {
      await tx.resources.insert(api);
      written.resolve();
      await mayEnd.promise;
      throw new Error("thought better of it");
    });
    await written.promise;
    // A store with one connection answers once the transaction is over; what it answers is the same.
    const beside = catalog.read.resources.findById(api.id);
    setImmediate(mayEnd.resolve);
    await expect(transaction).rejects.toThrow("thought better of it");
    expect(await beside).toBeUndefined();
    await catalog.transaction((tx) => tx.resources.insert(api));
    expect(await catalog.read.resources.findById(api.id)).toEqual(api);
  });

  test("50 transactions at once that read, wait and write lose no update", async () => {
    await using catalog = await open();
    const turns = Array.from({ length: 50 }, (_, turn) => turn);
    const attempts = turns.map((turn) =>
      catalog.transaction(async (tx) => {
        const count = Number((await tx.settings.get("count")) ?? 0);
        await new Promise(setImmediate);
        await tx.settings.set("count", String(count + 1));
        if (turn % 5 === 4) throw new Error("every fifth gives up");
        await tx.resources.insert(sampleResource({ name: `api-${turn}` }));
      }),
    );
    const outcomes = await Promise.allSettled(attempts);
    expect(outcomes.filter((outcome) => outcome.status === "fulfilled")).toHaveLength(40);
    expect(await catalog.read.settings.get("count")).toBe("40");
    const rows = await everyRow((page) => catalog.read.resources.list({ kind: "LlmApi" }, page), 7);
    // First come, first served.
    expect(rows.map((row) => row.name)).toEqual(turns.filter((turn) => turn % 5 !== 4).map((turn) => `api-${turn}`));
  });

  test("a write outside of a transaction is refused", async () => {
    await using catalog = await open();
    const api = sampleResource();
    await expect(catalog.read.resources.insert(api)).rejects.toMatchObject({ code: "internal" });
    await expect(catalog.read.settings.set("a", "b")).rejects.toMatchObject({ code: "internal" });
    expect(await catalog.read.resources.findById(api.id)).toBeUndefined();
  });

  test("a transaction inside of another one is refused instead of waiting for ever", async () => {
    await using catalog = await open();
    const nested = catalog.transaction(() => catalog.transaction(async () => {}));
    await expect(nested).rejects.toMatchObject({ code: "internal" });
    await catalog.transaction((tx) => tx.settings.set("still", "working"));
  });

  test("a transaction that was kept beyond its end can do nothing, not even within the next one", async () => {
    await using catalog = await open();
    const keptDone = await catalog.transaction(async (tx) => [tx]);
    const keptBroken: CatalogTransaction[] = [];
    await catalog
      .transaction(async (tx) => {
        keptBroken.push(tx);
        throw new Error("broken");
      })
      .catch(() => {});
    for (const kept of [...keptDone, ...keptBroken]) {
      await catalog.transaction(async () => {
        await expect(kept.settings.set("late", "write")).rejects.toThrow();
      });
    }
    expect(await catalog.read.settings.get("late")).toBeUndefined();
  });

  test("writes that the work did not wait for do not outlive its failure, however late they come", async () => {
    await using catalog = await open();
    const late: Promise<void>[] = [];
    const broken = catalog.transaction(async (tx) => {
      const write = async (turns: number) => {
        for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
        await tx.settings.set(`late-${turns}`, "written").catch(() => {});
      };
      for (let turns = 0; turns < 60; turns += 1) late.push(write(turns));
      throw new Error("broken");
    });
    const next = catalog.transaction((tx) => tx.settings.set("next", "written"));
    await expect(broken).rejects.toThrow("broken");
    await Promise.all([...late, next]);
    for (let turns = 0; turns < 60; turns += 1)
      expect(await catalog.read.settings.get(`late-${turns}`)).toBeUndefined();
    expect(await catalog.read.settings.get("next")).toBe("written");
  });

  test("closing waits for the transaction that runs; afterwards the store says that it is unavailable", async () => {
    const catalog = await open();
    let ended = false;
    const running = catalog.transaction(async (tx) => {
      await new Promise(setImmediate);
      await tx.settings.set("a", "b");
      ended = true;
    });
    await Promise.all([running, catalog[Symbol.asyncDispose]()]);
    expect(ended).toBe(true);
    await expect(catalog.read.settings.get("a")).rejects.toMatchObject({ code: "store.unavailable" });
    await expect(catalog.transaction(async () => {})).rejects.toMatchObject({ code: "store.unavailable" });
    await catalog[Symbol.asyncDispose]();
  });
}
