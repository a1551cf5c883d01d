import type { Kysely, Selectable } from "kysely";
import type { CatalogTransaction, SecretRow } from "../../core/catalog.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { CatalogTables } from "./catalog-tables.ts";
import { explainConflict } from "./explain-conflict.ts";
import { closePage, openNumberedPage } from "./page-cursor.ts";

/** Sealed secrets, as `CatalogTransaction` promises them. `put` with a known id writes value, version and time. */
export function secretTable(db: Kysely<CatalogTables>): CatalogTransaction["secrets"] {
  return {
    async put(secret) {
      const stored = { ...secret, sealed: JSON.stringify(secret.sealed) };
      const { sealed, version, updatedAtMs } = stored;
      const put = db
        .insertInto("secrets")
        .values(stored)
        .onConflict((conflict) => conflict.column("id").doUpdateSet({ sealed, version, updatedAtMs }));
      await explainConflict(`A secret called ${secret.name} exists already.`, put.execute());
    },
    async delete(name) {
      const result = await db.deleteFrom("secrets").where("name", "=", name).executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
    async find(name) {
      const row = await db.selectFrom("secrets").selectAll().where("name", "=", name).executeTakeFirst();
      return row && fromStored(row);
    },
    async list(page, { teamIds } = {}) {
      const { after } = openNumberedPage("secrets", page);
      const found = await db
        .selectFrom("secrets")
        .selectAll()
        .$if(teamIds !== undefined, (query) => query.where("teamId", "in", [...(teamIds ?? [])]))
        .where("seq", ">", after)
        .orderBy("seq")
        .limit(page.limit + 1)
        .execute();
      return closePage("secrets", page, found, { row: fromStored, position: (row) => row.seq });
    },
  };
}

function fromStored({ seq: _, ...row }: Selectable<CatalogTables["secrets"]>): SecretRow {
  return { ...row, sealed: parseJson(row.sealed) as SecretRow["sealed"] }; // written by put only
}
