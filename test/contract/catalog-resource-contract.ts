import { expect, test } from "vitest";
import type { CatalogTransaction } from "../../src/core/catalog.ts";
import type { OpenCatalog } from "./catalog-contract.ts";
import { everyRow } from "./every-row.ts";
import { sampleResource } from "./sample-rows.ts";

/** Resources, their references and their lists. */
export function catalogResourceContract(open: OpenCatalog): void {
  test("a resource comes back as it was stored, by name and by id", async () => {
    await using catalog = await open();
    const resource = sampleResource({ name: "chat" });
    await catalog.transaction((tx) => tx.resources.insert(resource));
    expect(await catalog.read.resources.find("LlmApi", "chat")).toEqual(resource);
    expect(await catalog.read.resources.findById(resource.id)).toEqual(resource);
    expect(await catalog.read.resources.find("McpServer", "chat")).toBeUndefined();
    expect(await catalog.read.resources.findById("llm_0")).toBeUndefined();
  });

  test("a text that looks like SQL is only text", async () => {
    await using catalog = await open();
    const resource = sampleResource({ spec: { name: "'; drop table resources; --" }, teamId: "x' or '1'='1" });
    await catalog.transaction((tx) => tx.resources.insert(resource));
    expect(await catalog.read.resources.findById(resource.id)).toEqual(resource);
    const others = await catalog.read.resources.list({ kind: "LlmApi", teamId: "' or ''='" }, { limit: 10 });
    expect(others.rows).toEqual([]);
  });

  test("a second resource of the same kind and name is a conflict that names it; another kind may have the name", async () => {
    await using catalog = await open();
    await catalog.transaction((tx) => tx.resources.insert(sampleResource({ name: "chat" })));
    const again = catalog.transaction((tx) => tx.resources.insert(sampleResource({ name: "chat" })));
    await expect(again).rejects.toMatchObject({
      code: "resource.conflict",
      message: "A LlmApi called chat exists already.",
    });
    await catalog.transaction((tx) => tx.resources.insert(sampleResource({ kind: "McpServer", name: "chat" })));
    expect(await catalog.read.resources.all("LlmApi")).toHaveLength(1);
  });

  test("an update changes spec, labels, version and time, and nothing else", async () => {
    await using catalog = await open();
    const before = sampleResource({ name: "chat" });
    await catalog.transaction((tx) => tx.resources.insert(before));
    const changes = { spec: { context: "/new" }, labels: {}, version: 2, updatedAtMs: before.updatedAtMs + 1 };
    const after = { ...before, ...changes };
    const elsewhere = { ...after, name: "other", kind: "Team", teamId: "team_2", createdAtMs: 1 };
    expect(await catalog.transaction((tx) => tx.resources.update(elsewhere, 1))).toBe(true);
    expect(await catalog.read.resources.findById(before.id)).toEqual(after);
  });

  test("an update or a deletion with another version than the stored one changes nothing", async () => {
    await using catalog = await open();
    const resource = sampleResource({ version: 3 });
    await catalog.transaction((tx) => tx.resources.insert(resource));
    const stale = { ...resource, version: 3, spec: "stale" };
    expect(await catalog.transaction((tx) => tx.resources.update(stale, 2))).toBe(false);
    expect(await catalog.transaction((tx) => tx.resources.delete(resource.id, 2))).toBe(false);
    expect(await catalog.transaction((tx) => tx.resources.delete("llm_0", 3))).toBe(false);
    expect(await catalog.read.resources.findById(resource.id)).toEqual(resource);
  });

  test("deleting a resource deletes what it refers to and leaves the references of others", async () => {
    await using catalog = await open();
    const [api, other] = [sampleResource(), sampleResource()];
    await catalog.transaction(async (tx) => {
      for (const resource of [api, other]) {
        await tx.resources.insert(resource);
        await tx.references.replace(holderOf(resource), [{ toId: "llmp_1", path: "spec.upstream" }]);
      }
    });
    expect(await catalog.transaction((tx) => tx.resources.delete(api.id, 1))).toBe(true);
    expect(await catalog.read.resources.findById(api.id)).toBeUndefined();
    const holders = await catalog.read.references.to("llmp_1", 10);
    expect(holders.map((row) => row.holderId)).toEqual([other.id]);
  });

  test("references are replaced as a whole, found from the other end, and shown up to a limit", async () => {
    await using catalog = await open();
    const holder = holderOf(sampleResource({ name: "chat" }));
    const replace = (to: Parameters<CatalogTransaction["references"]["replace"]>[1]) =>
      catalog.transaction((tx) => tx.references.replace(holder, to));
    await replace([
      { toId: "llmp_1", path: "spec.a" },
      { toId: "llmp_1", path: "spec.b" },
      { toId: "llmp_1", path: "spec.b" },
      { toId: "llmp_2", path: "spec.a" },
    ]);
    expect(await catalog.read.references.to("llmp_1", 10)).toEqual([
      { ...holder, toId: "llmp_1", path: "spec.a" },
      { ...holder, toId: "llmp_1", path: "spec.b" },
    ]);
    expect(await catalog.read.references.to("llmp_1", 1)).toHaveLength(1);
    await replace([{ toId: "llmp_2", path: "spec.c" }]);
    expect(await catalog.read.references.to("llmp_1", 10)).toEqual([]);
    expect(await catalog.read.references.to("llmp_2", 10)).toEqual([{ ...holder, toId: "llmp_2", path: "spec.c" }]);
    await catalog.transaction((tx) => tx.references.replace({ ...holder, holderType: "deployment" }, []));
    expect(await catalog.read.references.to("llmp_2", 10)).toHaveLength(1);
  });

  test("all of a kind come in the order of their names", async () => {
    await using catalog = await open();
    await catalog.transaction(async (tx) => {
      for (const name of ["b", "a-2", "c", "a"]) await tx.resources.insert(sampleResource({ name }));
      await tx.resources.insert(sampleResource({ kind: "Team", name: "aa" }));
    });
    expect((await catalog.read.resources.all("LlmApi")).map((row) => row.name)).toEqual(["a", "a-2", "b", "c"]);
  });

  test("a list of 1,000 read in pages holds every row once, in the order of creation, while rows come and go", async () => {
    await using catalog = await open();
    const names = Array.from({ length: 1000 }, (_, index) => `api-${(index * 7919) % 1000}`);
    const resources = names.map((name) => sampleResource({ name }));
    await catalog.transaction(async (tx) => {
      for (const resource of resources) await tx.resources.insert(resource);
    });
    const gone = new Set<string>();
    const rows = await everyRow(
      (page) => catalog.read.resources.list({ kind: "LlmApi" }, page),
      90,
      (pages) =>
        catalog.transaction(async (tx) => {
          if (pages > 10) return;
          await tx.resources.insert(sampleResource({ name: `late-${pages}` }));
          // The last row that was shown, which is what the next page goes by.
          const shown = resources[pages * 90 - 1];
          if (shown === undefined) throw new Error("fewer pages than expected");
          gone.add(shown.name);
          await tx.resources.delete(shown.id, 1);
        }),
    );
    expect(rows.slice(0, 1000).map((row) => row.name)).toEqual(names);
    expect(rows.slice(1000).map((row) => row.name)).toEqual(
      Array.from({ length: 10 }, (_, page) => `late-${page + 1}`),
    );
    expect(gone.size).toBe(10);
  });

  test("a new row is never put where a deleted one stood in the list", async () => {
    await using catalog = await open();
    const [first, second, third] = [sampleResource(), sampleResource(), sampleResource()];
    await catalog.transaction(async (tx) => {
      await tx.resources.insert(first);
      await tx.resources.insert(second);
    });
    const list = catalog.read.resources.list;
    const page = await list({ kind: "LlmApi" }, { limit: 1 });
    await catalog.transaction(async (tx) => {
      await tx.resources.delete(first.id, 1);
      await tx.resources.delete(second.id, 1);
      await tx.resources.insert(third);
    });
    const rest = await list({ kind: "LlmApi" }, { limit: 1, cursor: page.next });
    expect(rest.rows).toEqual([third]);
  });

  test("a list keeps to its kind and, when asked, to one team; the last page has no cursor", async () => {
    await using catalog = await open();
    const [mine, theirs] = [sampleResource({ teamId: "team_1" }), sampleResource({ teamId: "team_2" })];
    await catalog.transaction(async (tx) => {
      for (const resource of [mine, theirs, sampleResource({ kind: "Plan" })]) await tx.resources.insert(resource);
    });
    const { list } = catalog.read.resources;
    expect(await list({ kind: "LlmApi" }, { limit: 2 })).toEqual({ rows: [mine, theirs], next: undefined });
    expect(await list({ kind: "LlmApi", teamId: "team_2" }, { limit: 2 })).toEqual({ rows: [theirs], next: undefined });
  });

  test.each([
    { name: "a cursor that is no cursor", cursor: "garbage!" },
    { name: "an empty cursor", cursor: "" },
    { name: "a cursor of another list", cursor: Buffer.from("audit 3").toString("base64url") },
    { name: "a cursor with a position that is no number", cursor: Buffer.from("resources x").toString("base64url") },
    { name: "a cursor with a negative position", cursor: Buffer.from("resources -1").toString("base64url") },
    { name: "a cursor that is very long", cursor: "A".repeat(100_000) },
  ])("$name is refused as the caller's mistake", async ({ cursor }) => {
    await using catalog = await open();
    const list = catalog.read.resources.list({ kind: "LlmApi" }, { limit: 10, cursor });
    await expect(list).rejects.toMatchObject({ code: "request.invalid", param: "cursor" });
  });

  test.each([0, 201, 1.5, Number.NaN])("a page of %d rows is refused as the caller's mistake", async (limit) => {
    await using catalog = await open();
    const list = catalog.read.resources.list({ kind: "LlmApi" }, { limit });
    await expect(list).rejects.toMatchObject({ code: "request.invalid", param: "limit" });
  });
}

function holderOf(resource: { readonly id: string; readonly kind: string; readonly name: string }) {
  return {
    holderType: "resource",
    holderId: resource.id,
    holderKind: resource.kind,
    holderName: resource.name,
  } as const;
}
