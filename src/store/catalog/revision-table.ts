import type { Kysely, Selectable } from "kysely";
import type { CatalogTransaction, RevisionRow } from "../../core/catalog.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { CatalogTables } from "./catalog-tables.ts";
import { explainConflict } from "./explain-conflict.ts";
import { closePage, openNumberedPage } from "./page-cursor.ts";

/** Published states of APIs, as `CatalogTransaction` promises them. They go away with their resource. */
export function revisionTable(db: Kysely<CatalogTables>): CatalogTransaction["revisions"] {
  return {
    async insert(revision) {
      const insert = db.insertInto("revisions").values({ ...revision, spec: JSON.stringify(revision.spec) });
      await explainConflict(`Revision ${revision.number} exists already.`, insert.execute());
    },
    async find(resourceId, number) {
      const row = await db
        .selectFrom("revisions")
        .selectAll()
        .where("resourceId", "=", resourceId)
        .where("number", "=", number)
        .executeTakeFirst();
      return row && fromStored(row);
    },
    async hashOf(resourceId, number) {
      const row = await db
        .selectFrom("revisions")
        .select("specHash")
        .where("resourceId", "=", resourceId)
        .where("number", "=", number)
        .executeTakeFirst();
      return row?.specHash;
    },
    async latest(resourceId) {
      const row = await db
        .selectFrom("revisions")
        .selectAll()
        .where("resourceId", "=", resourceId)
        .orderBy("number", "desc")
        .limit(1)
        .executeTakeFirst();
      return row && fromStored(row);
    },
    async list(resourceId, page) {
      const { after } = openNumberedPage("revisions", page);
      const found = await db
        .selectFrom("revisions")
        .selectAll()
        .where("resourceId", "=", resourceId)
        .where("number", ">", after)
        .orderBy("number")
        .limit(page.limit + 1)
        .execute();
      return closePage("revisions", page, found, { row: fromStored, position: (row) => row.number });
    },
  };
}

function fromStored(row: Selectable<CatalogTables["revisions"]>): RevisionRow {
  return { ...row, spec: parseJson(row.spec) };
}
