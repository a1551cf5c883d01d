import { expect, test } from "vitest";
import { openSqliteReader, openSqliteWriter } from "../../../src/store/sqlite/sqlite-connection.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

test.each([
  { name: "a commit waits for the disk", pragma: "synchronous", value: 2 },
  { name: "a commit waits for the drive's cache where the system can ask for that", pragma: "fullfsync", value: 1 },
  { name: "readers are not held up by a writer", pragma: "journal_mode", value: "wal" },
  { name: "foreign keys are kept", pragma: "foreign_keys", value: 1 },
  { name: "a statement waits a second for another process", pragma: "busy_timeout", value: 1000 },
])("$name", ({ pragma, value }) => {
  using directory = temporaryDirectory();
  using database = openSqliteWriter(directory.file("catalog.db"));
  expect(Object.values(database.prepare(`pragma ${pragma}`).get() ?? {})).toEqual([value]);
});

test("a reader cannot write, whatever it is asked", () => {
  using directory = temporaryDirectory();
  const path = directory.file("catalog.db");
  using writer = openSqliteWriter(path);
  writer.exec("create table notes (text)");
  using reader = openSqliteReader(path);
  expect(() => reader.exec("insert into notes values ('x')")).toThrow(/readonly/);
});
