import type { Kysely } from "kysely";
import type { CatalogTransaction } from "../../core/catalog.ts";
import type { CatalogTables } from "./catalog-tables.ts";

/** Who refers to what, as `CatalogTransaction` promises it. The same reference given twice is kept once. */
export function referenceTable(db: Kysely<CatalogTables>): CatalogTransaction["references"] {
  return {
    async replace({ holderType, holderId, holderKind, holderName }, to) {
      await db.deleteFrom("references").where("holderType", "=", holderType).where("holderId", "=", holderId).execute();
      for (const { toId, path } of to) {
        await db
          .insertInto("references")
          .values({ holderType, holderId, holderKind, holderName, toId, path })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
      }
    },
    to(id, limit) {
      return db
        .selectFrom("references")
        .selectAll()
        .where("toId", "=", id)
        .orderBy("holderKind")
        .orderBy("holderName")
        .orderBy("holderType")
        .orderBy("path")
        .limit(limit)
        .execute();
    },
  };
}
