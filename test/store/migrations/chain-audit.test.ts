import { Kysely } from "kysely";
import { expect, test } from "vitest";
import { beginSigning } from "../../../src/core/append-audit.ts";
import { verifyAudit } from "../../../src/core/verify-audit.ts";
import { catalogMigrations } from "../../../src/store/migrations/catalog-migrations.ts";
import { runMigrations } from "../../../src/store/migrations/run-migrations.ts";
import { nodeSqliteDialect } from "../../../src/store/sqlite/node-sqlite-dialect.ts";
import { openSqliteCatalog } from "../../../src/store/sqlite/open-sqlite-catalog.ts";
import { openSqliteWriter } from "../../../src/store/sqlite/sqlite-connection.ts";
import { coreFixture } from "../../core/core-fixture.ts";
import { temporaryDirectory } from "../sqlite/temporary-directory.ts";

const rows = 1_203; // more than two of its slices

/** A catalog as it was before the audit was chained. */
async function oldCatalog(path: string): Promise<void> {
  using database = openSqliteWriter(path);
  const dialect = nodeSqliteDialect({ database, use: "write", takeTurn: async () => () => {} });
  const old = catalogMigrations.slice(0, 3);
  await runMigrations(new Kysely({ dialect }), old, {
    sequence: { type: "integer", primaryKey: (column) => column.primaryKey().autoIncrement() },
    refuseChanges: () => [],
  });
  const insert = database.prepare(
    "insert into audit (id, at_ms, actor, action, kind, resource_id, resource_name, team_id, detail) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  database.exec("begin");
  for (let index = 0; index < rows; index += 1) {
    insert.run(
      `aud_${index}`,
      1_000 + index,
      index % 3 === 0 ? "admin" : "upkeep",
      "plan.created",
      "Plan",
      "plan_1",
      "p",
      "team_1",
      '{"version": 2, "a": [1]}',
    );
  }
  database.exec("commit");
}

test("rows of before are chained as they stand, and told apart from those that were signed as they were written", async () => {
  using directory = temporaryDirectory();
  const path = directory.file("catalog.db");
  await oldCatalog(path);
  await using core = await coreFixture({ empty: true });
  await using catalog = await openSqliteCatalog({ path });
  const context = { ...core.context, catalog };
  await beginSigning(context);
  const { guarantee, ...page } = await verifyAudit(context, { limit: 5_000 });
  expect(page).toMatchObject({ rows, findings: [], next: undefined, head: { seq: rows } });
  expect(guarantee?.signed).toMatchObject({ began: "upgraded", signedFrom: rows + 1 });
  const [first, second] = await catalog.read.audit.after(0, 2);
  expect(first).toMatchObject({
    seq: 1,
    id: "aud_0",
    actorType: "admin",
    detail: { version: 2, a: [1] },
    requestId: null,
  });
  expect(second).toMatchObject({ actorType: "system", previousHash: first?.hash });
});
