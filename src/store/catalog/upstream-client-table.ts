import type { Kysely } from "kysely";
import type { UpstreamClientRow, UpstreamClientTable } from "../../core/upstream-tables.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { CatalogTables } from "./catalog-tables.ts";

/** Registrations of the gateway, as `UpstreamClientTable` promises them. */
export function upstreamClientTable(db: Kysely<CatalogTables>): UpstreamClientTable {
  return {
    async put(row) {
      const { issuer, redirectUri, ...rest } = { ...row, sealed: JSON.stringify(row.sealed) };
      await db
        .insertInto("upstreamClients")
        .values({ issuer, redirectUri, ...rest })
        .onConflict((conflict) => conflict.columns(["issuer", "redirectUri"]).doUpdateSet(rest))
        .execute();
    },
    async find(issuer, redirectUri) {
      const row = await db
        .selectFrom("upstreamClients")
        .selectAll()
        .where("issuer", "=", issuer)
        .where("redirectUri", "=", redirectUri)
        .executeTakeFirst();
      return row && { ...row, sealed: parseJson(row.sealed) as UpstreamClientRow["sealed"] }; // written by put and rotation only
    },
    async delete(id) {
      const result = await db
        .deleteFrom("upstreamClients")
        .where("id", "=", id as UpstreamClientRow["id"]) // looked up only
        .executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
  };
}
