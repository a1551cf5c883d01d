import type { Kysely, Selectable } from "kysely";
import type { SessionRow, SessionTable } from "../../core/access-tables.ts";
import type { CatalogTables } from "./catalog-tables.ts";
import { closePage, openNumberedPage } from "./page-cursor.ts";

/** Sessions, as `SessionTable` promises them. */
export function sessionTable(db: Kysely<CatalogTables>): SessionTable {
  return {
    ...sessionEndings(db),
    async insert(session) {
      await db.insertInto("sessions").values(session).execute();
    },
    find: async (idHash) => optional(await select(db).where("idHash", "=", idHash).executeTakeFirst()),
    findById: async (id) => optional(await select(db).where("id", "=", idOf(id)).executeTakeFirst()),
    async list({ userId }, page) {
      const { after } = openNumberedPage("sessions", page);
      const found = await select(db)
        .where("seq", ">", after)
        .$if(userId !== undefined, (query) => query.where("userId", "=", userOf(userId)))
        .orderBy("seq")
        .limit(page.limit + 1)
        .execute();
      return closePage("sessions", page, found, { row: fromStored, position: (row) => row.seq });
    },
    async touch(id, atMs) {
      await db
        .updateTable("sessions")
        .set({ lastSeenAtMs: atMs })
        .where("id", "=", idOf(id))
        .where("lastSeenAtMs", "<", atMs)
        .execute();
    },
  };
}

function sessionEndings(db: Kysely<CatalogTables>): Pick<SessionTable, "delete" | "deleteOf" | "deleteExpired"> {
  return {
    async delete(id) {
      const result = await db.deleteFrom("sessions").where("id", "=", idOf(id)).executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
    async deleteOf(userId, except) {
      const result = await db
        .deleteFrom("sessions")
        .where("userId", "=", userOf(userId))
        .$if(except !== undefined, (query) => query.where("id", "!=", idOf(except ?? "")))
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
    async deleteExpired(nowMs, idleSinceMs) {
      const result = await db
        .deleteFrom("sessions")
        .where((row) => row.or([row("expiresAtMs", "<=", nowMs), row("lastSeenAtMs", "<", idleSinceMs)]))
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}

function select(db: Kysely<CatalogTables>) {
  return db.selectFrom("sessions").selectAll();
}

function idOf(id: string): SessionRow["id"] {
  return id as SessionRow["id"]; // looked up only: an id of another kind is in no row
}

function userOf(id: string | undefined): SessionRow["userId"] {
  return (id ?? "") as SessionRow["userId"]; // as above
}

function fromStored({ seq: _, ...row }: Selectable<CatalogTables["sessions"]>): SessionRow {
  return row;
}

function optional(row: Selectable<CatalogTables["sessions"]> | undefined): SessionRow | undefined {
  return row && fromStored(row);
}
