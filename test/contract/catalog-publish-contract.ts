import { expect, test } from "vitest";
import type { OpenCatalog } from "./catalog-contract.ts";
import { everyRow } from "./every-row.ts";
import { sampleDeployment, sampleResource, sampleRevision } from "./sample-rows.ts";

/** Revisions and deployments. */
export function catalogPublishContract(open: OpenCatalog): void {
  test("revisions are found by number, the latest is the highest, and a number is used once", async () => {
    await using catalog = await open();
    const api = sampleResource();
    const [first, second] = [sampleRevision(api.id), sampleRevision(api.id, { number: 2, spec: null })];
    await catalog.transaction(async (tx) => {
      await tx.resources.insert(api);
      await tx.revisions.insert(first);
      await tx.revisions.insert(second);
    });
    expect(await catalog.read.revisions.find(api.id, 1)).toEqual(first);
    expect(await catalog.read.revisions.find(api.id, 3)).toBeUndefined();
    expect(await catalog.read.revisions.latest(api.id)).toEqual(second);
    expect(await catalog.read.revisions.latest("llm_0")).toBeUndefined();
    const again = catalog.transaction((tx) => tx.revisions.insert(first));
    await expect(again).rejects.toMatchObject({ code: "resource.conflict" });
  });

  test("the revisions of one API are listed in pages by number", async () => {
    await using catalog = await open();
    const [api, other] = [sampleResource(), sampleResource()];
    const numbers = Array.from({ length: 25 }, (_, index) => index + 1);
    await catalog.transaction(async (tx) => {
      await tx.resources.insert(api);
      await tx.resources.insert(other);
      for (const number of numbers) await tx.revisions.insert(sampleRevision(api.id, { number }));
      await tx.revisions.insert(sampleRevision(other.id, { number: 26 }));
    });
    const rows = await everyRow((page) => catalog.read.revisions.list(api.id, page), 10);
    expect(rows.map((row) => row.number)).toEqual(numbers);
  });

  test("an API has one deployment, which the next one replaces", async () => {
    await using catalog = await open();
    const api = sampleResource();
    const next = sampleDeployment(api, { revision: 2, context: "/moved" });
    await catalog.transaction(async (tx) => {
      await tx.resources.insert(api);
      await tx.revisions.insert(sampleRevision(api.id));
      await tx.revisions.insert(sampleRevision(api.id, { number: 2 }));
      await tx.deployments.put(sampleDeployment(api));
      await tx.deployments.put(next);
    });
    expect(await catalog.read.deployments.all()).toEqual([next]);
    expect(await catalog.read.deployments.find(api.id)).toEqual(next);
    expect(await catalog.transaction((tx) => tx.deployments.delete(api.id))).toBe(true);
    expect(await catalog.transaction((tx) => tx.deployments.delete(api.id))).toBe(false);
    expect(await catalog.read.deployments.find(api.id)).toBeUndefined();
  });

  test("two APIs cannot be deployed at one context, neither anew nor by moving there", async () => {
    await using catalog = await open();
    const [first, second] = [sampleResource({ name: "b" }), sampleResource({ name: "a" })];
    await catalog.transaction(async (tx) => {
      for (const api of [first, second]) {
        await tx.resources.insert(api);
        await tx.revisions.insert(sampleRevision(api.id));
      }
      await tx.deployments.put(sampleDeployment(first, { context: "/chat" }));
    });
    const taken = { code: "resource.conflict", message: "Another deployed API has the context /chat." };
    const put = (context: string) =>
      catalog.transaction((tx) => tx.deployments.put(sampleDeployment(second, { context })));
    await expect(put("/chat")).rejects.toMatchObject(taken);
    await put("/other");
    await expect(put("/chat")).rejects.toMatchObject(taken);
    const deployed = await catalog.read.deployments.all();
    expect(deployed.map((row) => row.context)).toEqual(["/other", "/chat"]);
  });

  test("what is deployed cannot lack its revision when the transaction ends", async () => {
    await using catalog = await open();
    const api = sampleResource();
    const withoutRevision = catalog.transaction(async (tx) => {
      await tx.resources.insert(api);
      await tx.deployments.put(sampleDeployment(api));
    });
    await expect(withoutRevision).rejects.toMatchObject({ code: "resource.conflict" });
    expect(await catalog.read.resources.findById(api.id)).toBeUndefined();
    await catalog.transaction(async (tx) => {
      await tx.resources.insert(api);
      await tx.deployments.put(sampleDeployment(api));
      await tx.revisions.insert(sampleRevision(api.id));
    });
    const deletion = catalog.transaction((tx) => tx.resources.delete(api.id, 1));
    await expect(deletion).rejects.toMatchObject({ code: "resource.conflict" });
    expect(await catalog.read.resources.findById(api.id)).toEqual(api);
  });

  test("a deleted API takes its revisions with it, so that one made again begins at the beginning", async () => {
    await using catalog = await open();
    const api = sampleResource();
    await catalog.transaction(async (tx) => {
      await tx.resources.insert(api);
      await tx.revisions.insert(sampleRevision(api.id));
    });
    await catalog.transaction((tx) => tx.resources.delete(api.id, 1));
    expect(await catalog.read.revisions.latest(api.id)).toBeUndefined();
  });
}
