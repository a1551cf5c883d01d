import type { Kysely } from "kysely";
import type { CatalogTransaction } from "../../core/catalog.ts";
import type { CatalogTables } from "./catalog-tables.ts";
import { explainConflict } from "./explain-conflict.ts";

/** What is live, as `CatalogTransaction` promises it. The revision must be stored by the end of the transaction. */
export function deploymentTable(db: Kysely<CatalogTables>): CatalogTransaction["deployments"] {
  return {
    async put(deployment) {
      const { resourceId: _, ...rest } = deployment;
      const put = db
        .insertInto("deployments")
        .values(deployment)
        .onConflict((conflict) => conflict.column("resourceId").doUpdateSet(rest));
      await explainConflict(`Another deployed API has the context ${deployment.context}.`, put.execute());
    },
    async delete(resourceId) {
      const result = await db.deleteFrom("deployments").where("resourceId", "=", resourceId).executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
    find(resourceId) {
      return db.selectFrom("deployments").selectAll().where("resourceId", "=", resourceId).executeTakeFirst();
    },
    all() {
      return db.selectFrom("deployments").selectAll().orderBy("kind").orderBy("name").execute();
    },
  };
}
