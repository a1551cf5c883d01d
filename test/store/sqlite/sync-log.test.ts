import { open } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { expect, test, vi } from "vitest";
import { openSqliteCatalog } from "../../../src/store/sqlite/open-sqlite-catalog.ts";
import { sampleResource } from "../../contract/sample-rows.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

/** The prototype that all file handles share, which Node gives no name. */
async function fileHandles(): Promise<{ datasync(): Promise<void> }> {
  await using file = await open(import.meta.filename);
  return Object.getPrototypeOf(file) as { datasync(): Promise<void> };
}

test("a transaction in the background is acknowledged when it is on the disk, and any other waits for its own commit", async () => {
  using directory = temporaryDirectory();
  await using catalog = await openSqliteCatalog({ path: directory.file("catalog.db") });
  const done: string[] = [];
  const { exec } = DatabaseSync.prototype;
  vi.spyOn(DatabaseSync.prototype, "exec").mockImplementation(function (this: DatabaseSync, sql) {
    done.push(sql);
    exec.call(this, sql);
  });
  const handles = await fileHandles();
  const { datasync } = handles;
  vi.spyOn(handles, "datasync").mockImplementation(async function (this: typeof handles) {
    await datasync.call(this);
    done.push("on the disk");
  });
  await catalog.transaction((tx) => tx.settings.set("a", "1"), { isBackground: true });
  done.push("acknowledged");
  await catalog.transaction((tx) => tx.settings.set("a", "2"));
  expect(done).toEqual([
    "pragma synchronous = normal",
    "begin immediate",
    "commit",
    "pragma synchronous = full",
    "on the disk",
    "acknowledged",
    "begin immediate",
    "commit",
  ]);
});

test("what the disk has not taken is not acknowledged, and the next transaction asks the disk again", async () => {
  using directory = temporaryDirectory();
  await using catalog = await openSqliteCatalog({ path: directory.file("catalog.db") });
  const handles = await fileHandles();
  vi.spyOn(handles, "datasync").mockRejectedValueOnce(new Error("EIO: i/o error, fdatasync"));
  const write = () => catalog.transaction((tx) => tx.settings.set("a", "1"), { isBackground: true });
  await expect(write()).rejects.toMatchObject({ code: "store.unavailable" });
  await write();
  expect(await catalog.read.settings.get("a")).toBe("1");
});

test("a transaction in the background that fails leaves nothing, and the next commit waits for the disk again", async () => {
  using directory = temporaryDirectory();
  await using catalog = await openSqliteCatalog({ path: directory.file("catalog.db") });
  const resource = sampleResource();
  const fails = catalog.transaction(
    async (tx) => {
      await tx.resources.insert(resource);
      await tx.resources.insert(resource);
    },
    { isBackground: true },
  );
  await expect(fails).rejects.toMatchObject({ code: "resource.conflict" });
  expect(await catalog.read.resources.findById(resource.id)).toBeUndefined();
  const exec = vi.spyOn(DatabaseSync.prototype, "exec");
  await catalog.transaction((tx) => tx.resources.insert(resource), { isBackground: true });
  expect(exec.mock.calls.at(-1)).toEqual(["pragma synchronous = full"]);
});
