import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { openSqliteCatalog } from "../../../src/store/sqlite/open-sqlite-catalog.ts";
import { whyCatalogCannotBeWritten } from "../../../src/store/sqlite/why-catalog-cannot-be-written.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

test("a catalog that is in use by its process can be written, one whose lock somebody holds cannot", async () => {
  using directory = temporaryDirectory();
  const path = directory.file("catalog.db");
  await using _catalog = await openSqliteCatalog({ path });
  expect(whyCatalogCannotBeWritten(path)).toBeUndefined();
  const other = new DatabaseSync(path);
  other.exec("BEGIN EXCLUSIVE");
  expect(whyCatalogCannotBeWritten(path)).toBe("another process holds its lock");
  other.close();
  expect(whyCatalogCannotBeWritten(path)).toBeUndefined();
});

test("a path that is no database is told as what it is", async () => {
  using directory = temporaryDirectory();
  expect(whyCatalogCannotBeWritten(directory.file("."))).toMatch(/unable to open/);
});
