import type { Kysely, Selectable, SelectQueryBuilder } from "kysely";
import { auditGenesis, chainEntry, installationSetting } from "../../core/audit-chain.ts";
import type { AuditFilter, AuditTable } from "../../core/audit-log.ts";
import type { AuditRow } from "../../core/catalog.ts";
import { canonicalJson } from "../../kernel/canonical-json.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { CatalogTables } from "./catalog-tables.ts";
import { closePage, openNumberedPage } from "./page-cursor.ts";
import { settingTable } from "./setting-table.ts";

/** The audit trail, as `AuditTable` promises it. */
export function auditTable(db: Kysely<CatalogTables>): AuditTable {
  const head: AuditTable["head"] = () =>
    db.selectFrom("audit").select(["seq", "hash"]).orderBy("seq", "desc").limit(1).executeTakeFirst();
  return {
    head,
    async insert(entry) {
      const row = chainEntry(entry, (await head()) ?? (await genesis(db)));
      await db
        .insertInto("audit")
        .values({ ...row, detail: canonicalJson(row.detail) })
        .execute();
      return row;
    },
    async list(filter, page, order = "oldest") {
      const list = order === "oldest" ? "audit" : "audit-latest"; // a cursor is good for one order only
      const { after } = openNumberedPage(list, page);
      const query = narrowed(db.selectFrom("audit"), filter).selectAll();
      const begun = after === 0 ? query : query.where("seq", order === "oldest" ? ">" : "<", after);
      const found = await begun
        .orderBy("seq", order === "oldest" ? "asc" : "desc")
        .limit(page.limit + 1)
        .execute();
      return closePage(list, page, found, { row: fromStored, position: (row) => row.seq });
    },
    async after(seq, limit) {
      const query = db.selectFrom("audit").selectAll().where("seq", ">", seq).orderBy("seq").limit(limit);
      return (await query.execute()).map(fromStored);
    },
  };
}

async function genesis(db: Kysely<CatalogTables>) {
  return auditGenesis((await settingTable(db).get(installationSetting)) ?? "");
}

type AuditQuery = SelectQueryBuilder<CatalogTables, "audit", object>;

function narrowed(query: AuditQuery, filter: AuditFilter): AuditQuery {
  let found = query;
  for (const column of ["actor", "kind", "resourceId", "resourceName", "teamId"] as const) {
    const value = filter[column];
    if (value !== undefined) found = found.where(column, "=", value);
  }
  const { action, fromMs, toMs, afterSeq } = filter;
  if (action?.endsWith(".*") === true) {
    const subject = action.slice(0, -1); // with its dot, and a slash is what follows a dot
    found = found.where("action", ">=", subject).where("action", "<", `${subject.slice(0, -1)}/`);
  } else if (action !== undefined) {
    found = found.where("action", "=", action);
  }
  if (fromMs !== undefined) found = found.where("atMs", ">=", fromMs);
  if (toMs !== undefined) found = found.where("atMs", "<", toMs);
  if (afterSeq !== undefined) found = found.where("seq", ">", afterSeq);
  return found;
}

function fromStored(row: Selectable<CatalogTables["audit"]>): AuditRow {
  return { ...row, detail: detailOf(row.detail) };
}

// Only the form in which it was written is the same row: another text of the same value must not have its hash.
function detailOf(text: string): AuditRow["detail"] {
  try {
    const detail = parseJson(text) as AuditRow["detail"]; // what else it may be is not canonical
    if (canonicalJson(detail) === text) return detail;
  } catch {
    // not even JSON: shown as it is
  }
  return { unreadable: text };
}
