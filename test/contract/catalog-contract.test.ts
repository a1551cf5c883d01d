import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { openSqliteCatalog } from "../../src/store/sqlite/open-sqlite-catalog.ts";
import { catalogContract } from "./catalog-contract.ts";

let directory = "";
let files = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "gatehouse-contract-"));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

catalogContract("an SQLite file", () => {
  files += 1;
  return openSqliteCatalog({ path: join(directory, `${files}.db`) });
});

catalogContract("SQLite in memory", () => openSqliteCatalog({ path: ":memory:" }));
