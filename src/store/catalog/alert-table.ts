import type { Kysely, Selectable } from "kysely";
import type { AlertEventRow, AlertTable } from "../../core/alert-tables.ts";
import type { CatalogTables } from "./catalog-tables.ts";
import { closePage, openNumberedPage } from "./page-cursor.ts";

/** How alerts stand and their history, as `AlertTable` promises it. */
export function alertTable(db: Kysely<CatalogTables>): AlertTable {
  return {
    state: (alertId) => db.selectFrom("alertStates").selectAll().where("alertId", "=", alertId).executeTakeFirst(),
    async claim(alertId, expectedMs, nextAtMs) {
      if (expectedMs === null) {
        const made = await db
          .insertInto("alertStates")
          .values({ ...untouched, alertId, sinceMs: nextAtMs, nextAtMs })
          .onConflict((conflict) => conflict.column("alertId").doNothing())
          .executeTakeFirst();
        return (made.numInsertedOrUpdatedRows ?? 0n) > 0n;
      }
      const result = await db
        .updateTable("alertStates")
        .set({ nextAtMs })
        .where("alertId", "=", alertId)
        .where("nextAtMs", "=", expectedMs)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    async update({ alertId, ...row }) {
      await db.updateTable("alertStates").set(row).where("alertId", "=", alertId).execute();
    },
    async addEvent(row) {
      await db.insertInto("alertEvents").values(row).execute();
    },
    async events({ teamIds, alertName }, page) {
      const { after } = openNumberedPage("alert-events", page);
      const found = await db
        .selectFrom("alertEvents")
        .selectAll()
        .$if(after > 0, (query) => query.where("seq", "<", after))
        .$if(teamIds !== undefined, (query) => query.where("teamId", "in", [...(teamIds ?? [])]))
        .$if(alertName !== undefined, (query) => query.where("alertName", "=", alertName ?? ""))
        .orderBy("seq", "desc")
        .limit(page.limit + 1)
        .execute();
      return closePage("alert-events", page, found, { row: eventFrom, position: ({ seq }) => seq });
    },
    async deleteEvents(beforeMs, limit) {
      const some = db.selectFrom("alertEvents").select("seq").where("atMs", "<", beforeMs).limit(limit);
      const result = await db.deleteFrom("alertEvents").where("seq", "in", some).executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}

const untouched = {
  state: "ok",
  calmSinceMs: null,
  toldAtMs: null,
  value: null,
  error: null,
  evaluatedAtMs: null,
} as const;

function eventFrom({ seq: _, ...row }: Selectable<CatalogTables["alertEvents"]>): AlertEventRow {
  return row;
}
