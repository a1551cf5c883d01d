import { copyFileSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { openSqliteCatalog } from "../../../src/store/sqlite/open-sqlite-catalog.ts";
import { restoreSqliteCatalog } from "../../../src/store/sqlite/restore-sqlite-catalog.ts";
import { sampleResource } from "../../contract/sample-rows.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

test("a backup is restored where nothing is, for its owner only", async () => {
  using directory = temporaryDirectory();
  const from = await backupWith(directory, "saved");
  const to = directory.file("restored.db");
  await restoreSqliteCatalog({ from, to });
  expect(statSync(to).mode & 0o777).toBe(0o600);
  expect(await stateOf(to)).toBe("saved");
});

test("a catalog that is there is replaced by force only, and then as a whole", async () => {
  using directory = temporaryDirectory();
  const from = await backupWith(directory, "saved");
  const to = directory.file("catalog.db");
  await writeState(to, "later");
  const refused = restoreSqliteCatalog({ from, to });
  await expect(refused).rejects.toMatchObject({
    code: "resource.conflict",
    message: expect.stringContaining("--force"),
  });
  expect(await stateOf(to)).toBe("later");
  await restoreSqliteCatalog({ from, to, force: true });
  expect(await stateOf(to)).toBe("saved");
});

test("what a killed process left in its write-ahead log does not come back over the restored catalog", async () => {
  using directory = temporaryDirectory();
  const from = await backupWith(directory, "saved");
  const to = directory.file("killed.db");
  {
    // The files as a kill leaves them: copied while the catalog is open, before its log is folded in.
    await using running = await openSqliteCatalog({ path: directory.file("running.db") });
    await running.transaction((tx) => tx.settings.set("state", "unfolded"));
    await running.transaction((tx) => tx.resources.insert(sampleResource()));
    for (const suffix of ["", "-wal"]) copyFileSync(directory.file(`running.db${suffix}`), `${to}${suffix}`);
  }
  expect(statSync(`${to}-wal`).size).toBeGreaterThan(0);
  await restoreSqliteCatalog({ from, to, force: true });
  await using catalog = await openSqliteCatalog({ path: to });
  expect(await catalog.read.settings.get("state")).toBe("saved");
  expect(await catalog.read.resources.all("LlmApi")).toEqual([]);
});

test("a catalog that somebody has open is not replaced", async () => {
  using directory = temporaryDirectory();
  const from = await backupWith(directory, "saved");
  const to = directory.file("catalog.db");
  await using catalog = await openSqliteCatalog({ path: to });
  await catalog.transaction((tx) => tx.settings.set("state", "running"));
  const refused = restoreSqliteCatalog({ from, to, force: true });
  await expect(refused).rejects.toMatchObject({ code: "resource.in_use" });
  await catalog.transaction((tx) => tx.settings.set("still", "writing"));
  expect(await catalog.read.settings.get("state")).toBe("running");
});

test("a broken catalog can be replaced by force", async () => {
  using directory = temporaryDirectory();
  const from = await backupWith(directory, "saved");
  const to = directory.file("broken.db");
  writeFileSync(to, "scrambled eggs ".repeat(500));
  writeFileSync(`${to}-wal`, "more of them");
  await restoreSqliteCatalog({ from, to, force: true });
  expect(await stateOf(to)).toBe("saved");
});

test.each<{ name: string; code: string; spoil: (path: string) => void }>([
  { name: "a text", code: "config.invalid", spoil: (path) => writeFileSync(path, "no database ".repeat(1000)) },
  { name: "an empty file", code: "config.invalid", spoil: (path) => truncateSync(path, 0) },
  { name: "half a backup", code: "config.invalid", spoil: (path) => truncateSync(path, statSync(path).size / 2) },
  { name: "a backup with one bad page", code: "config.invalid", spoil: scramble },
  {
    name: "another program's database",
    code: "config.invalid",
    spoil: (path) => run(path, "pragma application_id = 7"),
  },
  {
    name: "a catalog without a schema",
    code: "config.invalid",
    spoil: (path) => run(path, "drop table schema_migrations"),
  },
  {
    name: "a backup of a newer version",
    code: "config.invalid",
    spoil: (path) => run(path, "insert into schema_migrations values (1000, 'later')"),
  },
])("$name is refused before anything is touched, even by force", async ({ code, spoil }) => {
  using directory = temporaryDirectory();
  const from = await backupWith(directory, "saved");
  spoil(from);
  const to = directory.file("catalog.db");
  await writeState(to, "kept");
  const before = readFileSync(to);
  await expect(restoreSqliteCatalog({ from, to, force: true })).rejects.toMatchObject({ code });
  expect(readFileSync(to).equals(before)).toBe(true);
  expect(readdirSync(directory.file(".")).filter((name) => name.endsWith(".tmp"))).toEqual([]);
});

test("a backup that is not there is named", async () => {
  using directory = temporaryDirectory();
  const from = directory.file("none.db");
  const restore = restoreSqliteCatalog({ from, to: directory.file("catalog.db") });
  await expect(restore).rejects.toMatchObject({ code: "resource.not_found", message: `There is no file ${from}.` });
});

type Directory = ReturnType<typeof temporaryDirectory>;

async function backupWith(directory: Directory, state: string): Promise<string> {
  const path = directory.file("backup.db");
  await using catalog = await openSqliteCatalog({ path: ":memory:" });
  await catalog.transaction((tx) => tx.settings.set("state", state));
  await catalog.backup(path);
  return path;
}

async function writeState(path: string, state: string): Promise<void> {
  await using catalog = await openSqliteCatalog({ path });
  await catalog.transaction((tx) => tx.settings.set("state", state));
}

async function stateOf(path: string): Promise<string | undefined> {
  await using catalog = await openSqliteCatalog({ path });
  return await catalog.read.settings.get("state");
}

function run(path: string, sql: string): void {
  using database = new DatabaseSync(path);
  database.exec(sql);
}

// The last page only: what is read before the check of the whole file is sound.
function scramble(path: string): void {
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0x5a, bytes.length - 4096));
}
