import { readdirSync, statSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { openSqliteCatalog } from "../../../src/store/sqlite/open-sqlite-catalog.ts";
import { everyRow } from "../../contract/every-row.ts";
import { sampleKey, sampleResource } from "../../contract/sample-rows.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

test("what was written is there after closing and opening again, and closing leaves one file", async () => {
  using directory = temporaryDirectory();
  const path = directory.file("catalog.db");
  const resource = sampleResource();
  {
    await using catalog = await openSqliteCatalog({ path });
    await catalog.transaction((tx) => tx.resources.insert(resource));
  }
  expect(readdirSync(directory.file("."))).toEqual(["catalog.db"]);
  await using catalog = await openSqliteCatalog({ path });
  expect(await catalog.read.resources.findById(resource.id)).toEqual(resource);
});

test("the catalog's files can be read by their owner only", async () => {
  using directory = temporaryDirectory();
  await using catalog = await openSqliteCatalog({ path: directory.file("catalog.db") });
  await catalog.transaction((tx) => tx.settings.set("a", "b"));
  const files = readdirSync(directory.file(".")).toSorted();
  expect(files).toEqual(["catalog.db", "catalog.db-shm", "catalog.db-wal"]);
  for (const file of files) expect(statSync(directory.file(file)).mode & 0o777).toBe(0o600);
});

test("reads go on while a transaction is open", async () => {
  using directory = temporaryDirectory();
  await using catalog = await openSqliteCatalog({ path: directory.file("catalog.db") });
  await catalog.transaction((tx) => tx.settings.set("state", "old"));
  await catalog.transaction(async (tx) => {
    await tx.settings.set("state", "new");
    expect(await catalog.read.settings.get("state")).toBe("old");
    expect(await tx.settings.get("state")).toBe("new");
  });
  expect(await catalog.read.settings.get("state")).toBe("new");
});

test("a transaction keeps other writers out from its beginning, so what it has read stays true until it writes", async () => {
  using directory = temporaryDirectory();
  const path = directory.file("catalog.db");
  await using catalog = await openSqliteCatalog({ path });
  using other = new DatabaseSync(path);
  await catalog.transaction(async (tx) => {
    expect(() => other.exec("insert into settings values ('state', 'theirs')")).toThrow(/locked/);
    await tx.settings.set("state", "ours");
  });
  other.exec("update settings set value = 'theirs'");
  expect(await catalog.read.settings.get("state")).toBe("theirs");
});

test("in memory, a read inside of a transaction is refused instead of waiting for ever", async () => {
  await using catalog = await openSqliteCatalog({ path: ":memory:" });
  const read = catalog.transaction(() => catalog.read.settings.get("state"));
  await expect(read).rejects.toMatchObject({ code: "internal" });
});

test("a catalog that another process keeps locked is unavailable, and works again afterwards", async () => {
  using directory = temporaryDirectory();
  const path = directory.file("catalog.db");
  await using catalog = await openSqliteCatalog({ path });
  using other = new DatabaseSync(path);
  other.exec("begin immediate");
  const locked = catalog.transaction((tx) => tx.settings.set("a", "b"));
  await expect(locked).rejects.toMatchObject({ code: "store.unavailable", cause: { code: "ERR_SQLITE_ERROR" } });
  other.exec("rollback");
  await catalog.transaction((tx) => tx.settings.set("a", "c"));
  expect(await catalog.read.settings.get("a")).toBe("c");
});

test("whoever reads page after page, or writes a great deal at once, lets other work happen in between", async () => {
  using directory = temporaryDirectory();
  await using catalog = await openSqliteCatalog({ path: directory.file("catalog.db") });
  const keys = Array.from({ length: 1000 }, () => sampleKey());
  const write = catalog.transaction(async (tx) => {
    for (const key of keys) await tx.apiKeys.insert(key);
  });
  expect(await turnsDuring(write)).toBeGreaterThanOrEqual(10);
  const read = everyRow((page) => catalog.read.apiKeys.live(page), 100);
  expect(await turnsDuring(read)).toBeGreaterThanOrEqual(10);
});

test("a catalog of a newer version is refused with what to do, and left as it is", async () => {
  using directory = temporaryDirectory();
  const path = directory.file("catalog.db");
  await (await openSqliteCatalog({ path }))[Symbol.asyncDispose]();
  {
    using database = new DatabaseSync(path);
    database.exec("insert into schema_migrations values (1000, 'from-the-future')");
  }
  await expect(openSqliteCatalog({ path })).rejects.toMatchObject({
    code: "config.invalid",
    message: expect.stringMatching(/its schema is 1000, .* knows up to \d+\. Run the newer version/),
  });
  using database = new DatabaseSync(path);
  expect(database.prepare("select max(number) as number from schema_migrations").get()).toEqual({ number: 1000 });
});

test("a crash between the file's making and its schema is made good by the next start", async () => {
  using directory = temporaryDirectory();
  const path = directory.file("catalog.db");
  writeFileSync(path, "");
  await using catalog = await openSqliteCatalog({ path });
  expect(await catalog.read.settings.get("a")).toBeUndefined();
});

test("a database of something else is refused and left as it is", async () => {
  using directory = temporaryDirectory();
  const path = directory.file("other.db");
  {
    using database = new DatabaseSync(path);
    database.exec("create table cookies (value text)");
  }
  const open = openSqliteCatalog({ path });
  await expect(open).rejects.toMatchObject({
    code: "config.invalid",
    message: `${path} is not a catalog of Gatehouse.`,
  });
  using database = new DatabaseSync(path);
  expect(database.prepare("select name from sqlite_schema").all()).toEqual([{ name: "cookies" }]);
});

test("a file that is no database and a directory that is not there are failures of the store", async () => {
  using directory = temporaryDirectory();
  const path = directory.file("text.db");
  writeFileSync(path, "this is no database ".repeat(100));
  await expect(openSqliteCatalog({ path })).rejects.toMatchObject({ code: "store.unavailable" });
  const nowhere = directory.file("none/catalog.db");
  await expect(openSqliteCatalog({ path: nowhere })).rejects.toMatchObject({ code: "store.unavailable" });
});

async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let turns = 0;
  let working = true;
  const count = () => {
    turns += 1;
    if (working) setImmediate(count);
  };
  count();
  await work;
  working = false;
  return turns;
}
