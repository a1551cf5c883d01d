import type { Kysely, Selectable } from "kysely";
import type { AuditRow, CatalogTransaction } from "../../core/catalog.ts";
import type { CatalogTables } from "./catalog-tables.ts";
import { closePage, openNumberedPage } from "./page-cursor.ts";

/** The audit trail, as `CatalogTransaction` promises it. */
export function auditTable(db: Kysely<CatalogTables>): CatalogTransaction["audit"] {
  return {
    async insert(row) {
      await db
        .insertInto("audit")
        .values({ ...row, detail: JSON.stringify(row.detail) })
        .execute();
    },
    async list({ resourceId }, page) {
      const { after } = openNumberedPage("audit", page);
      const found = await db
        .selectFrom("audit")
        .selectAll()
        .$if(resourceId !== undefined, (query) => query.where("resourceId", "=", resourceId ?? ""))
        .where("seq", ">", after)
        .orderBy("seq")
        .limit(page.limit + 1)
        .execute();
      return closePage("audit", page, found, { row: fromStored, position: (row) => row.seq });
    },
  };
}

function fromStored({ seq: _, ...row }: Selectable<CatalogTables["audit"]>): AuditRow {
  return { ...row, detail: JSON.parse(row.detail) as AuditRow["detail"] }; // written by insert only
}
