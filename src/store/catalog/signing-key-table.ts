import type { Kysely } from "kysely";
import type { SigningKeyRow, SigningKeyTable } from "../../core/identity-tables.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { CatalogTables } from "./catalog-tables.ts";

/** Signing keys, as `SigningKeyTable` promises them. */
export function signingKeyTable(db: Kysely<CatalogTables>): SigningKeyTable {
  return {
    async put(key) {
      const stored = { ...key, sealed: JSON.stringify(key.sealed), publicJwk: JSON.stringify(key.publicJwk) };
      const { sealed, activeFromMs, retiredAtMs } = stored;
      await db
        .insertInto("signingKeys")
        .values(stored)
        .onConflict((conflict) => conflict.column("kid").doUpdateSet({ sealed, activeFromMs, retiredAtMs }))
        .execute();
    },
    async all() {
      const found = await db.selectFrom("signingKeys").selectAll().orderBy("seq").execute();
      return found.map(({ seq: _, ...row }) => ({
        ...row,
        sealed: parseJson(row.sealed) as SigningKeyRow["sealed"], // both were written by put only
        publicJwk: parseJson(row.publicJwk) as SigningKeyRow["publicJwk"],
      }));
    },
    async delete(kid) {
      const result = await db.deleteFrom("signingKeys").where("kid", "=", kid).executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
  };
}
