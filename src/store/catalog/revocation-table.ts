import type { Kysely, Selectable } from "kysely";
import type { RevocationTable } from "../../core/identity-tables.ts";
import type { RevocationRecord } from "../../core/plane-message.ts";
import type { CatalogTables } from "./catalog-tables.ts";
import { closePage, openNumberedPage } from "./page-cursor.ts";

/** Revocations, as `RevocationTable` promises them. */
export function revocationTable(db: Kysely<CatalogTables>): RevocationTable {
  const find: RevocationTable["find"] = async (type, keyManagerId, id) => {
    const row = await db
      .selectFrom("revocations")
      .selectAll()
      .where("type", "=", type)
      .where("keyManagerId", "=", keyManagerId as RevocationRecord["keyManagerId"]) // looked up only
      .where("id", "=", id)
      .executeTakeFirst();
    return row && fromStored(row);
  };
  return {
    find,
    async put(record) {
      const before = await find(record.type, record.keyManagerId, record.id);
      const beforeMs = Math.max(record.beforeMs, before?.beforeMs ?? 0);
      const expiresAtMs = Math.max(record.expiresAtMs, before?.expiresAtMs ?? 0);
      await db
        .insertInto("revocations")
        .values({ ...record, beforeMs, expiresAtMs })
        .onConflict((conflict) =>
          conflict.columns(["type", "keyManagerId", "id"]).doUpdateSet({ beforeMs, expiresAtMs }),
        )
        .execute();
    },
    async live(nowMs, page) {
      const { after } = openNumberedPage("revocations", page);
      const found = await db
        .selectFrom("revocations")
        .selectAll()
        .where("expiresAtMs", ">", nowMs)
        .where("seq", ">", after)
        .orderBy("seq")
        .limit(page.limit + 1)
        .execute();
      return closePage("revocations", page, found, { row: fromStored, position: (row) => row.seq });
    },
    async deleteExpired(nowMs, limit) {
      const expired = db.selectFrom("revocations").select("seq").where("expiresAtMs", "<", nowMs).limit(limit);
      const result = await db.deleteFrom("revocations").where("seq", "in", expired).executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}

function fromStored({ seq: _, ...row }: Selectable<CatalogTables["revocations"]>): RevocationRecord {
  return row;
}
