import type { Kysely } from "kysely";
import type { CatalogTransaction } from "../../core/catalog.ts";
import type { CatalogTables } from "./catalog-tables.ts";

/** Small facts of the installation, as `CatalogTransaction` promises them. */
export function settingTable(db: Kysely<CatalogTables>): CatalogTransaction["settings"] {
  return {
    async get(name) {
      const row = await db.selectFrom("settings").select("value").where("name", "=", name).executeTakeFirst();
      return row?.value;
    },
    async set(name, value) {
      await db
        .insertInto("settings")
        .values({ name, value })
        .onConflict((conflict) => conflict.column("name").doUpdateSet({ value }))
        .execute();
    },
  };
}
