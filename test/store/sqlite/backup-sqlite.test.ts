import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { openSqliteCatalog } from "../../../src/store/sqlite/open-sqlite-catalog.ts";
import { sampleAudit, sampleResource } from "../../contract/sample-rows.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

describe.each(["a file", "memory"])("a backup of a catalog in %s", (place) => {
  const pathIn = (directory: { file(name: string): string }) =>
    place === "memory" ? ":memory:" : directory.file("catalog.db");

  test("is one whole catalog file that only its owner can read", async () => {
    using directory = temporaryDirectory();
    await using catalog = await openSqliteCatalog({ path: pathIn(directory) });
    const resource = sampleResource();
    await catalog.transaction((tx) => tx.resources.insert(resource));
    const path = directory.file("backup.db");
    await catalog.backup(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory.file(".")).filter((name) => name.includes("backup"))).toEqual(["backup.db"]);
    await using copy = await openSqliteCatalog({ path });
    expect(await copy.read.resources.findById(resource.id)).toEqual(resource);
  });

  test("holds every transaction wholly or not at all while writers go on", async () => {
    using directory = temporaryDirectory();
    await using catalog = await openSqliteCatalog({ path: pathIn(directory) });
    let writing = true;
    const writer = (async () => {
      while (writing) {
        await catalog.transaction(async (tx) => {
          const resource = sampleResource();
          await tx.resources.insert(resource);
          await new Promise(setImmediate);
          await tx.audit.insert(sampleAudit(resource));
        });
      }
    })();
    const counts: number[] = [];
    for (let copy = 0; copy < 10; copy += 1) {
      const path = directory.file(`backup-${copy}.db`);
      await catalog.backup(path);
      using database = new DatabaseSync(path, { readOnly: true });
      const tables = "(select count(*) from resources) as resources, (select count(*) from audit) as audit";
      const { resources, audit } = database.prepare(`select ${tables}`).get() ?? {};
      expect(resources).toBe(audit);
      counts.push(Number(resources));
    }
    writing = false;
    await writer;
    expect(counts).toEqual(counts.toSorted((left, right) => left - right));
    expect(counts.at(-1)).toBeGreaterThan(0);
  });

  test("never overwrites a file, and leaves nothing when it fails", async () => {
    using directory = temporaryDirectory();
    await using catalog = await openSqliteCatalog({ path: pathIn(directory) });
    const path = directory.file("taken");
    writeFileSync(path, "mine");
    await expect(catalog.backup(path)).rejects.toMatchObject({ code: "resource.conflict" });
    expect(readFileSync(path, "utf8")).toBe("mine");
    await expect(catalog.backup(directory.file("none/backup.db"))).rejects.toMatchObject({ code: "store.unavailable" });
    expect(readdirSync(directory.file(".")).filter((name) => !name.startsWith("catalog"))).toEqual(["taken"]);
  });
});
