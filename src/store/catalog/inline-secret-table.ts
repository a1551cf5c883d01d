import type { Kysely, Selectable } from "kysely";
import type { InlineSecretRow, InlineSecretTable } from "../../core/inline-secrets.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { CatalogTables } from "./catalog-tables.ts";

/** Values that were given inline in resources, as `InlineSecretTable` promises them. They go away with their resource. */
export function inlineSecretTable(db: Kysely<CatalogTables>): InlineSecretTable {
  return {
    async insert(row) {
      await db
        .insertInto("inlineSecrets")
        .values({ ...row, sealed: JSON.stringify(row.sealed) })
        .execute();
    },
    async find(id) {
      const row = await db.selectFrom("inlineSecrets").selectAll().where("id", "=", id).executeTakeFirst();
      return row && fromStored(row);
    },
    async of(holderId) {
      const found = await db
        .selectFrom("inlineSecrets")
        .selectAll()
        .where("holderId", "=", holderId)
        .orderBy("id")
        .execute();
      return found.map(fromStored);
    },
    async delete(id) {
      const result = await db.deleteFrom("inlineSecrets").where("id", "=", id).executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
  };
}

function fromStored(row: Selectable<CatalogTables["inlineSecrets"]>): InlineSecretRow {
  return { ...row, sealed: parseJson(row.sealed) as InlineSecretRow["sealed"] }; // written by insert and rotation only
}
